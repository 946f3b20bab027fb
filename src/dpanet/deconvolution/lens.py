"""Lens models for deconvolution: the kernel pair at each cell of the field, for each blur scale."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels

KernelPairs = NDArray[np.float32]
"""(N, 2, K, K): left and right, centered, each summing to 1."""


class Lens(Protocol):
    """A lens whose field is divided into cells, each with kernels of its own."""

    @property
    def scales(self) -> tuple[float, ...]:
        """Signed blur scales to search, rising evenly, 0 among them."""
        ...

    @property
    def identity(self) -> str:
        """Text that is equal for two lenses only if their kernels are."""
        ...

    def cell_at(self, y: float, x: float) -> int:
        """Return the cell at a place of the field, (y, x) each 0..1 from its top left corner."""
        ...

    def kernel_pairs(self, cell: int, scales: Sequence[float]) -> KernelPairs:
        """Return the kernels of one cell at N signed scales: (N, 2, K, K)."""
        ...


class RampedDiscLens:
    """An ideal lens for pairs of an unknown camera: discs with a ramp, the same over the whole field.

    The blur scale is the signed radius in px. Softness and edge are the middle of what the simulator draws.
    """

    scales = tuple(float(radius) for radius in np.linspace(-18, 18, 37))
    identity = "half-disc"  # the former word, so that finished reports go on

    def cell_at(self, y: float, x: float) -> int:
        return 0

    def kernel_pairs(self, cell: int, scales: Sequence[float]) -> KernelPairs:
        return np.concatenate([_ramped_disc(scale) for scale in scales])


@lru_cache(maxsize=256)
def _ramped_disc(radius: float) -> KernelPairs:
    return np.asarray(ramped_disc([RampedDisc(radius, softness=0.8, edge=1.2)]).numpy(), np.float32)


class MeasuredLens:
    """A lens whose kernels were measured on a grid of cells that spans the picture.

    The blur scale is relative to the measured kernels; the grid is stretched over a picture of any size.

    Raises: ConfigError for a number of kernels that is no known grid.
    Source: calibration of Xin et al., ICCV 2021: 6 x 8 cells over the central 1344 x 1008 px, in rows.
    """

    def __init__(self, kernels: MeasuredKernels) -> None:
        if kernels.grid is None:
            raise ConfigError(
                f"the calibration holds {len(kernels)} kernel pairs; 48 (a grid of 6 x 8 over the picture) or 1 "
                "are expected, so give such a calibration"
            )
        self.kernels = kernels
        self.grid = kernels.grid
        self.scales = search_scales(kernels)
        self.identity = hashlib.sha256(kernels.pairs.numpy().tobytes()).hexdigest()

    def cell_at(self, y: float, x: float) -> int:
        rows, columns = self.grid
        row, column = (min(int(at * n), n - 1) for at, n in ((y, rows), (x, columns)))
        return row * columns + column

    def kernel_pairs(self, cell: int, scales: Sequence[float]) -> KernelPairs:
        pairs = np.asarray(self.kernels.at([cell] * len(scales), list(scales)).numpy(), np.float32)
        # In focus a point stays a point; shrunk further than it was sampled, a narrow kernel vanishes (0 / 0).
        sharp = (np.array(scales) == 0) | ~np.isfinite(pairs).all((1, 2, 3))
        pairs[sharp] = 0
        pairs[sharp, :, SIZE // 2, SIZE // 2] = 1
        return pairs


def search_scales(kernels: MeasuredKernels) -> tuple[float, ...]:
    """Return the 33 signed scales at which measured kernels are tried first, rising evenly.

    They reach to 1.6, as blurred as captures are, or to the largest scale that fits.
    """
    largest = min(1.6, kernels.max_scale)
    return tuple(float(scale) for scale in np.linspace(-largest, largest, 33))


def trim_kernel(kernel: NDArray[np.float32], share: float = 0.995) -> NDArray[np.float32]:
    """Cut a kernel (K, K) to the smallest centered odd square with that share of its sum; scale it to sum to 1."""
    center = kernel.shape[0] // 2
    squares = (
        kernel[center - radius : center + radius + 1, center - radius : center + radius + 1]
        for radius in range(center + 1)
    )
    square = next(square for square in squares if square.sum() >= share * kernel.sum())
    return np.asarray(square / square.sum(), np.float32)
