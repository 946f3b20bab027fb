"""The kernels that a classical method assumes: at each place of the field, at each blur scale."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE, HalfDisc, MeasuredKernels, half_disc

KernelPairs = NDArray[np.float32]
"""(N, 2, K, K): left and right, centred, each summing to 1."""


class Lens(Protocol):
    """Where the field is at (y, x), each 0..1 from its top left corner, `at` knows what a point becomes."""

    @property
    def scales(self) -> tuple[float, ...]:
        """Every blur scale worth a try, rising, 0 among them."""
        ...

    @property
    def identity(self) -> str: ...

    def cell(self, y: float, x: float) -> int:
        """The part of the field with kernels of its own that holds a place."""
        ...

    def at(self, cell: int, scales: Sequence[float]) -> KernelPairs: ...


class HalfDiscLens:
    """An ideal lens, the same all over the field; its blur scale is the signed radius in px.

    For pairs of an unknown camera. Softness and edge are the middle of what the simulator draws.
    """

    scales = tuple(float(radius) for radius in np.linspace(-18, 18, 37))
    identity = "half-disc"

    def cell(self, y: float, x: float) -> int:
        return 0

    def at(self, cell: int, scales: Sequence[float]) -> KernelPairs:
        return np.concatenate([_half_disc(scale) for scale in scales])


@lru_cache(maxsize=256)
def _half_disc(radius: float) -> KernelPairs:
    return np.asarray(half_disc([HalfDisc(radius, softness=0.8, edge=1.2)]).numpy(), np.float32)


class MeasuredLens:
    """A lens whose kernels were measured on a grid that spans the picture.

    Source: calibration of Xin et al., ICCV 2021: 6 x 8 cells over the central 1344 x 1008 px, in rows. A picture
    of another size has the grid stretched over it.
    Raises: ConfigError for a number of kernels that makes no known grid.
    """

    def __init__(self, kernels: MeasuredKernels) -> None:
        if kernels.grid is None:
            raise ConfigError(
                f"the calibration holds {len(kernels)} kernel pairs; 48 (a grid of 6 x 8 over the picture) or 1 "
                "are expected, so give such a calibration"
            )
        self.kernels = kernels
        self.grid = kernels.grid
        self.scales = scales_of(kernels)
        self.identity = hashlib.sha256(kernels.pairs.numpy().tobytes()).hexdigest()

    def cell(self, y: float, x: float) -> int:
        rows, columns = self.grid
        row, column = (min(int(at * n), n - 1) for at, n in ((y, rows), (x, columns)))
        return row * columns + column

    def at(self, cell: int, scales: Sequence[float]) -> KernelPairs:
        pairs = np.asarray(self.kernels.at([cell] * len(scales), list(scales)).numpy(), np.float32)
        # In focus a point stays a point; shrunk further than it was sampled, a narrow kernel vanishes (0 / 0).
        sharp = (np.array(scales) == 0) | ~np.isfinite(pairs).all((1, 2, 3))
        pairs[sharp] = 0
        pairs[sharp, :, SIZE // 2, SIZE // 2] = 1
        return pairs


def scales_of(kernels: MeasuredKernels) -> tuple[float, ...]:
    """Blur scales to try, rising evenly: up to 1.6, as blurred as captures are, if such kernels fit."""
    most = min(1.6, kernels.max_scale)
    return tuple(float(scale) for scale in np.linspace(-most, most, 33))


def trimmed(kernel: NDArray[np.float32], kept: float = 0.995) -> NDArray[np.float32]:
    """The smallest centred, odd square that holds the share `kept` of a kernel (K, K), summing to 1 again."""
    centre = kernel.shape[0] // 2
    radius = next(
        r
        for r in range(centre + 1)
        if kernel[centre - r : centre + r + 1, centre - r : centre + r + 1].sum() >= kept * kernel.sum()
    )
    part = kernel[centre - radius : centre + radius + 1, centre - radius : centre + radius + 1]
    return np.asarray(part / part.sum(), np.float32)
