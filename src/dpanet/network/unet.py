"""A plain U-Net of DPANet's own parts, without any alignment: what alignment has to beat."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dpanet.errors import ConfigError
from dpanet.network.config import from_plain
from dpanet.network.description import Description
from dpanet.network.dpanet import check_views, pad_to
from dpanet.network.features import Block, UnshuffleFeatures, initialise
from dpanet.network.fusion import Head, ShuffleUp


@dataclass(frozen=True)
class UNetConfig:
    """Everything that decides the shape of a plain U-Net; saved inside each checkpoint.

    widths: channels of each level, finest (half the resolution) first. blocks, decoder_blocks: residual blocks of
    each. bottom_width, bottom_blocks: of what lies below. slope: of the ReLUs for negative values.
    """

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    bottom_width: int
    bottom_blocks: int
    slope: float = 0.1
    name: str = "custom"

    def __post_init__(self) -> None:
        if not self.widths or not len(self.widths) == len(self.blocks) == len(self.decoder_blocks):
            raise ConfigError(
                f"widths, blocks and decoder_blocks have {len(self.widths)}, {len(self.blocks)} and "
                f"{len(self.decoder_blocks)} entries; give one for each level"
            )
        if not all(1 <= width <= 4096 for width in (*self.widths, self.bottom_width)):
            raise ConfigError(f"widths are {self.widths}, {self.bottom_width}; each must be 1 to 4096")

    @property
    def multiple_of(self) -> int:
        """Pixels; both sides of the picture are padded to a multiple of this."""
        return int(2 ** (len(self.widths) + 1))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> UNetConfig:
        """The configuration of `to_dict`. Raises: ConfigError for an unknown or missing key or a bad value."""
        return from_plain(cls, values)


UNET_PRESETS: dict[str, UNetConfig] = {
    "unet-compact": UNetConfig(
        name="unet-compact",
        widths=(36, 72, 136, 192),
        blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 2, 2, 2),
        bottom_width=192,
        bottom_blocks=1,
    )
}
"""At the multiply-adds a pixel of the preset ``compact``."""


class UNet(nn.Module):
    """Both views side by side as channels, a U-Net, residuals to the combined picture from every level.

    Stem, blocks, up-sampling and head are those of the preset ``compact``; there is no encoder for each view, no
    correlation and nothing deformable.

    Args:    left, right: (B, 3, H, W), RGB, display-encoded, 1.0 = white, H and W at least 16 px.
    Returns: (B, 3, H, W), the deblurred picture; any size: padded by reflection inside and cropped again.
    Raises:  ShapeError if the views differ or are too small.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        widths, slope = config.widths, config.slope
        self.features = UnshuffleFeatures()
        given = (2 * self.features.width, *widths)
        self.encoder = nn.ModuleList(
            Block(given[i], widths[i], config.blocks[i], stride=2 if i else 1, slope=slope)
            for i in range(len(widths))
        )
        self.bottom = Block(widths[-1], config.bottom_width, config.bottom_blocks, stride=2, slope=slope)
        deep = (*widths[1:], config.bottom_width)
        self.up = nn.ModuleList(ShuffleUp(deep[i], widths[i]) for i in range(len(widths)))
        self.decoder = nn.ModuleList(
            Block(2 * width, width, blocks, slope=slope)
            for width, blocks in zip(widths, config.decoder_blocks, strict=True)
        )
        self.head = Head(widths, "pyramid", scale=2)
        initialise(self)

    @property
    def description(self) -> Description:
        """What tiling must know of this network."""
        multiple = self.config.multiple_of
        return Description(multiple_of=multiple, halo=8 * multiple // 2, encoding="srgb", tta=2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.with_scales(left, right)[0]

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """The picture and the smaller ones that training also judges, as `DPANet.with_scales`."""
        check_views(left, right)
        height, width = left.shape[-2:]
        left, right = (pad_to(view, self.config.multiple_of) for view in (left, right))
        x = torch.cat((self.features(left), self.features(right)), dim=1)
        skips = []
        for level in self.encoder:
            x = level(x)
            skips.append(x)
        x = self.bottom(x)
        features: list[Tensor] = []
        for up, level, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            x = level(torch.cat((skip, up(x)), dim=1))
            features.insert(0, x)
        picture, smaller = self.head(features, (left + right) * 0.5)
        return [picture[..., :height, :width], *smaller]
