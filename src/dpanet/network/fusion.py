"""Decoder: the decoder alignment module (DAM), the fusion of both views, and the head that makes the picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.alignment import DeformableConv, OffsetMask
from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.dpanet_config import Head as HeadKind
from dpanet.network.features import ConvBlock
from dpanet.network.ops.exported import export_form


class NearestUpsample(nn.Module):
    """Double the size: nearest neighbor, then a 2 x 2 convolution with zeros on the right and below only.

    Computed without the enlarged features: each of the four pixels that one becomes is a 2 x 2 convolution of the
    small ones, whose weights are sums of the original weights where both read the same pixel.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 2)

    def forward(self, x: Tensor) -> Tensor:
        if export_form() is not None:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            y: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
            return y
        weight = _both_parities(_both_parities(self.conv.weight, 2), 4)  # (D, C, y parity, 2, x parity, 2)
        weight = weight.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
        assert self.conv.bias is not None
        y = F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, self.conv.bias.repeat_interleave(4))
        return F.pixel_shuffle(y, 2)


def _both_parities(weight: Tensor, axis: int) -> Tensor:
    """Replace an axis of 2 weights by (2, 2): what they are at even places of the enlarged features, and at odd."""
    first, second = weight.unbind(axis)
    even = torch.stack((first + second, torch.zeros_like(first)), axis)
    return torch.stack((even, weight), axis)


class ShuffleUpsample(nn.Module):
    """Double the size: a 1 x 1 convolution, then pixel shuffle."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


class DecoderAlignment(nn.Module):
    """DAM: align the left view first; predict the right view's offsets from the left one as aligned.

    Source:
        DPANet, section 3.3; official code for the order of the two views.
    """

    def __init__(self, width: int, deep: int, config: DPANetConfig) -> None:
        super().__init__()
        self.keep_unaligned = config.keep_unaligned
        self.offset_mask_left = OffsetMask(2 * width + deep, config.taps, config.groups)
        self.offset_mask_right = OffsetMask(2 * width + deep, config.taps, config.groups)
        self.deform_left = DeformableConv(width, config.taps)
        self.deform_right = DeformableConv(width, config.taps)

    def forward(self, left: Tensor, right: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Align both views.

        Args:
            left: features of the encoder, (B, width, H, W).
            right: likewise.
            deep: upsampled features of the level below, (B, deep, H, W).

        Returns:
            Both views aligned, of the same shapes.
        """
        aligned = self.deform_left(left, self.offset_mask_left(torch.cat((left, right, deep), 1)))
        left = left + aligned if self.keep_unaligned else aligned
        aligned = self.deform_right(right, self.offset_mask_right(torch.cat((left, right, deep), 1)))
        return left, right + aligned if self.keep_unaligned else aligned


class DecoderLevel(nn.Module):
    """One decoder level: upsample the deep features, align both views by DAM, fuse all three by a block."""

    def __init__(self, index: int, in_channels: int, config: DPANetConfig) -> None:
        super().__init__()
        view, width = config.widths[index], config.decoder_channels[index]
        upsample = NearestUpsample if config.upsampling == "nearest" else ShuffleUpsample
        self.up = upsample(in_channels, width)
        aligned = config.dam and index >= config.first_aligned
        self.dam = DecoderAlignment(view, width, config) if aligned else None
        self.block = ConvBlock(2 * view + width, width, config.decoder_blocks[index], slope=config.slope)

    def forward(self, deep: Tensor, left: Tensor, right: Tensor) -> Tensor:
        """Return the fused features of this level.

        Args:
            deep: features of the level below, (B, C, h, w).
            left: features of the encoder, (B, view, H, W).
            right: likewise.

        Returns:
            (B, width, H, W).
        """
        deep = pad_or_crop(self.up(deep), left.shape[-2], left.shape[-1])
        if self.dam is not None:
            left, right = self.dam(left, right, deep)
        y: Tensor = self.block(torch.cat((left, right, deep), 1))
        return y


def pad_or_crop(x: Tensor, height: int, width: int) -> Tensor:
    """Pad `x`, (B, C, h, w), with zeros or crop it, centrally, to height x width; an odd rest goes right and below.

    It does something only for the cropped bottleneck, as in the official decoder: that one is not pooled, so that its
    upsampled features are twice too large, and those of the middle are used for the whole picture.
    """
    dy, dx = height - x.shape[-2], width - x.shape[-1]
    if dy == 0 and dx == 0:
        return x
    return F.pad(x, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2))


def crop_unused(x: Tensor, margin: int) -> Tensor:
    """Crop what does not reach the picture from the features, (B, C, h, w), before a cropped bottleneck.

    Of their doubled size, `pad_or_crop` leaves the central h x w. As much is cropped on either side, so that the
    center stays where it is.

    Args:
        x: of the deepest encoder level.
        margin: px that the bottleneck's convolutions reach to each side.
    """
    edges = []
    for side in (x.shape[-2], x.shape[-1]):
        begin = side - side // 2  # of the central part, in px of the doubled size
        unused = min(begin // 2, side - 1 - (begin + side) // 2)
        edges.append(max(0, unused - margin))
    top, left = edges
    return x[..., top : x.shape[-2] - top, left : x.shape[-1] - left]


class Head(nn.Module):
    """Convert the decoder's features to the picture: by a sigmoid as published, or as residuals to the combined one.

    Args:
        widths: channels of the decoder levels, finest first.
        kind: as `DPANetConfig.head`.
        scale: size of the picture divided by that of the finest level.
    """

    def __init__(self, widths: tuple[int, ...], kind: HeadKind, scale: int) -> None:
        super().__init__()
        width = widths[0]
        self.residual = kind != "sigmoid"
        self.scale = scale
        channels = 3 * self.scale**2
        if self.residual:
            self.conv = None
            self.last = nn.Conv2d(width, channels, 3, padding=1)
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        else:
            self.conv = nn.Conv2d(width, width, 3, padding=1)
            self.last = nn.Conv2d(width, channels, 3, padding=1)
        coarser = widths[1:] if kind == "pyramid" else ()
        self.coarse = nn.ModuleList(nn.Conv2d(w, 3, 3, padding=1) for w in coarser)
        for conv in self.coarse:
            nn.init.zeros_(conv.weight)  # type: ignore[arg-type]
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, features: list[Tensor], combined: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the picture and, of a ``pyramid``, the smaller ones.

        A smaller picture is the combined one, reduced by averaging, plus the residuals of its level and of all
        coarser ones, enlarged bilinearly. So is the picture itself.

        Args:
            features: of the decoder levels, finest first, (B, widths[k], h / 2**k, w / 2**k).
            combined: mean of the views, (B, 3, H, W).

        Returns:
            The picture, (B, 3, H, W), and the smaller pictures, (B, 3, h / 2**k, w / 2**k), finest first.
        """
        fine = features[0] if self.conv is None else F.relu(self.conv(features[0]))
        picture: Tensor = self.last(fine)
        if self.scale > 1:
            picture = F.pixel_shuffle(picture, self.scale)
        if not self.residual:
            return torch.sigmoid(picture), []
        residual: Tensor | None = None
        smaller: list[Tensor] = []
        for conv, level in zip(reversed(self.coarse), reversed(features[1:]), strict=False):
            own = conv(level)
            residual = own if residual is None else own + _enlarge(residual, own.shape[-2:])
            step = combined.shape[-1] // own.shape[-1]
            smaller.insert(0, F.avg_pool2d(combined, step) + residual)
        if residual is not None:
            picture = picture + _enlarge(residual, picture.shape[-2:])
        return combined + picture, smaller


def _enlarge(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
