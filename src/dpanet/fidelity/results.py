"""Summaries of a fidelity check, and the file fidelity.json."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.deconvolution.blur_families import KernelFamily
from dpanet.deconvolution.blur_fit import BlurFit
from dpanet.fidelity.check import MIN_CONTRAST, CellFidelity, CellGrid, SceneFidelity
from dpanet.files.output import atomic_output
from dpanet.version import __version__

FIDELITY_FILE = "fidelity.json"

QUANTILES = (10, 25, 50, 75, 90)
"""Percent of the cells below the values that a summary states."""

LENS_QUANTILES = (10, 50, 90)
"""As `QUANTILES`, of the parameters of a lens."""

BLURRED = 0.1
"""Share of a family's largest scale from which the parameters of its shape mean something."""


def to_psnr(error: float) -> float:
    """Convert a mean squared error, white = 1, to PSNR in dB."""
    return -10 * math.log10(max(error, 1e-12))


def summarize(cells: Sequence[CellFidelity]) -> dict[str, Any]:
    """Summarize cells by family: quantiles of PSNR, and of |scale| over the cells with texture.

    ``before_focus`` is the share of cells with texture whose scale is negative.
    """
    names = list(cells[0].fits)
    textured = [cell for cell in cells if cell.has_texture]

    def quantiles(values: list[float]) -> dict[str, float] | None:
        if not values:
            return None
        return {str(q): round(float(np.percentile(values, q)), 4) for q in QUANTILES}

    def share_before_focus(name: str) -> float | None:
        if not textured:
            return None
        return round(sum(cell.fits[name].scale < 0 for cell in textured) / len(textured), 4)

    return {
        "cells": len(cells),
        "textured": len(textured),
        "psnr": {name: quantiles([to_psnr(cell.fits[name].error) for cell in cells]) for name in names},
        "scale": {name: quantiles([abs(cell.fits[name].scale) for cell in textured]) for name in names},
        "before_focus": {name: share_before_focus(name) for name in names},
    }


def describe_lens(
    cells: Sequence[CellFidelity], families: Sequence[KernelFamily]
) -> dict[str, dict[str, dict[str, float] | None]]:
    """Describe the lens by family: quantiles over the cells, each weighted by its contrast.

    ``explained`` is the PSNR in dB above that of no blur. ``scale`` (its size) and the parameters of the shape, each
    by its own name, are of the cells that are blurred by a tenth of the family's largest scale or more. Cells
    without texture do not count; None where there is no cell.
    """
    textured = [cell for cell in cells if cell.has_texture]
    lens: dict[str, dict[str, dict[str, float] | None]] = {}
    for family in families:
        name = family.name
        blurred = [c for c in textured if abs(c.fits[name].scale) >= BLURRED * family.scales[-1] > 0]
        lens[name] = {
            "explained": _weigh(
                textured, [to_psnr(c.fits[name].error) - to_psnr(c.fits["no blur"].error) for c in textured]
            ),
            "scale": _weigh(blurred, [abs(c.fits[name].scale) for c in blurred]),
        }
        for parameter in family.shapes[0]:
            values = [family.shapes[c.fits[name].shape][parameter] for c in blurred]
            lens[name][parameter] = _weigh(blurred, values)
    return lens


def _weigh(cells: Sequence[CellFidelity], values: Sequence[float]) -> dict[str, float] | None:
    """Return the 10, 50 and 90 % quantiles of values, each weighted by its cell's contrast."""
    if not cells:
        return None
    order = np.argsort(values)
    weights = np.array([cell.contrast for cell in cells])[order]
    below = (np.cumsum(weights) - weights / 2) / weights.sum()
    ordered = np.array(values, float)[order]
    return {str(q): round(float(np.interp(q / 100, below, ordered)), 3) for q in LENS_QUANTILES}


def build_fidelity_document(
    scenes: Sequence[SceneFidelity], families: Sequence[KernelFamily], grid: CellGrid | None = None
) -> dict[str, Any]:
    """Return the content of fidelity.json, how well each kernel family explains real views.

    The keys are grid, families, summary, and every cell of every scene.
    """
    shapes = {family.name: family.shapes for family in families}
    return {
        "dpanet": __version__,
        "grid": asdict(grid or CellGrid()),
        "plain": MIN_CONTRAST,
        "scales": {family.name: [family.scales[0], family.scales[-1]] for family in families},
        "summary": summarize([cell for scene in scenes for cell in scene.cells]),
        "lens": describe_lens([cell for scene in scenes for cell in scene.cells], families),
        "scenes": [
            {
                "name": scene.name,
                "warp": scene.warp.round(6).tolist(),
                "summary": summarize(scene.cells),
                "lens": describe_lens(scene.cells, families),
                "cells": [_describe_cell(cell, shapes) for cell in scene.cells],
            }
            for scene in scenes
        ],
    }


def write_fidelity(document: dict[str, Any], folder: Path, overwrite: bool = False) -> Path:
    """Write fidelity.json into a folder, whole or not at all; return its path.

    Raises: OutputError if it exists (without `overwrite`) or cannot be written.
    """
    path = folder / FIDELITY_FILE
    with atomic_output(path, overwrite) as unfinished:
        unfinished.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _describe_cell(cell: CellFidelity, shapes: dict[str, tuple[dict[str, float], ...]]) -> dict[str, Any]:
    return {
        "row": cell.row,
        "column": cell.column,
        "contrast": round(cell.contrast, 5),
        "clipped": round(cell.clipped, 4),
        "fits": {name: _describe_fit(fit, shapes[name]) for name, fit in cell.fits.items()},
    }


def _describe_fit(fit: BlurFit, shapes: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {
        "psnr": round(to_psnr(fit.error), 3),
        "scale": round(fit.scale, 4),
        "shape": shapes[fit.shape],
        "shift": [round(float(value), 3) for value in fit.shift],
        "gains": [round(float(value), 4) for value in fit.gains],
    }
