"""Kernel pairs measured over the field of a real lens; conventions as in `kernels`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpanet.errors import ConfigError
from dpanet.lenses.calibration import GRIDS, check_kernels, kernel_files, read_kernels
from dpanet.lenses.pixel4 import Pixel4
from dpanet.simulation.kernels import SIZE


class MeasuredKernels:
    """Kernel pairs measured in cells over the field of a real lens, computed at any position and scale.

    The centroid common to both views is removed: it is a shift of the whole lens, and a network trained with it
    learns to move the picture.

    Args:   left, right: (cells, K, K), the cells in rows from the top left. grid: rows and columns of the cells; None
            for the known grid of that number of cells (`GRIDS`). names: of the two arrays in errors.
    Raises: ConfigError for arrays of other shapes, and cells that are no kernels.
    """

    def __init__(
        self,
        left: np.ndarray,
        right: np.ndarray,
        grid: tuple[int, int] | None = None,
        names: tuple[str, str] = ("left", "right"),
    ) -> None:
        if (
            left.ndim != 3
            or left.shape != right.shape
            or left.shape[1] != left.shape[2]
            or left.shape[1] % 2 == 0
        ):
            raise ConfigError(
                f"the measured kernels have shapes {left.shape} and {right.shape}; two arrays (cells, K, K) of one "
                "shape with K odd are needed"
            )
        for name, kernels in zip(names, (left, right), strict=True):
            check_kernels(name, np.asarray(kernels))
        pairs = np.stack((left, right), axis=1).astype(np.float64)
        pairs /= pairs.sum((-1, -2), keepdims=True)
        line = np.arange(pairs.shape[-1]) - pairs.shape[-1] // 2
        x = (pairs * line).sum((-1, -2)).mean(1)
        y = (pairs * line[:, None]).sum((-1, -2)).mean(1)
        self.names = names
        lit = pairs.max((0, 1)) > 0
        self.width = int(2 * np.abs(line)[lit.any(0) | lit.any(1)].max() + 1)
        """Side in px of the square with all the light, at scale 1; dark borders of the arrays do not count."""
        self.pairs = torch.from_numpy(pairs.astype(np.float32))
        """(cells, 2, K, K), each kernel summing to 1."""
        self.centroid = torch.from_numpy(np.stack((x, y), axis=1).astype(np.float32))
        """(cells, 2): x and y in px of the centroid common to both views, at scale 1."""
        spread = (pairs * (line**2 + line[:, None] ** 2)).sum((-1, -2)).mean(1) - x**2 - y**2
        self.radius = float(np.sqrt(2 * spread).mean())
        """Radius in px of the even disc that spreads light as far as both kernels together, at scale 1."""
        self.grid = GRIDS.get(len(pairs)) if grid is None else grid
        """Rows and columns, or None if the number of cells is that of no known grid."""
        if self.grid is not None and self.grid[0] * self.grid[1] != len(pairs):
            raise ConfigError(
                f"a grid of {self.grid[0]} x {self.grid[1]} cells was asked for, but {len(pairs)} kernel pairs came; "
                "give the grid they were measured on"
            )

    @classmethod
    def read(cls, folder: Path) -> MeasuredKernels:
        """Read `blur_kernels_left.npy` and `blur_kernels_right.npy` of a folder (Xin et al., ICCV 2021).

        Raises: ConfigError if one is missing or is no array of kernels.
        """
        left, right = read_kernels(folder)
        first, second = kernel_files(folder)
        return cls(left, right, names=(str(first), str(second)))

    @classmethod
    def of_pixel4(cls) -> MeasuredKernels:
        """Compute the kernels of the Pixel 4 in the cells of its calibration, from the numbers fitted to it."""
        rows, columns = GRIDS[48]
        lens = Pixel4()
        pairs = np.stack(
            [
                lens.calibrated_pair((row + 0.5) / rows, (column + 0.5) / columns)
                for row in range(rows)
                for column in range(columns)
            ]
        )
        return cls(pairs[:, 0], pairs[:, 1], (rows, columns), ("pixel4, left", "pixel4, right"))

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def max_scale(self) -> float:
        """Largest |scale| at which the kernels fit into `SIZE`, but for half a pixel on each side."""
        return (SIZE + 1) / self.width

    def at(self, cells: list[int], scales: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Compute the kernel pairs of cells at signed scales.

        k_s(p) = k(p / s) / s**2, each measured value an even square of |s| px, summed over each pixel: exact at
        scale 1, and one pixel in focus; s < 0 turns by 180 degrees. Light that half a pixel or the removal of the
        common shift moves out of `SIZE` is cut off, and the rest sums to 1.

        Args:    cells, scales: N each.
        Returns: (N, 2, SIZE, SIZE), left and right.
        Raises:  ConfigError for a scale beyond `max_scale`.
        """
        largest = max((abs(scale) for scale in scales), default=0.0)
        if largest > self.max_scale * (1 + 1e-6):
            raise ConfigError(
                f"the blur scale is {largest:g}, but of measured kernels of {self.width} px no more than "
                f"{self.max_scale:.3f} fits into {SIZE} px; choose less"
            )
        device = torch.device(device)
        pairs = self.pairs[cells].to(device)
        x, y = self.centroid[cells].to(device).unbind(1)
        scale = torch.tensor(scales, dtype=torch.float32, device=device)
        across, down = (_overlap(center, scale, pairs.shape[-1]) for center in (x, y))
        kernels = down[:, None] @ pairs @ across[:, None].mT
        return kernels / kernels.sum((-1, -2), keepdim=True)

    def cell_weights(self, places: Sequence[tuple[float, float]] | Tensor) -> Tensor:
        """Compute the weight of each cell at each position of the field.

        Bilinear between the centers of the four nearest cells, constant outside of the outermost centers.

        Args:    places: N positions (y, x), 0..1 from the top left corner of the field.
        Returns: (N, cells), each row summing to 1.
        Raises:  ConfigError if the grid of the cells is not known.
        """
        if self.grid is None:
            raise ConfigError(
                f"the calibration holds {len(self)} kernel pairs; 48 (a grid of 6 x 8 over the field) or 1 are "
                "expected where kernels between cells are wanted, so give such a calibration"
            )
        where = torch.as_tensor(places, dtype=torch.float32).cpu()
        weights = []
        for axis, count in enumerate(self.grid):
            place = where[:, axis] * count - 0.5
            distance = place.clamp(0, count - 1)[:, None] - torch.arange(count)
            weights.append((1 - distance.abs()).clamp(min=0))
        return (weights[0][:, :, None] * weights[1][:, None, :]).flatten(1)

    def interpolate(
        self,
        places: Sequence[tuple[float, float]],
        scales: Sequence[float],
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """Interpolate kernel pairs between cells.

        Args:    places: N positions, as in `cell_weights`. scales: N signed scales, as in `at`.
        Returns: (N, 2, SIZE, SIZE), left and right.
        """
        kernels = []
        for shares, scale in zip(self.cell_weights(places), scales, strict=True):
            cells = [int(cell) for cell in shares.nonzero()[:, 0]]
            near = self.at(cells, [scale] * len(cells), device)
            kernels.append(torch.tensordot(shares[cells].to(near.device), near, dims=1))
        return torch.stack(kernels)


def _overlap(center: Tensor, scale: Tensor, count: int) -> Tensor:
    """Compute how much of each measured value falls into each pixel along one axis.

    Args:    center: (N,), px of the values, is moved to 0. scale: (N,), signed px for each value. count: of values.
    Returns: (N, SIZE, count), 0..1.
    """
    width = scale.abs().clamp(min=1e-4)[:, None, None]
    values = scale[:, None, None] * (
        torch.arange(count, device=scale.device) - count // 2 - center[:, None, None]
    )
    pixels = torch.arange(SIZE, device=scale.device)[:, None] - SIZE // 2
    top = torch.minimum(pixels + 0.5, values + width / 2)
    bottom = torch.maximum(pixels - 0.5, values - width / 2)
    return (top - bottom).clamp(min=0) / width
