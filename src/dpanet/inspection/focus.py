"""Describe how much of a pair is in focus, and whether its disparity is that of a lens out of focus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.inspection.block_match import BlockShifts

IN_FOCUS = 0.5
"""px of disparity up to which a block counts as in focus."""

LARGE = 3.0
"""px of the working planes from which a disparity is compared with the blur."""

SHARP = 1.0
"""px of blur (sigma, on the working planes) up to which a block is sharp: no lens gives it a disparity of 2 px."""

MIN_SHARP = 0.25
"""Share of the blocks that must be sharp for a statement about them: a few look sharp by chance."""

MIN_BLOCKS = 12
"""Blocks that a statement about them needs."""


@dataclass(frozen=True)
class Focus:
    """How much is in focus, and whether blur and disparity belong together."""

    sharp: float
    """Share of the blocks with a disparity of at most `IN_FOCUS` px, 0..1."""
    blurred: float
    """Share with more."""
    unknown: float
    """Share without a match: flat, too blurred, or not in both views."""
    quantiles: tuple[float, float, float]
    """Disparity below which 5, 50 and 95 % of the matched blocks lie, px of the picture."""
    correlation: float
    """Median over the blocks with detail, each with its best match, -1..1."""
    rank: float
    """Rank correlation of |disparity| and blur over the matched blocks, -1..1."""
    blur_per_disparity: float
    """Median of blur (sigma) / |disparity| where the disparity is large; NaN if it is nowhere. A dual-pixel lens has
    0.5 or more: what is far apart is as far out of focus. Two cameras have less."""
    large: float
    """Share of the matched blocks with such a large disparity, 0..1."""
    sharp_shift: float
    """Median disparity of the sharpest blocks, px of the picture, 0 in a good pair; NaN if nothing is sharp, or if
    they do not have one disparity."""


def describe_focus(blocks: BlockShifts, blur: NDArray[np.float64], factor: float) -> Focus:
    """Describe the focus of a pair.

    Args:
        blocks: shifts on the working planes.
        blur: sigma of the blur of each block, px of the working planes, NaN where unknown.
        factor: px of the picture in one of the planes.
    """
    nan = float("nan")
    size = np.abs(blocks.x)
    known = ~np.isnan(size)
    matched = ~np.isnan(blocks.correlation)
    correlation = float(np.median(blocks.correlation[matched])) if matched.any() else nan
    if not known.any():
        return Focus(0.0, 0.0, 1.0, (nan, nan, nan), correlation, nan, nan, 0.0, nan)
    blurred = float((size[known] * factor > IN_FOCUS).sum() / size.size)
    low, middle, high = (float(value) for value in np.quantile(blocks.x[known], (0.05, 0.5, 0.95)) * factor)
    both = known & ~np.isnan(blur)
    rank = nan
    if both.sum() >= MIN_BLOCKS and np.ptp(size[both]) > 0 and np.ptp(blur[both]) > 0:
        rank = float(np.corrcoef(_ranks(size[both]), _ranks(blur[both]))[0, 1])
    large = both & (size >= LARGE)
    enough = large.sum() >= MIN_BLOCKS
    return Focus(
        sharp=float(known.mean()) - blurred,
        blurred=blurred,
        unknown=float(1 - known.mean()),
        quantiles=(low, middle, high),
        correlation=correlation,
        rank=rank,
        blur_per_disparity=float(np.median(blur[large] / size[large])) if enough else nan,
        large=float(large.sum() / known.sum()),
        sharp_shift=_sharp_shift(blocks.x[both & (blur <= SHARP)], int(both.sum())) * factor,
    )


def _sharp_shift(shifts: NDArray[np.float64], known: int) -> float:
    """Return the one shift of sharp blocks, of `known` ones, or NaN."""
    if shifts.size < max(MIN_BLOCKS, MIN_SHARP * known):
        return float("nan")
    low, middle, high = np.quantile(shifts, (0.15, 0.5, 0.85))
    return float(middle) if high - low < 1 else float("nan")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the place of each value in their order, from 0."""
    return values.argsort(kind="stable").argsort()
