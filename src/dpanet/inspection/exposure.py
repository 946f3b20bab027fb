"""Measure how bright the views are against each other, and how much of them is clipped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels

GRID = (6, 8)
"""Most rows and columns of the cells whose brightness is compared."""

CELL = 40
"""Least side of a cell, px: in a smaller one, what crosses its border by the disparity counts too much."""

MIN_LIGHT = 0.002
"""Share of white below which the brightness of a cell is not compared."""

MAX_SAMPLES = 2_000_000
"""Values of a view that are counted; of larger pictures, rows are left out evenly."""

PLATEAU = 20
"""Times as many values as the next 16 codes together have on average: then the largest code is where a sensor or a
developer clipped, though it is below the white of the file."""


PILE = 0.25
"""Of the floats in the tenth below: so many that are equal are clipped. Floats made of 8-bit codes have a tenth."""


@dataclass(frozen=True)
class Brightness:
    """Light of the left view divided by that of the right."""

    ratio: float
    """Median over the picture; NaN if both are dark."""
    columns: tuple[float, ...]
    """From the left border to the right, median of each column of cells."""
    rows: tuple[float, ...]
    """From the top to the bottom."""

    @property
    def slope(self) -> float:
        """Largest column or row divided by the smallest, less 1: 0 for an even ratio."""
        return max(max(line) / min(line) - 1 for line in (self.columns, self.rows))


def compare_brightness(left: Pixels, right: Pixels) -> Brightness:
    """Compare the light of two views, (H, W, C), linear."""
    rows, columns = (max(1, min(most, side // CELL)) for most, side in zip(GRID, left.shape[:2], strict=True))
    cells = [
        cv2.resize(view, (columns, rows), interpolation=cv2.INTER_AREA).reshape(rows, columns, -1).mean(2)
        for view in (left, right)
    ]
    lit = (cells[0] > MIN_LIGHT) & (cells[1] > MIN_LIGHT)
    ratios = np.where(lit, cells[0] / np.where(lit, cells[1], 1), np.nan)
    if not lit.any():
        return Brightness(float("nan"), (), ())
    return Brightness(float(np.nanmedian(ratios)), _medians(ratios.T), _medians(ratios))


def _medians(lines: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(np.nanmedian(line)) for line in lines if not np.isnan(line).all())


@dataclass(frozen=True)
class Clipped:
    """Share of the values of a view that are at an end of the scale, 0..1."""

    dark: float
    """At 0 or below."""
    bright: float
    """At `ceiling` or above."""
    ceiling: float
    """Value at which bright values are clipped, 1.0 = white of the file; NaN in files of floats and where codes go
    beyond white, if they are clipped nowhere."""
    above: float = 0.0
    """Share of the values above white that are not clipped: highlights that are kept."""


def count_clipped(view: Pixels, steps: float) -> Clipped:
    """Count the clipped values of a view.

    Args:
        view: (H, W, C), float32, in the encoding of the file.
        steps: codes from black to white; 0 for a file of floats.
    """
    rows = max(1, view.size // MAX_SAMPLES)
    values = np.ascontiguousarray(view[::rows]).ravel()
    top = float(values.max())
    dark = float((values <= 0).mean())
    ceiling = 1.0
    if top > 1 or (top > 0 and not steps):
        return _count_piles(values, top, dark)
    if 0 < top < 1 and steps > 255:
        at_top = int((values >= top).sum())
        just_below = int(((values < top) & (values >= top - 16.5 / steps)).sum())
        if at_top > max(PLATEAU * just_below / 16, 2e-5 * values.size, 20):
            ceiling = top
    return Clipped(dark, float((values >= ceiling).mean()), ceiling)


def _count_piles(values: NDArray[np.float32], top: float, dark: float) -> Clipped:
    """Count what is clipped where values may go beyond white: many that are equal, at white or at the largest."""
    above = float((values > 1).mean())
    for pile in (1.0, top):
        equal = int((values == pile).sum())
        below = int(((values < pile) & (values >= 0.9 * pile)).sum())
        if equal > max(PILE * below, 1e-4 * values.size, 20):
            bright = equal / values.size
            return Clipped(dark, bright, pile, above - (bright if pile > 1 else 0))
    return Clipped(dark, 0.0, float("nan"), above)
