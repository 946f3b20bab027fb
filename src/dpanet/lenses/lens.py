"""A lens as a function of the place in the field and the blur scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SIZE = 97
"""Side K of the kernels of every lens, px."""

PLACES = (1 / 6, 1 / 2, 5 / 6)
"""Of a field, down and across, at which a mean over it is taken."""

KernelPairs = NDArray[np.float32]
"""(N, 2, K, K): left and right, centered, each summing to 1; +x right, +y down."""


class Lens(Protocol):
    """The images of a point of light in both views.

    A blur scale s is signed: 1 as calibrated, 0 in focus; a negative one turns both kernels by 180 degrees. The
    centroid common to both views is removed, since it is a shift of the picture and no blur.
    """

    @property
    def name(self) -> str:
        """Name for messages and tables."""
        ...

    @property
    def max_scale(self) -> float:
        """Largest |scale| at which the kernels fit into `SIZE`."""
        ...

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        """Compute the kernel pairs at one place of the field, at N signed scales.

        Args:    y, x: each 0..1 from the top left corner of the picture that the lens was calibrated on.
        Returns: (N, 2, SIZE, SIZE).
        Raises:  ConfigError for a scale beyond `max_scale`.
        """
        ...


LensChoice = Lens | Literal["find"]
"""A lens, or ``find`` for the one that explains each pair best."""


def blur_radius(lens: Lens) -> float:
    """Return the blur radius in px of scale 1, above 0 if the left view's kernel then lies on the left (-x) side.

    It is that of the even disc that spreads light as far as both kernels together, the mean over the field.
    """
    line = np.arange(SIZE) - SIZE // 2
    scale = min(1.0, lens.max_scale)
    radii, moved = [], 0.0
    for y in PLACES:
        for x in PLACES:
            pair = lens.kernels(y, x, [scale])[0].astype(np.float64)
            both = pair.mean(0)
            columns, rows = both.sum(0), both.sum(1)
            spread = columns @ line**2 - (columns @ line) ** 2 + rows @ line**2 - (rows @ line) ** 2
            radii.append(np.sqrt(2 * spread) / scale)
            moved += float((pair[1] - pair[0]).sum(0) @ line)
    return float(np.copysign(np.mean(radii), moved))
