"""Fits simulated blur to a real capture: its truth, blurred by each kernel family, against its views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import (
    ButterworthFamily,
    GaussianFamily,
    HalvedDiscFamily,
    KernelFamily,
    MeasuredFamily,
    NoBlur,
    RampedDiscFamily,
)
from dpanet.deconvolution.blur_fit import HALO, BlurFit, Window, fit_blur, fit_blur_coarsely
from dpanet.errors import ConfigError
from dpanet.fidelity.exposure import linear_planes
from dpanet.fidelity.free_kernels import SIDE, FreeKernels, find_free_kernels
from dpanet.fidelity.refine_registration import Matrix, refine_warp, warp_truth
from dpanet.pair import Pixels
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.measured_kernels import MeasuredKernels

Progress = Callable[[int, int], None]
"""Called with the number of fits that are done, and of all."""

MIN_CONTRAST = 0.01
"""Standard deviation of a cell's views, white = 1, below which its best scale means nothing."""

CLIPPED = 0.97
"""Value from which a pixel may be clipped, white = 1: there the views are not the blurred truth."""

MAX_CLIPPED = 0.02
"""Share of such pixels above which a cell's best scale means nothing."""

FIRST_MAX_SHIFT = 8.0
"""Largest shift of a cell in px before the registration is refined; afterwards the default of `fit_blur`."""


@dataclass(frozen=True)
class CellGrid:
    """The cells of a picture in which one blur scale each is fitted."""

    cell: int = 168
    """Side of a cell, px, even."""

    border: int = 48
    """Pixels at the picture's border that are left out, even: what blurs into them lies outside of the truth."""

    every: int = 1
    """Every how many cells one is taken, counted in rows from the top left."""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ConfigError(f"every is {self.every}; it must be 1 or more")
        if self.cell % 2 or self.border % 2 or not 0 <= self.border < self.cell or self.cell < 16:
            raise ConfigError(
                f"the grid has cells of {self.cell} px and a border of {self.border} px; both must be even, "
                "the cells at least 16 px and larger than the border"
            )

    def count_cells(self, height: int, width: int) -> int:
        """Return how many cells of a picture of this size, in px, are taken."""
        return len(range(0, (height // self.cell) * (width // self.cell), self.every))


@dataclass(frozen=True)
class CellFidelity:
    """The best fit of each kernel family in one cell."""

    row: int
    """Row of the cell, from 0 at the top."""

    column: int
    """Column of the cell, from 0 at the left."""

    contrast: float
    """Standard deviation of the views in the cell, white = 1."""

    fits: dict[str, BlurFit]
    """By the family's name."""

    clipped: float = 0.0
    """Share of pixels, of the truth or the views, that may be clipped."""

    @property
    def has_texture(self) -> bool:
        """Whether the fitted scales mean anything."""
        return self.contrast >= MIN_CONTRAST and self.clipped <= MAX_CLIPPED


@dataclass(frozen=True)
class SceneFidelity:
    """The fits of all cells of a scene."""

    name: str
    """The scene's name."""

    warp: Matrix
    """(2, 3), takes (x, y, 1) of the views to (x, y) of the truth, px."""

    cells: tuple[CellFidelity, ...]
    """In rows from the top left."""

    free: tuple[FreeKernels, ...] = ()
    """Free kernels of the cells in which the last family explains most of the blur."""


def kernel_families(kernels: MeasuredKernels | None = None) -> tuple[KernelFamily, ...]:
    """Return the families to compare: without blur, ideal lenses, and last the calibrated lens if there is one."""
    ideal = (NoBlur(), GaussianFamily(), HalvedDiscFamily(), ButterworthFamily(), RampedDiscFamily())
    return ideal if kernels is None else (*ideal, MeasuredFamily(kernels))


def check_scene(
    capture: Capture,
    families: Sequence[KernelFamily],
    grid: CellGrid | None = None,
    free_kernels: int = 0,
    progress: Progress | None = None,
) -> SceneFidelity:
    """Fit each kernel family in each cell of a capture.

    The truth is registered to the mean of the views by one affine map (`affine`), which is corrected once by the
    shifts that the last family needs in each cell. Then each family explains each cell by the scale and shape that
    leave the smallest mean squared difference of both views; a shift of the truth, common to both views, and a
    gain for each view are fitted too (`fit_blur`).

    Args:
        capture: results are relative to its white. sRGB values are taken to linear light. If its colors are to be
            matched, the truth is brought to them, and each view of a cell has a constant beside its gain.
        families: the last one refines the registration.
        grid: the default `CellGrid` if None.
        free_kernels: of how many cells free kernels are found too.
        progress: called with (fits done, all fits); those of the registration count too.
    Raises: ConfigError for a capture smaller than a cell.
    """
    grid = grid or CellGrid()
    height, width = capture.truth.pixels.shape[:2]
    if min(height, width) < grid.cell:
        raise ConfigError(
            f"scene {capture.name} is {width} x {height} px, smaller than a cell of {grid.cell} px; "
            "choose smaller cells"
        )
    counter = _Counter(grid.count_cells(height, width) * (1 + len(families)), progress)
    truth, views, warp = linear_planes(capture)
    with torch.no_grad():
        offsets = capture.match_color
        warp = _register(truth, views, warp, families[-1], grid, offsets, counter)
        windows = {
            (row, column): window for row, column, window in _cut_windows(truth, views, warp, grid, offsets)
        }
        cells = tuple(
            CellFidelity(
                row,
                column,
                float(window.views.std()),
                {family.name: counter.after(fit_blur(window, family)) for family in families},
                _clipped_share(window),
            )
            for (row, column), window in windows.items()
        )
        free = _find_free_kernels(capture.name, cells, windows, families, free_kernels)
    return SceneFidelity(capture.name, warp, cells, free)


class _Counter:
    """Counts fits and reports them.

    Args: total: of all fits. progress: as of `check_scene`.
    """

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._report()

    def after(self, fit: BlurFit) -> BlurFit:
        """Return a fit, and count it."""
        self.count()
        return fit

    def count(self) -> None:
        """Count one fit."""
        self._done += 1
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total)


def _clipped_share(window: Window) -> float:
    """Return the share of pixels that may be clipped, of the truth or of the views, whichever is more."""
    return max(float((plane >= CLIPPED).float().mean()) for plane in (window.truth, window.views))


def _find_free_kernels(
    scene: str,
    cells: Sequence[CellFidelity],
    windows: Mapping[tuple[int, int], Window],
    families: Sequence[KernelFamily],
    count: int,
) -> tuple[FreeKernels, ...]:
    """Find the free kernels of the `count` cells with texture in which the last family explains most of the blur."""
    family = families[-1]

    def unexplained(cell: CellFidelity) -> float:
        return cell.fits[family.name].error / max(fit.error for fit in cell.fits.values())

    found = []
    for cell in sorted((cell for cell in cells if cell.has_texture), key=unexplained)[:count]:
        window, fit = windows[cell.row, cell.column], cell.fits[family.name]
        kernels, error = find_free_kernels(window, fit)
        cut = slice(SIZE // 2 - SIDE // 2, SIZE // 2 + SIDE // 2 + 1)
        fitted = family.kernels(window.center, [fit.scale], fit.shape)[0, :, cut, cut]
        found.append(FreeKernels(f"{scene}, row {cell.row}, column {cell.column}", kernels, fitted, error))
    return tuple(found)


def _register(
    truth: Pixels,
    views: Pixels,
    warp: Matrix,
    family: KernelFamily,
    grid: CellGrid,
    offsets: bool,
    counter: _Counter,
) -> Matrix:
    """Refine the affine map from views to truth by the cells with texture."""
    height, width = truth.shape
    centers, shifts, informations = [], [], []
    for _, _, window in _cut_windows(truth, views, warp, grid, offsets):
        if float(window.views.std()) >= MIN_CONTRAST and _clipped_share(window) <= MAX_CLIPPED:
            fit = fit_blur_coarsely(window, family, FIRST_MAX_SHIFT)
            y, x = window.center
            centers.append((x * width, y * height))
            shifts.append((float(fit.shift[0]), float(fit.shift[1])))
            informations.append(fit.information.numpy().astype(np.float64))
        counter.count()
    return refine_warp(warp, centers, shifts, informations)


def _cut_windows(
    truth: Pixels, views: Pixels, warp: Matrix, grid: CellGrid, offsets: bool
) -> Iterator[tuple[int, int, Window]]:
    """Yield row, column and window of each whole cell of the grid, without the picture's border."""
    warped = torch.from_numpy(warp_truth(truth, warp, HALO))
    both = torch.from_numpy(views)
    height, width = truth.shape
    for row in range(height // grid.cell):
        top, bottom = _inner_span(row, height, grid)
        for column in range(width // grid.cell):
            if (row * (width // grid.cell) + column) % grid.every:
                continue
            first, end = _inner_span(column, width, grid)
            window = Window(
                warped[top : bottom + 2 * HALO, first : end + 2 * HALO],
                both[:, top:bottom, first:end],
                (torch.arange(top, bottom) + 0.5) / height,
                (torch.arange(first, end) + 0.5) / width,
                offsets,
            )
            yield row, column, window


def _inner_span(index: int, length: int, grid: CellGrid) -> tuple[int, int]:
    """Return first and end of a cell along a side of `length` px, without the picture's border."""
    return max(index * grid.cell, grid.border), min((index + 1) * grid.cell, length - grid.border)
