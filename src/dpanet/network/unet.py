"""A plain U-Net of the same parts as DPANet, without alignment, to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dpanet.errors import ConfigError
from dpanet.network.base import Network, check_views, pad_to_multiple
from dpanet.network.config import ModelConfig
from dpanet.network.description import Description
from dpanet.network.features import ConvBlock, UnshuffleFeatures, initialize
from dpanet.network.fusion import Head, ShuffleUpsample


@dataclass(frozen=True)
class UNetConfig(ModelConfig):
    """Everything that decides the shape of a plain U-Net; saved in each checkpoint."""

    widths: tuple[int, ...]
    """Channels of each level, finest first."""
    blocks: tuple[int, ...]
    """Residual blocks of each encoder level."""
    decoder_blocks: tuple[int, ...]
    """Residual blocks of each decoder level, finest first."""
    bottleneck_width: int
    """Channels of the bottleneck."""
    bottleneck_blocks: int
    """Residual blocks of the bottleneck."""
    slope: float = 0.1
    """Slope of the ReLUs for negative values."""
    unshuffle: int = 2
    """Side of the square of px that become channels; the finest level has the resolution divided by it."""
    name: str = "custom"
    """Name of the preset."""

    def __post_init__(self) -> None:
        if not self.widths or not len(self.widths) == len(self.blocks) == len(self.decoder_blocks):
            raise ConfigError(
                f"widths, blocks and decoder_blocks have {len(self.widths)}, {len(self.blocks)} and "
                f"{len(self.decoder_blocks)} entries; give one for each level"
            )
        if self.unshuffle not in (1, 2, 4, 8):
            raise ConfigError(f"unshuffle is {self.unshuffle}; it must be 1, 2, 4 or 8")
        if not all(1 <= width <= 4096 for width in (*self.widths, self.bottleneck_width)):
            raise ConfigError(f"widths are {self.widths}, {self.bottleneck_width}; each must be 1 to 4096")

    @property
    def multiple_of(self) -> int:
        """Number of px that both sides of the picture are padded to a multiple of."""
        return int(self.unshuffle * 2 ** len(self.widths))


UNET_PRESETS: dict[str, UNetConfig] = {
    "unet-compact": UNetConfig(
        name="unet-compact",
        widths=(36, 72, 136, 192),
        blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 2, 2, 2),
        bottleneck_width=192,
        bottleneck_blocks=1,
    ),
    "nano": UNetConfig(
        name="nano",
        unshuffle=4,
        widths=(32, 60, 88),
        blocks=(1, 1, 1),
        decoder_blocks=(1, 2, 2),
        bottleneck_width=112,
        bottleneck_blocks=1,
    ),
}
"""``unet-compact`` has about as many multiply-adds as the preset ``compact``, ``nano`` a sixth of them: nothing
runs at more than a quarter of the resolution, since processors are slow for few channels at a higher one."""


class UNet(Network):
    """A U-Net over both views as channels, with a residual to the combined picture from every level.

    Its stem, blocks, upsampling and head are those of the preset ``compact``; it has no encoder of each view, no
    correlation and no deformable convolution.
    """

    family = "unet"
    config: UNetConfig

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        widths, slope = config.widths, config.slope
        self.features = UnshuffleFeatures(config.unshuffle)
        in_channels = (2 * self.features.width, *widths)
        self.encoder = nn.ModuleList(
            ConvBlock(in_channels[i], widths[i], config.blocks[i], stride=2 if i else 1, slope=slope)
            for i in range(len(widths))
        )
        self.bottleneck = ConvBlock(
            widths[-1], config.bottleneck_width, config.bottleneck_blocks, stride=2, slope=slope
        )
        deep = (*widths[1:], config.bottleneck_width)
        self.up = nn.ModuleList(ShuffleUpsample(deep[i], widths[i]) for i in range(len(widths)))
        self.decoder = nn.ModuleList(
            ConvBlock(2 * width, width, blocks, slope=slope)
            for width, blocks in zip(widths, config.decoder_blocks, strict=True)
        )
        self.head = Head(widths, "pyramid", scale=config.unshuffle)
        initialize(self)

    @property
    def description(self) -> Description:
        """What the network needs and can do."""
        multiple = self.config.multiple_of
        return Description(
            multiple_of=multiple,
            halo=6 * multiple,  # of nano; from there on its picture changes by less than 1/255
            encoding="srgb",
            tta=2,
            scales=len(self.config.widths),
            tile_pixels=3_000_000 if self.config.unshuffle > 2 else 1_400_000,
        )

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """Return the picture and a smaller one of every other level; see `Network.with_scales`."""
        check_views(left, right)
        height, width = left.shape[-2:]
        left, right = (pad_to_multiple(view, self.config.multiple_of) for view in (left, right))
        x = torch.cat((self.features(left), self.features(right)), dim=1)
        skips = []
        for level in self.encoder:
            x = level(x)
            skips.append(x)
        x = self.bottleneck(x)
        features: list[Tensor] = []
        for up, level, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            x = level(torch.cat((skip, up(x)), dim=1))
            features.insert(0, x)
        picture, smaller = self.head(features, (left + right) * 0.5)
        return [picture[..., :height, :width], *smaller]
