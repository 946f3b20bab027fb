"""DPANet: the paper's figure, from top to bottom."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.alignment import EncoderLevel, cost_volume, encode_both
from dpanet.network.base import Network, check_views, pad_to_multiple
from dpanet.network.defocus_head import LEVEL, DefocusHead
from dpanet.network.description import Description
from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.features import ConvBlock, PyramidFeatures, UnshuffleFeatures, initialize
from dpanet.network.fusion import DecoderLevel, Head, crop_unused
from dpanet.network.ops.exported import export_form


class DPANet(Network):
    """Dual-pixel alignment network.

    Source:
        Li et al., Learning Dual-Pixel Alignment for Defocus Deblurring, 2025 (arXiv 2204.12105).
    """

    family = "dpanet"
    config: DPANetConfig

    def __init__(self, config: DPANetConfig) -> None:
        super().__init__(config)
        levels = range(len(config.widths))
        # Features of each view
        stem = PyramidFeatures(config.widths[0]) if config.stem == "pyramid" else UnshuffleFeatures()
        self.features = stem
        self.features_right = None
        if not config.shared_encoder and config.stem == "pyramid":
            self.features_right = PyramidFeatures(config.widths[0])
        # Encoder
        in_channels = (stem.width, *config.widths)
        self.encoder = nn.ModuleList(EncoderLevel(i, in_channels[i], config) for i in levels)
        # Bottleneck
        pooled_by_stride = config.bottleneck == "pooled" and config.pooling == "stride"
        arguments = (
            config.widths[-1],
            config.bottleneck_width,
            config.bottleneck_blocks,
            2 if pooled_by_stride else 1,
            config.slope,
        )
        self.bottleneck = ConvBlock(*arguments)
        self.bottleneck_right = None if config.shared_encoder else ConvBlock(*arguments)
        # Decoder
        deep_channels = (*config.decoder_channels[1:], 2 * config.bottleneck_width)
        self.decoder = nn.ModuleList(DecoderLevel(i, deep_channels[i], config) for i in levels)
        # Picture, and defocus map beside it
        self.head = Head(config.decoder_channels, config.head, scale=2 if config.stem == "unshuffle" else 1)
        self.defocus = DefocusHead(config.decoder_channels[LEVEL]) if config.defocus else None
        initialize(self)

    @property
    def description(self) -> Description:
        """What the network needs and can do."""
        return Description(
            multiple_of=self.config.multiple_of,
            halo=5
            * self.config.multiple_of,  # of compact; from there on its picture changes by less than 1/255
            encoding="srgb",
            whole_image=self.config.bottleneck == "cropped",
            # Published with one pass; a second one wins 0.1 dB for the other heads (docs/experiments.md).
            tta=1 if self.config.head == "sigmoid" else 2,
            has_defocus=self.defocus is not None,
            scales=len(self.config.widths) if self.config.head == "pyramid" else 1,
        )

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """Return the picture and, of a ``pyramid`` head, the smaller ones; see `Network.with_scales`."""
        picture, smaller, _ = self._deblur(left, right)
        return [picture, *smaller]

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Return the picture and the defocus map; see `Network.with_defocus`."""
        if self.defocus is None:
            return super().with_defocus(left, right)
        picture, _, decoded = self._deblur(left, right)
        height, width = (side + -side % self.config.multiple_of for side in left.shape[-2:])
        radius: Tensor = self.defocus(decoded[LEVEL], height, width)
        return picture, radius[..., : left.shape[-2], : left.shape[-1]]

    def _deblur(self, left: Tensor, right: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return the picture, the smaller pictures, and the features of the decoder levels; finest first."""
        config = self.config
        check_views(left, right)
        height, width = left.shape[-2:]
        if config.single_view:
            left = right = (left + right) * 0.5
        left, right = (pad_to_multiple(view, config.multiple_of) for view in (left, right))
        combined = (left + right) * 0.5

        # Features of each view, and their correlation
        left, right = encode_both(self.features, self.features_right, left, right)
        cost = None
        if config.correlation and config.eam and config.first_aligned == 0:
            cost = cost_volume(left, right, config)

        # Encoder levels, finest first: encode each view, align both (EAM)
        skips = []
        for level in self.encoder:
            left, right, cost = level(left, right, cost)
            skips.append((left, right))

        # Bottleneck: both views joined
        if config.bottleneck == "pooled" and config.pooling == "max":
            left, right = F.max_pool2d(left, 2), F.max_pool2d(right, 2)
        if config.bottleneck == "cropped" and export_form() is None:
            left, right = (crop_unused(view, 1 + 2 * config.bottleneck_blocks) for view in (left, right))
        deep = torch.cat(encode_both(self.bottleneck, self.bottleneck_right, left, right), dim=1)

        # Decoder levels, coarsest first: upsample, align both views of the skip (DAM), fuse
        decoded: list[Tensor] = []
        for level, (left, right) in zip(reversed(self.decoder), reversed(skips), strict=True):
            deep = level(deep, left, right)
            decoded.insert(0, deep)

        # Picture
        picture, smaller = self.head(decoded, combined)
        return picture[..., :height, :width], smaller, decoded
