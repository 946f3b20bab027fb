"""Draw an inspection: the view, and beside it the maps of disparity and of blur."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.files.matplotlib_folder import prepare_matplotlib
from dpanet.files.output import atomic_output
from dpanet.inspection.measure import Maps

PANEL = 6.0
"""Inches of a panel's longer side."""

MARGIN, TITLE, SCALE = 0.2, 0.4, 0.85
"""Inches beside, above and below a panel."""

DPI = 100

UNKNOWN = "0.75"
"""Gray of blocks without a match."""


def write_picture(maps: Maps, path: Path, *, overwrite: bool = False) -> None:
    """Write a PNG: the mean of both views, the disparity and the blur of each block, with scales in px.

    Raises:
        OutputError: if it exists and may not be replaced, or cannot be written.
    """
    prepare_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    view = (maps.planes.left + maps.planes.right) / 2
    height, width = view.shape
    wide, tall = (PANEL * side / max(height, width) for side in (width, height))
    wide, tall = max(wide, 4.0), max(tall, 1.0)
    size = (3 * wide + 4 * MARGIN, TITLE + tall + SCALE)
    figure = Figure(figsize=size, dpi=DPI)
    FigureCanvasAgg(figure)
    largest = _round_up(_quantile(np.abs(maps.disparity), 0.98))
    panels = (
        ("the mean of both views", view, "gray", (0.0, max(float(np.quantile(view, 0.995)), 1e-6)), ""),
        (
            "disparity: red is behind the focal plane, blue in front",
            maps.disparity,
            "RdBu_r",
            (-largest, largest),
            "px between the views; gray: no match",
        ),
        (
            "blur: yellow is sharp",
            maps.blur,
            "viridis_r",
            (0.0, _round_up(_quantile(maps.blur, 0.95))),
            "px, sigma of a Gaussian; gray: no detail",
        ),
    )
    for place, (title, values, colors, limits, label) in enumerate(panels):
        left = MARGIN + place * (wide + MARGIN)
        axis = figure.add_axes((left / size[0], SCALE / size[1], wide / size[0], tall / size[1]))
        norm = Normalize(*limits)
        smooth = "antialiased" if place == 0 else "nearest"
        axis.imshow(values, cmap=colors, norm=norm, extent=(0, width, height, 0), interpolation=smooth)
        axis.set_title(title, fontsize=11)
        axis.set_facecolor(UNKNOWN)
        axis.set_xticks([])
        axis.set_yticks([])
        if label:
            bar = figure.add_axes(
                ((left + 0.15 * wide) / size[0], 0.58 / size[1], 0.7 * wide / size[0], 0.14 / size[1])
            )
            figure.colorbar(ScalarMappable(norm, colors), cax=bar, orientation="horizontal", label=label)
    with atomic_output(path, overwrite) as unfinished:
        figure.savefig(unfinished, format="png")


def _quantile(values: NDArray[np.float64], share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if known.size else 0.0


def _round_up(value: float) -> float:
    return max(1.0, float(np.ceil(value)))
