"""The defocus map: how far, and to which side of the focal plane, each pixel is out of focus."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

LEVEL = 1
"""Decoder level whose features are read, from 0: aligned views and everything below have met there."""

WIDTH = 32

UNIT = 8.0
"""Pixels of blur radius that the last convolution counts as one."""


class DefocusHead(nn.Module):
    """Three small convolutions from the decoder's features to a signed blur radius.

    Not in the paper: its alignment knows the disparity, and this reads it out. Trained on the simulator's own blur
    with the rest of the network held still, so that the picture stays what it is.
    """

    def __init__(self, given: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Conv2d(WIDTH, 1, 3, padding=1)

    def forward(self, features: Tensor, height: int, width: int) -> Tensor:
        """(B, given, h, w) -> (B, 1, height, width): radius of the blur in px of the picture.

        Positive where the left view's kernel lies on the left (-x) side, as in `simulation.kernels`.
        """
        y = F.leaky_relu(self.conv1(features), 0.1)
        y = self.last(F.leaky_relu(self.conv2(y), 0.1)) * UNIT
        return F.interpolate(y, size=(height, width), mode="bilinear", align_corners=False)
