"""Fits simulated blur to a real capture: its truth, blurred by each kernel family, against its views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import (
    ButterworthFamily,
    KernelFamily,
    MeasuredFamily,
    NoBlur,
    RampedDiscFamily,
)
from dpanet.deconvolution.blur_fit import HALO, BlurFit, Window, fit_blur, fit_blur_coarsely
from dpanet.errors import ConfigError
from dpanet.evaluation.registration import find_affine
from dpanet.fidelity.refine_registration import Matrix, refine_warp, warp_truth
from dpanet.pair import Pixels
from dpanet.simulation.measured_kernels import MeasuredKernels

MIN_CONTRAST = 0.01
"""Standard deviation of a cell's views, white = 1, below which its best scale means nothing."""

FIRST_MAX_SHIFT = 8.0
"""Largest shift of a cell in px before the registration is refined; afterwards the default of `fit_blur`."""


@dataclass(frozen=True)
class CellGrid:
    """The cells of a picture in which one blur scale each is fitted."""

    cell: int = 168
    """Side of a cell, px, even."""

    border: int = 48
    """Pixels at the picture's border that are left out, even: what blurs into them lies outside of the truth."""

    def __post_init__(self) -> None:
        if self.cell % 2 or self.border % 2 or not 0 <= self.border < self.cell or self.cell < 16:
            raise ConfigError(
                f"the grid has cells of {self.cell} px and a border of {self.border} px; both must be even, "
                "the cells at least 16 px and larger than the border"
            )


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

    @property
    def has_texture(self) -> bool:
        """Whether the fitted scales mean anything."""
        return self.contrast >= MIN_CONTRAST


@dataclass(frozen=True)
class SceneFidelity:
    """The fits of all cells of a scene."""

    name: str
    """The scene's name."""

    warp: Matrix
    """(2, 3), takes (x, y, 1) of the views to (x, y) of the truth, px."""

    cells: tuple[CellFidelity, ...]
    """In rows from the top left."""


def kernel_families(kernels: MeasuredKernels) -> tuple[KernelFamily, ...]:
    """Return the families to compare: no blur, half disc, Butterworth, and last the calibrated lens."""
    return (NoBlur(), RampedDiscFamily(), ButterworthFamily(), MeasuredFamily(kernels))


def check_scene(
    capture: Capture, families: Sequence[KernelFamily], grid: CellGrid | None = None
) -> SceneFidelity:
    """Fit each kernel family in each cell of a capture.

    The truth is registered to the mean of the views by one affine map (`affine`), which is corrected once by the
    shifts that the last family needs in each cell. Then each family explains each cell by the scale and shape that
    leave the smallest mean squared difference of both views; a shift of the truth, common to both views, and a
    gain for each view are fitted too (`fit_blur`).

    Args:
        capture: linear; results are relative to its white.
        families: the last one refines the registration.
        grid: the default `CellGrid` if None.
    Raises: ConfigError for a capture that is not linear or is smaller than a cell.
    """
    grid = grid or CellGrid()
    if capture.pair.encoding != "linear":
        raise ConfigError(
            f"scene {capture.name} is encoded as {capture.pair.encoding}; blur adds up in linear light only, "
            "so give a raw capture"
        )
    truth, left, right = (
        np.asarray(pixels.mean(axis=2) / capture.white, np.float32)
        for pixels in (capture.truth.pixels, capture.pair.left, capture.pair.right)
    )
    height, width = truth.shape
    if min(height, width) < grid.cell:
        raise ConfigError(
            f"scene {capture.name} is {width} x {height} px, smaller than a cell of {grid.cell} px; "
            "choose smaller cells"
        )
    views = np.stack((left, right))
    with torch.no_grad():
        warp = _register(truth, views, families[-1], grid)
        cells = tuple(
            CellFidelity(
                row,
                column,
                float(window.views.std()),
                {family.name: fit_blur(window, family) for family in families},
            )
            for row, column, window in _cut_windows(truth, views, warp, grid)
        )
    return SceneFidelity(capture.name, warp, cells)


def _register(truth: Pixels, views: Pixels, family: KernelFamily, grid: CellGrid) -> Matrix:
    """Find the affine map from views to truth: by the whole picture, then by the cells with texture."""
    mean = np.asarray((views[0] + views[1]) / 2, np.float32)
    first = find_affine(_repeat_channels(truth), _repeat_channels(mean))
    warp: Matrix = np.eye(2, 3) if first is None else first.astype(np.float64)
    height, width = truth.shape
    centers, shifts, informations = [], [], []
    for _, _, window in _cut_windows(truth, views, warp, grid):
        if float(window.views.std()) >= MIN_CONTRAST:
            fit = fit_blur_coarsely(window, family, FIRST_MAX_SHIFT)
            y, x = window.center
            centers.append((x * width, y * height))
            shifts.append((float(fit.shift[0]), float(fit.shift[1])))
            informations.append(fit.information.numpy().astype(np.float64))
    return refine_warp(warp, centers, shifts, informations)


def _repeat_channels(gray: Pixels) -> Pixels:
    return np.repeat(gray[..., None], 3, axis=2)


def _cut_windows(
    truth: Pixels, views: Pixels, warp: Matrix, grid: CellGrid
) -> Iterator[tuple[int, int, Window]]:
    """Yield row, column and window of each whole cell, without the picture's border."""
    warped = torch.from_numpy(warp_truth(truth, warp, HALO))
    both = torch.from_numpy(views)
    height, width = truth.shape
    for row in range(height // grid.cell):
        top, bottom = _inner_span(row, height, grid)
        for column in range(width // grid.cell):
            first, end = _inner_span(column, width, grid)
            window = Window(
                warped[top : bottom + 2 * HALO, first : end + 2 * HALO],
                both[:, top:bottom, first:end],
                (torch.arange(top, bottom) + 0.5) / height,
                (torch.arange(first, end) + 0.5) / width,
            )
            yield row, column, window


def _inner_span(index: int, length: int, grid: CellGrid) -> tuple[int, int]:
    """Return first and end of a cell along a side of `length` px, without the picture's border."""
    return max(index * grid.cell, grid.border), min((index + 1) * grid.cell, length - grid.border)
