"""Notice views that were turned by 90 degrees: they differ along the columns in place of the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.inspection.block_match import BlockShifts, match_blocks
from dpanet.inspection.sharpness import blur_widths
from dpanet.inspection.working_planes import WorkingPlanes

MAX_ACROSS, MAX_SHARE = 1.3, 0.35
"""Largest shift along the rows of views that were turned, without the outermost twentieths: px of the working planes,
and in the largest shift along the columns. Captures as stored have up to 1.0 along the columns, 0.12 of the other."""

MIN_SPREAD = 1.0
"""px between the 5 and 95 % quantiles of the shifts along the columns: a displacement shifts all alike."""

LARGE = 2.0
"""px along the columns from which blocks are compared with their blur."""

MIN_BLUR = 0.6
"""Median blur, in shifts, of blocks that a lens out of focus has moved; a displacement moves sharp ones too."""

MIN_BLOCKS = 12
"""Blocks with a known shift that the answer needs, and a quarter of all."""


def differs_along_columns(planes: WorkingPlanes, blocks: BlockShifts, noise: float) -> bool:
    """Return whether the views differ along the columns as a lens out of focus lets them differ along the rows.

    Args:
        planes: reduced views.
        blocks: their shifts. Where these differ along the rows, or not along the columns, the answer is no at once.
        noise: standard deviation of the noise of a plane.
    """
    if _differ_along(blocks.x, blocks.y) or _largest(blocks.y) <= MIN_SPREAD:
        return False
    left, right = (np.ascontiguousarray(view.T) for view in (planes.left, planes.right))
    turned = match_blocks(left, right, noise)
    along = turned.x
    known = along[~np.isnan(along)]
    if known.size < max(MIN_BLOCKS, along.size / 4) or not _differ_along(along, turned.y):
        return False
    if float(np.ptp(np.quantile(known, (0.05, 0.95)))) < MIN_SPREAD:
        return False
    blur = blur_widths(np.asarray((left + right) / 2, np.float32), turned, noise / 2**0.5)
    moved = (np.abs(along) > LARGE) & ~np.isnan(blur)
    return moved.sum() < MIN_BLOCKS or float(np.median(blur[moved] / np.abs(along[moved]))) >= MIN_BLUR


def _differ_along(along: NDArray[np.float64], across: NDArray[np.float64]) -> bool:
    """Return whether blocks are shifted along one axis, and not across it; false where that is not known."""
    return _largest(across) < min(MAX_ACROSS, MAX_SHARE * _largest(along))


def _largest(shifts: NDArray[np.float64]) -> float:
    """Return the largest shift either way, without the outermost twentieths; NaN where too few are known."""
    known = shifts[~np.isnan(shifts)]
    return float(np.abs(np.quantile(known, (0.05, 0.95))).max()) if known.size >= MIN_BLOCKS else float("nan")
