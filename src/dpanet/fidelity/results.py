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
        "scenes": [
            {
                "name": scene.name,
                "warp": scene.warp.round(6).tolist(),
                "summary": summarize(scene.cells),
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
