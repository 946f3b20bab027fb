"""A lens measured in cells over its field, read from the folder of a calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError
from dpanet.lenses.calibration import GRIDS, check_kernels, read_kernels
from dpanet.lenses.lens import SIZE, KernelPairs
from dpanet.lenses.resizing import check_scales, largest_scale, resize_pair, width_with_light


class MeasuredGrid:
    """Kernel pairs measured in cells; between the centers of the cells they are interpolated bilinearly.

    Args:   left, right: (cells, K, K), K odd, the cells in rows from the top left. name: for messages.
    Raises: ConfigError for arrays of other shapes, cells that are no kernels, and a number of cells that is no known
            grid.
    """

    def __init__(
        self, left: NDArray[np.generic], right: NDArray[np.generic], name: str = "measured lens"
    ) -> None:
        if (
            left.ndim != 3
            or left.shape != right.shape
            or left.shape[1] != left.shape[2]
            or left.shape[1] % 2 == 0
            or left.shape[0] not in GRIDS
        ):
            raise ConfigError(
                f"the kernels of {name} have shapes {left.shape} and {right.shape}; two arrays of one shape "
                "(cells, K, K) are needed, with 48 cells (6 x 8 over the field) or 1, and K odd"
            )
        for side, kernels in (("left", left), ("right", right)):
            check_kernels(f"{name}, {side},", kernels)
        pairs = np.stack((left, right), axis=1).astype(np.float64)
        self.pairs: NDArray[np.float64] = pairs / pairs.sum((-1, -2), keepdims=True)
        """(cells, 2, K, K), each kernel summing to 1."""
        self.grid = GRIDS[len(pairs)]
        """Rows and columns."""
        self._name = name
        self._max_scale = largest_scale(width_with_light(self.pairs))

    @classmethod
    def read(cls, folder: Path) -> MeasuredGrid:
        """Read `blur_kernels_left.npy` and `blur_kernels_right.npy` of a folder (Xin et al., ICCV 2021).

        Raises: ConfigError if one is missing or is no array of kernels.
        """
        left, right = read_kernels(folder)
        return cls(left, right, str(folder))

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_scale(self) -> float:
        return self._max_scale

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        check_scales(scales, self.max_scale)
        kernels = np.zeros((len(scales), 2, SIZE, SIZE), np.float32)
        for cell, share in self._cells_around(y, x):
            kernels += np.float32(share) * resize_pair(self.pairs[cell], scales)
        return kernels

    def _cells_around(self, y: float, x: float) -> Iterator[tuple[int, float]]:
        """Yield the up to four cells whose centers are nearest, and their shares, which sum to 1."""
        axes = []
        for place, count in zip((y, x), self.grid, strict=True):
            at = min(max(place * count - 0.5, 0.0), count - 1.0)
            first = int(at)
            axes.append([(first, 1 - (at - first)), (first + 1, at - first)])
        for row, down in axes[0]:
            for column, across in axes[1]:
                if down * across > 0:
                    yield row * self.grid[1] + column, down * across
