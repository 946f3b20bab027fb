"""The defocus map: how far, and on which side of the focal plane, each pixel is out of focus."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

LEVEL = 1
"""Decoder level whose features are read; 0 is the finest."""

WIDTH = 32
"""Channels of its convolutions."""

UNIT = 8.0
"""Blur radius, in px, for which the last convolution returns 1."""


class DefocusHead(nn.Module):
    """Three small convolutions from the decoder's features to a signed blur radius.

    Not in the paper. It is trained on the simulator's own blur with the rest of the network frozen, so that the
    picture does not change.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Conv2d(WIDTH, 1, 3, padding=1)

    def forward(self, features: Tensor, height: int, width: int) -> Tensor:
        """Return the signed blur radius.

        Args:
            features: of decoder level `LEVEL`, (B, in_channels, h, w).
            height: of the map, px.
            width: of the map, px.

        Returns:
            (B, 1, height, width), px of the picture; positive where the left view's kernel lies on the left (-x)
            side, as in `simulation.kernels`.
        """
        y = F.leaky_relu(self.conv1(features), 0.1)
        y = self.last(F.leaky_relu(self.conv2(y), 0.1)) * UNIT
        return F.interpolate(y, size=(height, width), mode="bilinear", align_corners=False)
