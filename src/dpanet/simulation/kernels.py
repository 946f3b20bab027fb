"""What a point of light becomes in each view: kernel pairs for a lens whose sensor sees through both halves.

Conventions: a kernel is K x K, K odd, centered, sums to 1; +x right, +y down. A pair is (left, right).
A negative blur scale (the other side of the focal plane) turns both kernels by 180 degrees, which for
mirrored halves swaps the views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.errors import ConfigError

SIZE = 97
"""Side of every kernel here, px: holds the measured kernels (61 px) at a scale of 1.6."""

OVERSAMPLING = 2
"""Points a pixel and axis at which a kernel is evaluated; their mean is the pixel's value."""


def kernel_points(device: torch.device) -> tuple[Tensor, Tensor]:
    """Coordinates (y, x) in px of the oversampled kernel grid, each (SIZE*OVERSAMPLING,) squared."""
    count = SIZE * OVERSAMPLING
    line = (torch.arange(count, device=device) - (count - 1) / 2) / OVERSAMPLING
    y, x = torch.meshgrid(line, line, indexing="ij")
    return y, x


def to_pixels(fine: Tensor) -> Tensor:
    """(N, count, count) -> (N, SIZE, SIZE), each summing to 1."""
    kernel = F.avg_pool2d(fine[:, None], OVERSAMPLING)[:, 0]
    return kernel / kernel.sum((-1, -2), keepdim=True)


@dataclass(frozen=True)
class HalfDisc:
    """A disc of confusion of which each view sees one half, softly divided.

    radius: px, signed; positive: the left view's kernel lies on the left (-x) side.
    softness: of the ramp across x in units of the radius; near 0 a hard cut, above 1 both views
    see much of the whole. rim: brightness of the rim against the center minus 1. edge: px over which
    the disc's border fades. squeeze: height of the aperture against its width.
    clip: (x, y) by which the barrel's stop, as wide as the aperture, is seen beside it, in units of the signed
    radius: off the axis of a lens, the disc becomes the overlap of both, and each view loses another part.
    """

    radius: float
    softness: float = 0.6
    rim: float = 0.0
    edge: float = 0.8
    squeeze: float = 1.0
    clip: tuple[float, float] = (0.0, 0.0)

    @property
    def reach(self) -> float:
        """Pixels from the middle to where the last light falls, along the longer axis."""
        return (abs(self.radius) + self.edge / 2) * max(1.0, self.squeeze)


def half_disc(lenses: list[HalfDisc], device: torch.device | str = "cpu") -> Tensor:
    """Kernel pairs (N, 2, SIZE, SIZE); the right is the left mirrored in x, of a lens whose `clip` is mirrored.

    Raises: ConfigError if a disc does not fit into SIZE px.
    """
    device = torch.device(device)
    fine = _half_discs(lenses, device)
    # Of a disc within a pixel `clip` may leave a view no point of the grid: it is too small for its clip to be seen.
    dark = (fine.sum((-1, -2)) == 0).any(1).nonzero()[:, 0].tolist()
    if dark:
        fine[dark] = _half_discs([replace(lenses[i], clip=(0.0, 0.0)) for i in dark], device)
    return to_pixels(fine.flatten(0, 1)).reshape(-1, 2, SIZE, SIZE)


def view_brightness(lenses: list[HalfDisc], device: torch.device | str = "cpu") -> Tensor:
    """(N, 2): the light that reaches each view, as a share of what it gets without `clip`."""
    clipped, whole = (
        _half_discs(some, torch.device(device)).sum((-1, -2))
        for some in (lenses, [replace(lens, clip=(0.0, 0.0)) for lens in lenses])
    )
    return clipped / whole


def _half_discs(lenses: list[HalfDisc], device: torch.device) -> Tensor:
    """(N, 2, count, count) on the fine grid: of every aperture, the light that left and right see."""
    y, x = kernel_points(device)
    pairs = []
    for lens in lenses:
        if lens.reach > SIZE / 2:
            most = SIZE / 2 / max(1.0, lens.squeeze) - lens.edge / 2
            raise ConfigError(
                f"the blur radius is {lens.radius} px; at most {most:.1f} px fit, so choose less"
            )
        # In focus a point stays one pixel: below a pixel or so the border cannot fade, and nothing is divided.
        radius = max(abs(lens.radius), 0.45)
        edge = min(lens.edge, max(2 * abs(lens.radius) - 0.85, 0.02))
        distance = torch.sqrt(x**2 + (y / lens.squeeze) ** 2)
        disc = ((radius - distance) / edge + 0.5).clamp(0, 1)
        disc = disc * (1 + lens.rim * (distance / radius).clamp(max=1) ** 2)
        divided = min(abs(lens.radius) / 0.5, 1.0)
        if any(lens.clip):
            beside_x, beside_y = (lens.radius * divided * shift for shift in lens.clip)
            stop = torch.sqrt((x - beside_x) ** 2 + ((y - beside_y) / lens.squeeze) ** 2)
            disc = disc * ((radius - stop) / edge + 0.5).clamp(0, 1)
        towards = -x if lens.radius >= 0 else x
        slope = 0.5 * divided * towards / (lens.softness * radius)
        pairs.append(torch.stack((disc * (0.5 + slope).clamp(0, 1), disc * (0.5 - slope).clamp(0, 1))))
    return torch.stack(pairs)


GRIDS = {1: (1, 1), 48: (6, 8)}
"""Rows and columns in which kernels were measured, by their number."""


class MeasuredKernels:
    """Kernel pairs measured over the field of a real lens, at any place and any scale.

    Built from two arrays (cells, K, K), left and right, the cells in rows from the top left. The centroid common
    to both views is removed: it is a shift of the whole lens, and a network trained with it learns to move the
    picture.
    Args:   grid: rows and columns of the cells; by their number (`GRIDS`), unless given. names: what errors call the
            two arrays.
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
            _check_light(name, np.asarray(kernels))
        pairs = np.stack((left, right), axis=1).astype(np.float64)
        pairs /= pairs.sum((-1, -2), keepdims=True)
        line = np.arange(pairs.shape[-1]) - pairs.shape[-1] // 2
        x = (pairs * line).sum((-1, -2)).mean(1)
        y = (pairs * line[:, None]).sum((-1, -2)).mean(1)
        self.names = names
        lit = pairs.max((0, 1)) > 0
        self.width = int(2 * np.abs(line)[lit.any(0) | lit.any(1)].max() + 1)
        """Pixels a side that hold all light, at scale 1: what measured files are padded with does not count."""
        self.pairs = torch.from_numpy(pairs.astype(np.float32))
        self.centroid = torch.from_numpy(np.stack((x, y), axis=1).astype(np.float32))
        """(cells, 2): x and y in px of the centroid common to both views, at scale 1."""
        spread = (pairs * (line**2 + line[:, None] ** 2)).sum((-1, -2)).mean(1) - x**2 - y**2
        self.radius = float(np.sqrt(2 * spread).mean())
        """Pixels; of the even disc that spreads light as far as both views' kernels together, at scale 1."""
        self.grid = GRIDS.get(len(pairs)) if grid is None else grid
        """Rows and columns, or None for a number of cells that makes no known grid."""
        if self.grid is not None and self.grid[0] * self.grid[1] != len(pairs):
            raise ConfigError(
                f"a grid of {self.grid[0]} x {self.grid[1]} cells was asked for, but {len(pairs)} kernel pairs came; "
                "give the grid they were measured on"
            )

    @classmethod
    def read(cls, folder: Path) -> MeasuredKernels:
        """From `blur_kernels_left.npy` and `blur_kernels_right.npy` (Xin et al., ICCV 2021)."""
        files = folder / "blur_kernels_left.npy", folder / "blur_kernels_right.npy"
        try:
            left, right = (np.load(file, allow_pickle=False) for file in files)
        except FileNotFoundError as error:
            raise ConfigError(
                f"{error.filename} is missing; name a folder with blur_kernels_left.npy and blur_kernels_right.npy"
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{folder} holds no readable blur_kernels_left.npy and blur_kernels_right.npy ({error}); "
                "name the folder of a calibration"
            ) from error
        return cls(left, right, names=(str(files[0]), str(files[1])))

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def max_scale(self) -> float:
        """The largest |scale| whose kernels fit into `SIZE`, but for half a pixel on each side."""
        return (SIZE + 1) / self.width

    def at(self, cells: list[int], scales: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Kernel pairs (N, 2, SIZE, SIZE) of grid `cells` at signed `scales`; both lists of N.

        k_s(p) = k(p / s) / s**2, each measured value an even square of |s| px, summed over each pixel: exact at
        scale 1, and one pixel in focus; s < 0 turns by 180 degrees. What half a pixel, or the removal of the common
        shift, puts outside of `SIZE` is left out, and the rest sums to 1.
        Raises: ConfigError for a scale beyond `max_scale`.
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
        """How much of each cell's kernels applies at each place: (N, cells), each row summing to 1.

        Args:   places: N of (y, x) in the field, 0..1 from its top left corner.
        Bilinear between the centers of the four nearest cells; outside of the outermost centers nothing changes.
        Raises: ConfigError if the grid of the cells is not known.
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
        """Kernel pairs (N, 2, SIZE, SIZE) at places of the field (see `shares`) and signed `scales`; both N long."""
        kernels = []
        for shares, scale in zip(self.cell_weights(places), scales, strict=True):
            cells = [int(cell) for cell in shares.nonzero()[:, 0]]
            near = self.at(cells, [scale] * len(cells), device)
            kernels.append(torch.tensordot(shares[cells].to(near.device), near, dims=1))
        return torch.stack(kernels)


def _check_light(name: str, kernels: np.ndarray) -> None:
    """Raises: ConfigError naming the first cell that is no picture of a point of light."""
    if kernels.dtype.kind not in "fiu":
        raise ConfigError(
            f"{name} holds {kernels.dtype} where numbers are needed; save the kernels as float32"
        )
    within = (-1, -2)
    for wrong, found in (
        (~np.isfinite(kernels).all(within), "a value that is not finite"),
        ((kernels < 0).any(within), "a negative value"),
        (~(kernels > 0).any(within), "no light at all"),
    ):
        if wrong.any():
            raise ConfigError(
                f"{name} has {found} in cell {int(wrong.argmax())}, counted from 0; a kernel is finite, nowhere "
                "negative and above zero somewhere, so mend or measure it again"
            )


def _overlap(center: Tensor, scale: Tensor, count: int) -> Tensor:
    """The share (N, SIZE, count) of each of `count` measured values, `center` at 0 and scaled, in each pixel."""
    width = scale.abs().clamp(min=1e-4)[:, None, None]
    values = scale[:, None, None] * (
        torch.arange(count, device=scale.device) - count // 2 - center[:, None, None]
    )
    pixels = torch.arange(SIZE, device=scale.device)[:, None] - SIZE // 2
    top = torch.minimum(pixels + 0.5, values + width / 2)
    bottom = torch.maximum(pixels - 0.5, values - width / 2)
    return (top - bottom).clamp(min=0) / width
