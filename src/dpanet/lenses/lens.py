"""A lens as a function of the place in the field and the blur scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SIZE = 97
"""Side K of the kernels of every lens, px."""

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
