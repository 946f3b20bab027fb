"""The lens of the Google Pixel 4's main camera, without any file.

Fitted to the kernels that Xin et al. (ICCV 2021) measured over the central 1344 x 1008 px of the views; scale 1 is
the blur of their calibration. How well it explains real views: docs/simulation.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpanet.lenses.lens import KernelPairs
from dpanet.lenses.pixel4_parameters import PIXEL4
from dpanet.lenses.resizing import Array, check_scales, largest_scale, resize_pair

WIDTH = 49
"""Side in px of the kernels at scale 1."""


class Pixel4:
    """The kernel pairs of the Pixel 4 as a smooth function of the place in the field."""

    @property
    def name(self) -> str:
        return "pixel4"

    @property
    def max_scale(self) -> float:
        return largest_scale(WIDTH)

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        check_scales(scales, self.max_scale)
        return resize_pair(self.calibrated_pair(y, x), scales)

    def calibrated_pair(self, y: float, x: float) -> Array:
        """Compute the kernel pair (2, WIDTH, WIDTH) at scale 1; its common centroid is the middle, nearly."""
        line = np.arange(WIDTH, dtype=np.float64) - WIDTH // 2
        down, right = np.meshgrid(line, line, indexing="ij")
        pair: Array = PIXEL4.pairs(np.array([y]), np.array([x]), down[None], right[None])[0]
        return pair
