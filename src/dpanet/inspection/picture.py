"""Draw an inspection: the view, and beside it the maps of disparity and of blur."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.files.output import atomic_output
from dpanet.inspection.measure import Maps

HEIGHT = 6.0
"""Inches of a panel's longer side."""

DPI = 100

UNKNOWN = "0.75"
"""Gray of blocks without a match."""


def write_picture(maps: Maps, path: Path, *, overwrite: bool = False) -> None:
    """Write a PNG: the mean of both views, the disparity and the blur of each block, with scales in px.

    Raises:
        OutputError: if it exists and may not be replaced, or cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    view = (maps.planes.left + maps.planes.right) / 2
    height, width = view.shape
    wide = width >= height
    panel = (HEIGHT, HEIGHT * height / width) if wide else (HEIGHT * width / height, HEIGHT)
    figure = Figure(figsize=(3 * panel[0] + 1.0, panel[1] + 1.25), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    extent = (0.0, width * maps.planes.factor, height * maps.planes.factor, 0.0)
    axes[0].imshow(view, cmap="gray", vmin=0, vmax=max(float(np.quantile(view, 0.995)), 1e-6), extent=extent)
    axes[0].set_title("mean of both views")
    largest = _round_up(_quantile(np.abs(maps.disparity), 0.98), 1.0)
    disparity = axes[1].imshow(
        maps.disparity, cmap="RdBu_r", vmin=-largest, vmax=largest, extent=extent, interpolation="nearest"
    )
    axes[1].set_title("disparity: red behind the focal plane, blue in front")
    widest = _round_up(_quantile(maps.blur, 0.98), 1.0)
    blur = axes[2].imshow(
        maps.blur, cmap="viridis_r", vmin=0, vmax=widest, extent=extent, interpolation="nearest"
    )
    axes[2].set_title("blur: yellow is sharp")
    figure.colorbar(disparity, ax=axes[1], label="px, right view against left", location="bottom", shrink=0.8)
    figure.colorbar(blur, ax=axes[2], label="px, sigma of a Gaussian", location="bottom", shrink=0.8)
    for axis in axes:
        axis.set_facecolor(UNKNOWN)
        axis.set_xticks([])
        axis.set_yticks([])
    with atomic_output(path, overwrite) as unfinished:
        figure.savefig(unfinished, format="png")


def _quantile(values: NDArray[np.float64], share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if known.size else 0.0


def _round_up(value: float, least: float) -> float:
    return max(least, float(np.ceil(value)))
