"""Measure whether the views lie on each other along y, where the halves of a lens do not differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpanet.inspection.block_match import BlockShifts

MAX_SPREAD = 0.6
"""Median distance in px of the shifts from their fit, beyond which they are wrong matches; captures have 0.3."""

MIN_BLOCKS = 8
"""Blocks with a known shift that the shift of the picture needs; a rotation needs three times as many."""


@dataclass(frozen=True)
class Misalignment:
    """How the right view lies against the left along y, px of the picture."""

    shift: float
    """In the middle, +down; NaN if it cannot be measured."""
    turn: float
    """Difference of the shift between the right and the left border: a rotation."""
    stretch: float
    """Difference between the bottom and the top border: another size."""


def fit_misalignment(blocks: BlockShifts, factor: float) -> Misalignment:
    """Fit a shift along y that grows evenly over the picture; blocks far off the fit do not count.

    Args:
        blocks: shifts on the working planes.
        factor: px of the picture in one of the planes.
    """
    known = ~np.isnan(blocks.y)
    if known.sum() < MIN_BLOCKS:
        return Misalignment(float("nan"), float("nan"), float("nan"))
    rows, columns = known.shape
    y, x = (grid[known] for grid in np.meshgrid(_line(rows), _line(columns), indexing="ij"))
    shifts = blocks.y[known]
    terms = np.stack((np.ones_like(x), x, y), axis=1)
    fit = np.array([np.median(shifts), 0.0, 0.0])
    # A turn or a stretch spreads the shifts: the first fit keeps nine tenths of them, later ones those close to it.
    near = np.abs(shifts - fit[0]) <= np.quantile(np.abs(shifts - fit[0]), 0.9)
    for _ in range(5):
        if near.sum() < 3 * MIN_BLOCKS:
            break
        fit = np.linalg.lstsq(terms[near], shifts[near], rcond=None)[0]
        rest = np.abs(shifts - terms @ fit)
        near = rest <= max(3 * float(np.median(rest)), 0.05)
    if np.median(np.abs(shifts - terms @ fit)) > MAX_SPREAD:
        return Misalignment(float("nan"), float("nan"), float("nan"))
    shift, turn, stretch = (float(value) * factor for value in (fit[0], 2 * fit[1], 2 * fit[2]))
    return Misalignment(shift, turn, stretch)


def _line(count: int) -> np.ndarray:
    """Return places from -1 to 1; 0 for a single one."""
    return np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
