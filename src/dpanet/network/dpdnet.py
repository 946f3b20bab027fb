"""DPDNet, the network to compare with: a U-Net over both views, without any alignment."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.errors import ConfigError
from dpanet.network.config import from_plain
from dpanet.network.description import Description
from dpanet.network.dpanet import check_views, pad_to


@dataclass(frozen=True)
class DPDNetConfig:
    """Everything that decides the shape of a DPDNet; saved inside each checkpoint.

    widths: channels of each level, finest first. dropout: share of the features that is silenced in training
    behind the two deepest levels of the encoder.
    """

    widths: tuple[int, ...]
    dropout: float = 0.4
    name: str = "custom"

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or not all(1 <= width <= 4096 for width in self.widths):
            raise ConfigError(
                f"widths are {self.widths}; give at least two levels, each of 1 to 4096 channels"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is {self.dropout}; it must be at least 0 and below 1")

    @property
    def multiple_of(self) -> int:
        """Pixels; both sides of the picture are padded to a multiple of this."""
        return int(2 ** (len(self.widths) - 1))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DPDNetConfig:
        """The configuration of `to_dict`. Raises: ConfigError for an unknown or missing key or a bad value."""
        return from_plain(cls, values)


DPDNET_PRESETS: dict[str, DPDNetConfig] = {
    "dpdnet": DPDNetConfig(name="dpdnet", widths=(64, 128, 256, 512, 1024)),
    "dpdnet-compact": DPDNetConfig(name="dpdnet-compact", widths=(20, 40, 80, 160, 320)),
}
"""The published network, and the same graph at the multiply-adds a pixel of the preset ``compact``."""


class DPDNet(nn.Module):
    """Dual-pixel deblurring network.

    The published graph has 31,035,151 parameters: every kernel and bias of the official code's layers, counted
    one by one. BGMA-Net's table gives it 31.44 M; which layers make the further 0.4 M it does not say.

    Args:    left, right: (B, 3, H, W), RGB, display-encoded, 1.0 = white, H and W at least 16 px.
    Returns: (B, 3, H, W), 0..1, the deblurred picture; any size: padded by reflection inside and cropped again.
    Raises:  ShapeError if the views differ or are too small.
    Source:  Abuolaim and Brown, Defocus Deblurring Using Dual-Pixel Data, ECCV 2020, and its official code.
             From there: ReLU also behind the up-convolutions and the last 3 x 3 one (to 3 channels); biases zero;
             dropout also on the skip of the last but one level. Departure: official files are BGR.
    """

    def __init__(self, config: DPDNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.encoder = nn.ModuleList(_Level(*ends) for ends in zip((6, *widths[:-1]), widths, strict=True))
        self.up = nn.ModuleList(nn.Conv2d(deep, width, 2) for width, deep in pairwise(widths))
        self.decoder = nn.ModuleList(_Level(2 * width, width) for width in widths[:-1])
        self.head = nn.Sequential(nn.Conv2d(widths[0], 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 1))
        _initialise(self)

    @property
    def description(self) -> Description:
        """What tiling must know of this network."""
        return Description(multiple_of=self.config.multiple_of, halo=8 * self.config.multiple_of)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        check_views(left, right)
        height, width = left.shape[-2:]
        x = pad_to(torch.cat((left, right), dim=1), self.config.multiple_of)
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
        return picture[..., :height, :width]


class _Level(nn.Sequential):
    """Two 3 x 3 convolutions, a ReLU behind each."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(given, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
        )


def _initialise(network: DPDNet) -> None:
    """Keras' draws: He's normal, cut off at two sigma and widened to keep its variance; Glorot's for the last."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            sigma = math.sqrt(2 / module.weight[0].numel()) / 0.87962566103423978
            nn.init.trunc_normal_(module.weight, std=sigma, a=-2 * sigma, b=2 * sigma)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    nn.init.xavier_uniform_(network.head[-1].weight)  # type: ignore[arg-type]
