"""How well simulated blur explains real captures: their truth, blurred, against their views."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import Family, HalfDiscs, Measured, Point, Rings
from dpanet.deconvolution.blur_fit import HALO, Fit, Window, fine_fit, rough_fit
from dpanet.errors import ConfigError
from dpanet.evaluation.registration import affine
from dpanet.fidelity.refine_registration import Matrix, laid_under, refined
from dpanet.files.output import atomic_output
from dpanet.pair import Pixels
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.version import __version__

FIDELITY_FILE = "fidelity.json"
QUANTILES = (10, 25, 50, 75, 90)
"""Percent of the cells below the decibels that are stated."""
PLAIN = 0.01
"""Standard deviation of a cell's views, white = 1, below which its best scale says nothing."""
FIRST_LIMIT = 8.0
"""Pixels by which a cell may move before the common map is known; afterwards as `fine_fit` says."""


@dataclass(frozen=True)
class Grid:
    """The cells in which one blur is fitted.

    cell: side in px. border: px at the border of the picture that are left out, for what blurs into them lies
    outside of the truth.
    """

    cell: int = 168
    border: int = 48

    def __post_init__(self) -> None:
        if self.cell % 2 or self.border % 2 or not 0 <= self.border < self.cell or self.cell < 16:
            raise ConfigError(
                f"the grid has cells of {self.cell} px and a border of {self.border} px; both must be even, "
                "the cells at least 16 px and larger than the border"
            )


@dataclass(frozen=True)
class CellFidelity:
    """row, column: of the cell. contrast: standard deviation of its views, white = 1. fits: by family."""

    row: int
    column: int
    contrast: float
    fits: dict[str, Fit]

    @property
    def textured(self) -> bool:
        return self.contrast >= PLAIN


@dataclass(frozen=True)
class SceneFidelity:
    """warp: (2, 3), takes (x, y, 1) of the views to (x, y) of the truth."""

    name: str
    warp: Matrix
    cells: tuple[CellFidelity, ...]


def families_of(kernels: MeasuredKernels) -> tuple[Family, ...]:
    """What is compared, the calibrated lens last."""
    return (Point(), HalfDiscs(), Rings(), Measured(kernels))


def check_scene(capture: Capture, families: Sequence[Family], grid: Grid | None = None) -> SceneFidelity:
    """Fit each family in each cell of a capture.

    The truth is laid under the views by one affine map: first that of `affine`, then corrected by the shifts which
    the last of the families needs in each cell. Then each family explains each cell by the scale (and shape) that
    leaves the smallest mean squared difference of both views, a shift of the truth common to both views, and a gain
    for each view; see `fine_fit`.

    Args:   capture: linear; all that follows is relative to its white.
    Raises: ConfigError for a capture that is not linear or holds no cell.
    """
    grid = grid or Grid()
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
            f"scene {capture.name} is {width} x {height} px; it must hold a cell of {grid.cell} px, "
            "so choose smaller cells"
        )
    start = affine(_colour(truth), _colour(np.asarray((left + right) / 2, np.float32)))
    warp: Matrix = np.eye(2, 3) if start is None else start.astype(np.float64)
    views = np.stack((left, right))
    with torch.no_grad():
        centres, shifts, informations = [], [], []
        for _, _, window in _windows(truth, views, warp, grid):
            rough = rough_fit(window, families[-1], FIRST_LIMIT)
            y, x = window.centre
            if float(window.views.std()) >= PLAIN:
                centres.append((x * width, y * height))
                shifts.append((float(rough.shift[0]), float(rough.shift[1])))
                informations.append(rough.information.numpy().astype(np.float64))
        warp = refined(warp, centres, shifts, informations)
        cells = tuple(
            CellFidelity(
                row,
                column,
                float(window.views.std()),
                {family.name: fine_fit(window, family) for family in families},
            )
            for row, column, window in _windows(truth, views, warp, grid)
        )
    return SceneFidelity(capture.name, warp, cells)


def _colour(gray: Pixels) -> Pixels:
    return np.repeat(gray[..., None], 3, axis=2)


def _windows(truth: Pixels, views: Pixels, warp: Matrix, grid: Grid) -> Iterator[tuple[int, int, Window]]:
    """Row, column and window of each whole cell, without what lies in the border."""
    wide = torch.from_numpy(laid_under(truth, warp, HALO))
    seen = torch.from_numpy(views)
    height, width = truth.shape
    for row in range(height // grid.cell):
        top, bottom = max(row * grid.cell, grid.border), min((row + 1) * grid.cell, height - grid.border)
        for column in range(width // grid.cell):
            first, last = (
                max(column * grid.cell, grid.border),
                min((column + 1) * grid.cell, width - grid.border),
            )
            yield (
                row,
                column,
                Window(
                    wide[top : bottom + 2 * HALO, first : last + 2 * HALO],
                    seen[:, top:bottom, first:last],
                    (torch.arange(top, bottom) + 0.5) / height,
                    (torch.arange(first, last) + 0.5) / width,
                ),
            )


def decibels(error: float) -> float:
    """PSNR of a mean squared error, white = 1."""
    return -10 * math.log10(max(error, 1e-12))


def summarise(cells: Sequence[CellFidelity]) -> dict[str, Any]:
    """Quantiles over cells: of the PSNR by family, and of |scale| of each over the cells with texture."""
    names = list(cells[0].fits)
    textured = [cell for cell in cells if cell.textured]

    def quantiles(values: list[float]) -> dict[str, float] | None:
        if not values:
            return None
        return {str(q): round(float(np.percentile(values, q)), 4) for q in QUANTILES}

    return {
        "cells": len(cells),
        "textured": len(textured),
        "psnr": {name: quantiles([decibels(cell.fits[name].error) for cell in cells]) for name in names},
        "scale": {name: quantiles([abs(cell.fits[name].scale) for cell in textured]) for name in names},
        "before_focus": {
            name: round(sum(c.fits[name].scale < 0 for c in textured) / len(textured), 4)
            if textured
            else None
            for name in names
        },
    }


def document(
    scenes: Sequence[SceneFidelity], families: Sequence[Family], grid: Grid | None = None
) -> dict[str, Any]:
    """All that was found, as `fidelity.json` holds it."""
    shapes = {family.name: family.shapes for family in families}
    return {
        "dpanet": __version__,
        "grid": asdict(grid or Grid()),
        "plain": PLAIN,
        "scales": {family.name: [family.scales[0], family.scales[-1]] for family in families},
        "summary": summarise([cell for scene in scenes for cell in scene.cells]),
        "scenes": [
            {
                "name": scene.name,
                "warp": scene.warp.round(6).tolist(),
                "summary": summarise(scene.cells),
                "cells": [
                    {
                        "row": cell.row,
                        "column": cell.column,
                        "contrast": round(cell.contrast, 5),
                        "fits": {name: _plain(fit, shapes[name]) for name, fit in cell.fits.items()},
                    }
                    for cell in scene.cells
                ],
            }
            for scene in scenes
        ],
    }


def _plain(fit: Fit, shapes: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {
        "psnr": round(decibels(fit.error), 3),
        "scale": round(fit.scale, 4),
        "shape": shapes[fit.shape],
        "shift": [round(float(v), 3) for v in fit.shift],
        "gains": [round(float(v), 4) for v in fit.gains],
    }


def write(found: dict[str, Any], folder: Path, overwrite: bool = False) -> Path:
    """`fidelity.json` in `folder`, whole or not at all.

    Raises: OutputError if it exists (without `overwrite`) or cannot be written.
    """
    path = folder / FIDELITY_FILE
    with atomic_output(path, overwrite) as unfinished:
        unfinished.write_text(json.dumps(found, indent=1) + "\n")
    return path
