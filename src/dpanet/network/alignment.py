"""Encoder: the cost volume of two views, and the encoder alignment module (EAM)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.features import SLOPE, ConvBlock
from dpanet.network.ops import correlation, deformable_convolution


def cost_volume(left: Tensor, right: Tensor, config: DPANetConfig) -> Tensor:
    """Return the correlation of two views' features, through a leaky ReLU.

    Args:
        left: (B, C, H, W).
        right: likewise.
        config: decides the radius and the similarity.

    Returns:
        (B, (2ry+1)*(2rx+1), H, W), as `ops.correlation`.
    """
    if config.similarity == "cosine":
        left, right = _normalize(left), _normalize(right)
    return F.leaky_relu(correlation(left, right, config.radius), SLOPE)


def encode_both(
    shared: nn.Module, own_right: nn.Module | None, left: Tensor, right: Tensor
) -> tuple[Tensor, Tensor]:
    """Apply the shared encoder to both views, as one batch; or to the left only, if the right has its own."""
    if own_right is not None:
        return shared(left), own_right(right)
    both = shared(torch.cat((left, right)))
    return both[: left.shape[0]], both[left.shape[0] :]


class OffsetMask(nn.Module):
    """A 3 x 3 convolution that predicts the offsets and the mask of a deformable convolution."""

    def __init__(self, in_channels: int, taps: int, groups: int) -> None:
        super().__init__()
        self.reads = taps * taps * groups
        """Number of places that are read for each pixel."""
        self.conv = nn.Conv2d(in_channels, 3 * self.reads, 3, padding=1)
        # Untrained: all offsets 0, all masks 0.5.
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Predict where each tap reads, and the weight of what it reads.

        Args:
            x: (B, in_channels, H, W).

        Returns:
            Offsets, (B, 2*reads, H, W), (dy, dx) interleaved, px of this level, +x right, +y down; and mask,
            (B, reads, H, W), 0..1.
        """
        y = self.conv(x)
        return y[:, : 2 * self.reads], torch.sigmoid(y[:, 2 * self.reads :])


class DeformableConv(nn.Module):
    """A modulated deformable convolution (DCNv2) that keeps the number of channels."""

    def __init__(self, width: int, taps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width, taps, taps))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")

    def forward(self, x: Tensor, offset_mask: tuple[Tensor, Tensor]) -> Tensor:
        """Convolve (B, width, H, W), reading where `offset_mask` (of `OffsetMask`) says."""
        offsets, mask = offset_mask
        return deformable_convolution(x, offsets, mask, self.weight, self.bias)


class EncoderAlignment(nn.Module):
    """EAM: predict offsets for each view from [left, right, cost]; move both by one deformable convolution.

    Source:
        DPANet, section 3.2; official code for the two offset convolutions and the one deformable weight.
    """

    def __init__(self, width: int, config: DPANetConfig) -> None:
        super().__init__()
        self.keep_unaligned = config.keep_unaligned
        cost = (config.cost_width or width) if config.correlation else 0
        self.cost: nn.Module | None = None
        if config.correlation:
            ry, rx = config.radius
            slope = SLOPE if config.similarity == "cosine" else 0.0
            self.cost = nn.Sequential(
                nn.Conv2d((2 * ry + 1) * (2 * rx + 1), cost, 1),
                nn.LeakyReLU(slope),
                nn.Conv2d(cost, cost, 1),
                nn.LeakyReLU(slope),
            )
        self.offset_mask_left = OffsetMask(2 * width + cost, config.taps, config.groups)
        self.offset_mask_right = OffsetMask(2 * width + cost, config.taps, config.groups)
        self.deform = DeformableConv(width, config.taps)

    def forward(self, left: Tensor, right: Tensor, cost: Tensor | None) -> tuple[Tensor, Tensor]:
        """Align both views.

        Args:
            left: features, (B, width, H, W).
            right: likewise.
            cost: `cost_volume` of both, (B, D, H, W); None without correlation.

        Returns:
            Both views aligned, of the same shapes.
        """
        inputs = [left, right]
        if self.cost is not None:
            inputs.append(self.cost(cost))
        both = torch.cat(inputs, dim=1)
        aligned_left = self.deform(left, self.offset_mask_left(both))
        aligned_right = self.deform(right, self.offset_mask_right(both))
        if self.keep_unaligned:
            return left + aligned_left, right + aligned_right
        return aligned_left, aligned_right


class EncoderLevel(nn.Module):
    """One encoder level: halve the size (all but the first), encode each view, align both by EAM."""

    def __init__(self, index: int, in_channels: int, config: DPANetConfig) -> None:
        super().__init__()
        width, blocks = config.widths[index], config.blocks[index]
        self.halve = index > 0
        self.pool = config.pooling == "max"
        stride = 2 if self.halve and not self.pool else 1
        self.block = ConvBlock(in_channels, width, blocks, stride, config.slope)
        self.block_right = (
            None if config.shared_encoder else ConvBlock(in_channels, width, blocks, stride, config.slope)
        )
        aligned = config.eam and index >= config.first_aligned
        self.eam = EncoderAlignment(width, config) if aligned else None
        self.config = config
        self.needs_cost = config.correlation and aligned
        self.next_needs_cost = config.correlation and config.eam and index + 1 < len(config.widths)

    def forward(
        self, left: Tensor, right: Tensor, cost: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Encode and align both views.

        Args:
            left: features of the level above, (B, C, H, W).
            right: likewise.
            cost: cost volume of the level above, (B, D, H, W); if None, it is computed from this level's features.

        Returns:
            Both views, (B, width, h, w), and the cost volume of the aligned ones for the next level, if it needs one.
        """
        if self.halve and self.pool:
            left, right = F.max_pool2d(left, 2), F.max_pool2d(right, 2)
        if self.halve and cost is not None:
            cost = F.max_pool2d(cost, 2)
        left, right = encode_both(self.block, self.block_right, left, right)
        if self.eam is None:
            return left, right, None
        if cost is None and self.needs_cost:
            cost = cost_volume(left, right, self.config)
        left, right = self.eam(left, right, cost)
        return left, right, cost_volume(left, right, self.config) if self.next_needs_cost else None


def _normalize(x: Tensor) -> Tensor:
    """Scale features to a mean square of 1 over their channels; the mean product of two is then their cosine."""
    return (x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-6)).to(x.dtype)
