"""DPDNet, the usual network to compare with: a U-Net over both views, without alignment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.errors import ConfigError
from dpanet.network.base import Network, check_views, pad_to_multiple
from dpanet.network.config import ModelConfig
from dpanet.network.description import Description


@dataclass(frozen=True)
class DPDNetConfig(ModelConfig):
    """Everything that decides the shape of a DPDNet; saved in each checkpoint."""

    widths: tuple[int, ...]
    """Channels of each level, finest first."""
    dropout: float = 0.4
    """Share of the features that dropout zeroes in training after the two deepest encoder levels."""
    name: str = "custom"
    """Name of the preset."""

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or not all(1 <= width <= 4096 for width in self.widths):
            raise ConfigError(
                f"widths are {self.widths}; give at least two levels, each of 1 to 4096 channels"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is {self.dropout}; it must be at least 0 and below 1")

    @property
    def multiple_of(self) -> int:
        """Number of px that both sides of the picture are padded to a multiple of."""
        return int(2 ** (len(self.widths) - 1))


DPDNET_PRESETS: dict[str, DPDNetConfig] = {
    "dpdnet": DPDNetConfig(name="dpdnet", widths=(64, 128, 256, 512, 1024)),
    "dpdnet-compact": DPDNetConfig(name="dpdnet-compact", widths=(20, 40, 80, 160, 320)),
}
"""The published network, and the same graph with about as many multiply-adds a pixel as the preset ``compact``."""


class DPDNet(Network):
    """Dual-pixel deblurring network.

    The published graph has 31,035,151 parameters: every kernel and bias of the official code's layers, counted
    one by one. BGMA-Net's table says 31.44 M, without saying which layers have the other 0.4 M.

    Source:
        Abuolaim and Brown, Defocus Deblurring Using Dual-Pixel Data, ECCV 2020, and its official code. From the code:
        a ReLU also after the up-convolutions and the last 3 x 3 one (to 3 channels); biases zero; dropout also on the
        skip of the last but one level. Departure: official files are BGR.
    """

    family = "dpdnet"
    config: DPDNetConfig

    def __init__(self, config: DPDNetConfig) -> None:
        super().__init__(config)
        widths = config.widths
        self.encoder = nn.ModuleList(_Level(*ends) for ends in zip((6, *widths[:-1]), widths, strict=True))
        self.up = nn.ModuleList(nn.Conv2d(deep, width, 2) for width, deep in pairwise(widths))
        self.decoder = nn.ModuleList(_Level(2 * width, width) for width in widths[:-1])
        self.head = nn.Sequential(nn.Conv2d(widths[0], 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 1))
        _initialize(self)

    @property
    def description(self) -> Description:
        """What the network needs and can do."""
        return Description(multiple_of=self.config.multiple_of, halo=8 * self.config.multiple_of)

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """Return the picture, 0..1, alone; see `Network.with_scales`."""
        check_views(left, right)
        height, width = left.shape[-2:]
        x = pad_to_multiple(torch.cat((left, right), dim=1), self.config.multiple_of)
        skips = []
        for depth, level in enumerate(self.encoder):
            x = level(F.max_pool2d(x, 2) if depth else x)
            if depth >= len(self.encoder) - 2:
                x = F.dropout(x, self.config.dropout, self.training)
            skips.append(x)
        skips.pop()
        for up, level, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.relu(up(F.pad(x, (0, 1, 0, 1))))  # "same" of a 2 x 2 kernel: a zero on the right and below
            x = level(torch.cat((skip, x), dim=1))
        picture: Tensor = torch.sigmoid(self.head(x))
        return [picture[..., :height, :width]]


class _Level(nn.Sequential):
    """Two 3 x 3 convolutions, a ReLU after each."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
        )


def _initialize(network: DPDNet) -> None:
    """Initialize as Keras does: He normal, truncated at two sigma, its variance kept; Glorot in the last layer."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            sigma = math.sqrt(2 / module.weight[0].numel()) / 0.87962566103423978
            nn.init.trunc_normal_(module.weight, std=sigma, a=-2 * sigma, b=2 * sigma)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    nn.init.xavier_uniform_(network.head[-1].weight)  # type: ignore[arg-type]
