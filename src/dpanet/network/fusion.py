"""The decoder's side: aligned views and deep features become one picture (DAM)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.alignment import Deform, OffsetMask
from dpanet.network.features import Block
from dpanet.network.presets import DPANetConfig
from dpanet.network.presets import Head as HeadKind


class NearestUp(nn.Module):
    """Nearest x2, then a 2 x 2 convolution with zeros on the right and below only."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, width, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        y: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return y


class ShuffleUp(nn.Module):
    """A 1 x 1 convolution, then pixel shuffle by 2."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, 4 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


class DecoderAlignment(nn.Module):
    """DAM: the left is moved first; the right's offsets are told from the already moved left.

    Source: DPANet, section 3.3; official code for the order of the two sides.
    """

    def __init__(self, width: int, deep: int, config: DPANetConfig) -> None:
        super().__init__()
        self.keep = config.keep_unaligned
        self.guide_left = OffsetMask(2 * width + deep, config.taps, config.groups)
        self.guide_right = OffsetMask(2 * width + deep, config.taps, config.groups)
        self.deform_left = Deform(width, config.taps)
        self.deform_right = Deform(width, config.taps)

    def forward(self, left: Tensor, right: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        aligned = self.deform_left(left, self.guide_left(torch.cat((left, right, deep), 1)))
        left = left + aligned if self.keep else aligned
        aligned = self.deform_right(right, self.guide_right(torch.cat((left, right, deep), 1)))
        return left, right + aligned if self.keep else aligned


class DecoderLevel(nn.Module):
    """Up to this level's size, DAM where the level is aligned, then [left, right, deep] through a block."""

    def __init__(self, index: int, given: int, config: DPANetConfig) -> None:
        super().__init__()
        view, width = config.widths[index], config.fused_widths[index]
        # The deepest map of the cropped graph has this level's own size: up-sampled, it is twice too large.
        up = NearestUp if config.upsampling == "nearest" else ShuffleUp
        self.up = up(given, width)
        aligned = config.dam and index >= config.first_aligned
        self.dam = DecoderAlignment(view, width, config) if aligned else None
        self.block = Block(2 * view + width, width, config.decoder_blocks[index], slope=config.slope)

    def forward(self, deep: Tensor, left: Tensor, right: Tensor) -> Tensor:
        deep = fit(self.up(deep), left.shape[-2], left.shape[-1])
        if self.dam is not None:
            left, right = self.dam(left, right, deep)
        y: Tensor = self.block(torch.cat((left, right, deep), 1))
        return y


def fit(x: Tensor, height: int, width: int) -> Tensor:
    """Pad with zeros or crop `x` (B, C, h, w) centrally to height x width; an odd rest goes right and below.

    The official decoder does this; since its bottom is not pooled, it crops there: deep features of the
    middle are laid over the whole picture.
    """
    dy, dx = height - x.shape[-2], width - x.shape[-1]
    if dy == 0 and dx == 0:
        return x
    return F.pad(x, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2))


class Head(nn.Module):
    """Features become the picture: ``sigmoid`` as published, or residuals to the combined picture.

    widths: channels of the decoder's levels, finest first. scale: the picture's size against the finest level's.
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
        """The picture (B, 3, H, W), and of a ``pyramid`` also the smaller ones, finest first.

        features: of the decoder's levels, finest first, (B, fused_widths[k], h / 2**k, w / 2**k). combined:
        (B, 3, H, W). A smaller picture is the combined one, shrunk by averaging, plus what this level and those
        below it add; the picture itself takes up what they add, smoothly enlarged.
        """
        fine = features[0] if self.conv is None else F.relu(self.conv(features[0]))
        picture: Tensor = self.last(fine)
        if self.scale > 1:
            picture = F.pixel_shuffle(picture, self.scale)
        if not self.residual:
            return torch.sigmoid(picture), []
        added: Tensor | None = None
        smaller: list[Tensor] = []
        for conv, level in zip(reversed(self.coarse), reversed(features[1:]), strict=False):
            own = conv(level)
            added = own if added is None else own + _enlarged(added, own.shape[-2:])
            step = combined.shape[-1] // own.shape[-1]
            smaller.insert(0, F.avg_pool2d(combined, step) + added)
        if added is not None:
            picture = picture + _enlarged(added, picture.shape[-2:])
        return combined + picture, smaller


def _enlarged(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
