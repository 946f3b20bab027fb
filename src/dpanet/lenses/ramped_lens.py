"""A lens in one number: both views see the whole disc of confusion, brighter towards one side.

left = disc (1 - a x / r), right = disc (1 + a x / r), neither below 0 nor above 2 disc, where r is the blur radius
and a the slope. The views of Canon and Pixel cameras are explained by slopes of .3 to 1.1 (docs/check-fidelity.md);
from 2 on they are nearly halves of a disc.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpanet.lenses.lens import KernelPairs
from dpanet.lenses.resizing import Array, check_scales, largest_scale, resize_pair

RADIUS = 15.0
"""Blur radius in px of scale 1."""

WIDTH = 33
"""Side in px of the kernels at scale 1."""

OVERSAMPLING = 8
"""Points a px, along each axis, of which a pixel is the mean."""


class RampedLens:
    """A disc under a ramp, the same in the whole field.

    Args:
        slope: a, above 0.
    """

    def __init__(self, slope: float) -> None:
        self.slope = slope
        self._pair = _draw_pair(slope)

    @property
    def name(self) -> str:
        return f"disc under a ramp of slope {self.slope:.2f}"

    @property
    def max_scale(self) -> float:
        return largest_scale(WIDTH)

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        check_scales(scales, self.max_scale)
        return resize_pair(self._pair, scales)


def _draw_pair(slope: float) -> Array:
    """Compute the kernel pair (2, WIDTH, WIDTH) at scale 1."""
    line = ((np.arange(WIDTH * OVERSAMPLING) + 0.5) / OVERSAMPLING - WIDTH / 2) / RADIUS
    disc = np.hypot(line[:, None], line) <= 1
    views = np.stack([disc * (1 - slope * line).clip(0, 2), disc * (1 + slope * line).clip(0, 2)])
    pair: Array = views.reshape(2, WIDTH, OVERSAMPLING, WIDTH, OVERSAMPLING).mean((2, 4))
    pair /= pair.sum((-1, -2), keepdims=True)
    return pair
