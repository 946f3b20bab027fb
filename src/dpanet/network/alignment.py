"""The encoder's side of alignment: match the views, tell where to read, move the features (EAM)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.features import SLOPE, Block
from dpanet.network.ops import correlation, deformable_convolution
from dpanet.network.presets import DPANetConfig


class OffsetMask(nn.Module):
    """A 3 x 3 convolution that tells each tap where to read (offsets, px) and how much to trust it (mask)."""

    def __init__(self, given: int, taps: int, groups: int) -> None:
        super().__init__()
        self.reads = taps * taps * groups
        self.conv = nn.Conv2d(given, 3 * self.reads, 3, padding=1)
        # Untrained: read in place, half trusted.
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, given, H, W) -> offsets (B, 2*reads, H, W), (dy, dx) interleaved; mask (B, reads, H, W) in 0..1."""
        y = self.conv(x)
        return y[:, : 2 * self.reads], torch.sigmoid(y[:, 2 * self.reads :])


class Deform(nn.Module):
    """Weight and bias of a modulated deformable convolution, width to width."""

    def __init__(self, width: int, taps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width, taps, taps))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")

    def forward(self, x: Tensor, guide: tuple[Tensor, Tensor]) -> Tensor:
        return deformable_convolution(x, guide[0], guide[1], self.weight, self.bias)


class EncoderAlignment(nn.Module):
    """EAM: offsets for each view from [left, right, cost]; one deformable convolution moves both.

    Source: DPANet, section 3.2; official code: two offset convolutions, one shared deformable weight.
    """

    def __init__(self, width: int, config: DPANetConfig) -> None:
        super().__init__()
        self.keep = config.keep_unaligned
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
        self.guide_left = OffsetMask(2 * width + cost, config.taps, config.groups)
        self.guide_right = OffsetMask(2 * width + cost, config.taps, config.groups)
        self.deform = Deform(width, config.taps)

    def forward(self, left: Tensor, right: Tensor, cost: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features (B, width, H, W) of both views and their cost volume -> both aligned."""
        seen = [left, right]
        if self.cost is not None:
            seen.append(self.cost(cost))
        both = torch.cat(seen, dim=1)
        aligned_left = self.deform(left, self.guide_left(both))
        aligned_right = self.deform(right, self.guide_right(both))
        if self.keep:
            return left + aligned_left, right + aligned_right
        return aligned_left, aligned_right


class EncoderLevel(nn.Module):
    """Halve (all but the first), the level's block on each view, then EAM where the level is aligned."""

    def __init__(self, index: int, given: int, config: DPANetConfig) -> None:
        super().__init__()
        width = config.widths[index]
        self.halve = index > 0
        self.pool = config.pooling == "max"
        stride = 2 if self.halve and not self.pool else 1
        self.block = Block(given, width, config.blocks[index], stride, config.slope)
        self.block_right = (
            None if config.shared_encoder else Block(given, width, config.blocks[index], stride, config.slope)
        )
        aligned = config.eam and index >= config.first_aligned
        self.eam = EncoderAlignment(width, config) if aligned else None
        self.config = config
        # A cost volume of this level's own features, where the level above handed none down.
        self.needs_cost = config.correlation and aligned
        self.gives_cost = config.correlation and config.eam and index + 1 < len(config.widths)

    def forward(
        self, left: Tensor, right: Tensor, cost: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        if self.halve and self.pool:
            left, right = F.max_pool2d(left, 2), F.max_pool2d(right, 2)
        if self.halve and cost is not None:
            cost = F.max_pool2d(cost, 2)
        left, right = apply_to_both(self.block, self.block_right, left, right)
        if self.eam is None:
            return left, right, None
        if cost is None and self.needs_cost:
            cost = match(left, right, self.config)
        left, right = self.eam(left, right, cost)
        return left, right, match(left, right, self.config) if self.gives_cost else None


def match(left: Tensor, right: Tensor, config: DPANetConfig) -> Tensor:
    """The cost volume as the network sees it: correlation, then leaky ReLU."""
    if config.similarity == "cosine":
        left, right = _directions(left), _directions(right)
    return F.leaky_relu(correlation(left, right, config.radius), SLOPE)


def _directions(x: Tensor) -> Tensor:
    """Features of a mean square of 1 over their channels, so that the mean product of two is their cosine."""
    return (x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-6)).to(x.dtype)


def apply_to_both(
    shared: nn.Module, own_right: nn.Module | None, left: Tensor, right: Tensor
) -> tuple[Tensor, Tensor]:
    """Run both views through one module, as one batch, or the right through its own."""
    if own_right is not None:
        return shared(left), own_right(right)
    both = shared(torch.cat((left, right)))
    return both[: left.shape[0]], both[left.shape[0] :]
