"""Features of each view before any alignment, and the convolution block of every level."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.network.ops.exported import export_form, unshuffle

SLOPE = 0.1
"""Slope of every leaky ReLU for negative values."""


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x))), 3 x 3, no normalization. A `slope` above 0 makes the ReLU leaky."""

    def __init__(self, width: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(F.leaky_relu(self.conv1(x), self.slope, inplace=True))
        return x + y


class ConvBlock(nn.Module):
    """3 x 3 convolution, ReLU, then residual blocks. `stride` 2 halves the size."""

    def __init__(
        self, in_channels: int, width: int, residual_blocks: int, stride: int = 1, slope: float = 0.0
    ) -> None:
        super().__init__()
        self.slope = slope
        self.conv = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1)
        self.residual = nn.Sequential(*(ResidualBlock(width, slope) for _ in range(residual_blocks)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.residual(F.leaky_relu(self.conv(x), self.slope, inplace=True))
        return y


class PyramidFeatures(nn.Module):
    """The paper's shared features: two scales down, and up again by addition.

    Source:
        DPANet, PreDeblur module of the official code; after EDVR (Wang et al., 2019).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.down2 = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.down3 = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.level1 = nn.ModuleList(ResidualBlock(width) for _ in range(5))
        self.level2 = nn.ModuleList(ResidualBlock(width) for _ in range(2))
        self.level3 = ResidualBlock(width)

    def forward(self, view: Tensor) -> Tensor:
        """Convert a view, (B, 3, H, W), H and W multiples of 4, to features, (B, width, H, W)."""
        level1: Tensor = F.leaky_relu(self.first(view), SLOPE)
        level2 = F.leaky_relu(self.down2(level1), SLOPE)
        level3 = F.leaky_relu(self.down3(level2), SLOPE)
        level2 = self.level2[0](level2) + _twice(self.level3(level3))
        level2 = self.level2[1](level2)
        level1 = self.level1[1](self.level1[0](level1)) + _twice(level2)
        for block in list(self.level1)[2:]:
            level1 = block(level1)
        return level1


class UnshuffleFeatures(nn.Module):
    """Features without parameters: each `side` x `side` px become channels, values are centered around 0."""

    def __init__(self, side: int = 2) -> None:
        super().__init__()
        self.side = side
        self.width = 3 * side**2

    def forward(self, view: Tensor) -> Tensor:
        """Convert a view, (B, 3, H, W), both sides multiples of `side`, to (B, width, H / side, W / side)."""
        centered = (view - 0.45) * 3
        return (
            F.pixel_unshuffle(centered, self.side)
            if export_form() is None
            else unshuffle(centered, self.side)
        )


def initialize(network: nn.Module) -> None:
    """Initialize every convolution so that the variance of features is the same at every depth.

    With torch's own initialization it shrinks at every layer, and a deep network without normalization hardly learns.
    Residual branches are scaled by 0.3, so that their sums do not grow. Weights that are zero stay zero.

    Source:
        He et al., 2015, for convolutions before ReLUs.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.any():
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            module.conv2.weight.data *= 0.3


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
