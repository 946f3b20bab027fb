"""DPANet: pair in, alignment, picture out. `forward` reads as the paper's figure."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.errors import ConfigError, ShapeError
from dpanet.network.alignment import EncoderLevel, apply_to_both, match
from dpanet.network.defocus_head import LEVEL, DefocusHead
from dpanet.network.description import Description
from dpanet.network.features import Block, PyramidFeatures, UnshuffleFeatures, initialise
from dpanet.network.fusion import DecoderLevel, Head
from dpanet.network.presets import DPANetConfig

SMALLEST_SIDE = 16


class DPANet(nn.Module):
    """Dual-pixel alignment network.

    Args:    left, right: (B, 3, H, W), RGB, display-encoded, 1.0 = white, H and W at least 16 px.
    Returns: (B, 3, H, W), the deblurred picture; any size: padded by reflection inside and cropped again.
    Raises:  ShapeError if the views differ or are too small.
    Source:  Li et al., Learning Dual-Pixel Alignment for Defocus Deblurring, 2025 (arXiv 2204.12105).
    """

    def __init__(self, config: DPANetConfig) -> None:
        super().__init__()
        self.config = config
        stem = PyramidFeatures(config.widths[0]) if config.stem == "pyramid" else UnshuffleFeatures()
        self.features = stem
        self.features_right = None
        if not config.shared_encoder and config.stem == "pyramid":
            self.features_right = PyramidFeatures(config.widths[0])
        given = (stem.width, *config.widths)
        self.encoder = nn.ModuleList(EncoderLevel(i, given[i], config) for i in range(len(config.widths)))
        pooled_by_stride = config.bottom == "pooled" and config.pooling == "stride"
        arguments = (
            config.widths[-1],
            config.bottom_width,
            config.bottom_blocks,
            2 if pooled_by_stride else 1,
            config.slope,
        )
        self.bottom = Block(*arguments)
        self.bottom_right = None if config.shared_encoder else Block(*arguments)
        deep = (*config.fused_widths[1:], 2 * config.bottom_width)
        self.decoder = nn.ModuleList(DecoderLevel(i, deep[i], config) for i in range(len(config.widths)))
        self.head = Head(config.fused_widths, config.head, scale=2 if config.stem == "unshuffle" else 1)
        self.defocus = DefocusHead(config.fused_widths[LEVEL]) if config.defocus else None
        initialise(self)

    @property
    def description(self) -> Description:
        """What tiling must know of this network."""
        return Description(
            multiple_of=self.config.multiple_of,
            halo=8 * self.config.multiple_of // 2,
            encoding="srgb",
            whole_image=self.config.bottom == "cropped",
            # As published, one pass; the descendants win 0.1 dB by a second (docs/experiments.md).
            tta=1 if self.config.head == "sigmoid" else 2,
            has_defocus=self.defocus is not None,
        )

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self._picture(left, right)[0]

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """The picture, and the signed blur radius (B, 1, H, W) in px; its sign: `DefocusHead`.

        Raises: ShapeError as `forward`; ConfigError if the network has no such head.
        """
        if self.defocus is None:
            raise ConfigError(
                f"the model {self.config.name!r} tells no defocus map; take one whose configuration has defocus, "
                "such as compact"
            )
        picture, _, features = self._picture(left, right)
        height, width = (side + -side % self.config.multiple_of for side in left.shape[-2:])
        radius: Tensor = self.defocus(features[LEVEL], height, width)
        return picture, radius[..., : left.shape[-2], : left.shape[-1]]

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """The picture and, of a ``pyramid`` head, the smaller ones that training also judges; finest first.

        The smaller ones are of the padded picture: give sides that are multiples of `DPANetConfig.multiple_of`.
        """
        picture, smaller, _ = self._picture(left, right)
        return [picture, *smaller]

    def _picture(self, left: Tensor, right: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The picture, the smaller pictures, and the features of the decoder's levels; finest first."""
        check_views(left, right)
        if self.config.single_view:
            left = right = (left + right) * 0.5
        height, width = left.shape[-2:]
        left, right = pad_to(left, self.config.multiple_of), pad_to(right, self.config.multiple_of)
        combined = (left + right) * 0.5

        left, right = apply_to_both(self.features, self.features_right, left, right)
        cost = None
        if self.config.correlation and self.config.eam and self.config.first_aligned == 0:
            cost = match(left, right, self.config)
        skips = []
        for level in self.encoder:
            left, right, cost = level(left, right, cost)
            skips.append((left, right))
        if self.config.bottom == "pooled" and self.config.pooling == "max":
            left, right = F.max_pool2d(left, 2), F.max_pool2d(right, 2)
        deep = torch.cat(apply_to_both(self.bottom, self.bottom_right, left, right), dim=1)
        features: list[Tensor] = []
        for level, (left, right) in zip(reversed(self.decoder), reversed(skips), strict=True):
            deep = level(deep, left, right)
            features.insert(0, deep)
        picture, smaller = self.head(features, combined)
        return picture[..., :height, :width], smaller, features


def pad_to(view: Tensor, multiple: int) -> Tensor:
    """Pad (B, C, H, W) on the right and below to a multiple, by reflection, repeated where it is too small."""
    height, width = view.shape[-2:]
    more = (-height % multiple, -width % multiple)
    while more != (0, 0):
        step = (min(more[0], view.shape[-2] - 1), min(more[1], view.shape[-1] - 1))
        view = F.pad(view, (0, step[1], 0, step[0]), mode="reflect")
        more = (more[0] - step[0], more[1] - step[1])
    return view


def check_views(left: Tensor, right: Tensor) -> None:
    """Raises: ShapeError unless both are (B, 3, H, W) of one shape, with at least 16 px a side."""
    if left.shape != right.shape or left.dim() != 4 or left.shape[1] != 3:
        raise ShapeError(
            f"the network was given views of shapes {tuple(left.shape)} and {tuple(right.shape)}; "
            "it needs two (B, 3, H, W) tensors of one shape"
        )
    if min(left.shape[-2:]) < SMALLEST_SIDE:
        raise ShapeError(
            f"the views are {left.shape[-1]} x {left.shape[-2]} px; at least {SMALLEST_SIDE} px a side are needed"
        )
