"""The blur scale of each block of a picture, by semi-global matching.

Every block costs at a scale what its evidence says, and a change of the scale from a block to its neighbor costs as
well: little for a step to the next scale, as along a slanted surface, more for a jump, as at the border of an object.
The sum is made least along lines that reach a block from four sides, and their sums choose its scale.

Source: Hirschmüller, Stereo Processing by Semiglobal Matching and Mutual Information, PAMI 2008.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.refinement.evidence import BLOCK, Evidence

Costs = NDArray[np.float32]
"""(scales, rows, columns)."""

STEP = 0.6
"""Cost of a change to the next scale."""

JUMP = 4.0
"""Cost of a change by more."""

WEAK = 0.3
"""Share of the mean residual of the picture below which a block's evidence counts less."""

FOCUS = 1e-3
"""Cost of the largest scale against none, so that a place that says nothing is in focus."""

NOTHING = 1e-12
"""Mean square of a residual, white = 1, that is no more than rounding."""

FRACTION_RADIUS = 30.0
"""The evidence is averaged over a Gaussian of this sigma, px, before a scale between two tried ones is computed."""


def find_scales(evidence: Evidence, scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the blur scale of each block, (rows, columns), between the scales that were tried.

    Where the views are the same everywhere, all is in focus.

    Args:
        evidence: of all blocks.
        scales: (scales,), rising, not all of one size.
    """
    if evidence.between_views[np.abs(scales).argmin()].mean() <= NOTHING:
        return np.zeros(evidence.between_views.shape[1:], np.float32)
    between_views = _normalize(evidence.between_views)
    costs = between_views + _normalize(evidence.with_picture)
    costs += np.float32(FOCUS) * np.abs(scales / np.abs(scales).max())[:, None, None]
    # a picture that is too soft or too crisp moves the least of the sum, but not that of the views alone
    return _interpolate(_sum_lines(costs).argmin(0), average(between_views, FRACTION_RADIUS), scales)


def _normalize(residuals: Costs) -> Costs:
    """Return mean squares, averaged with those of neighboring blocks, relative to their mean over the scales."""
    residuals = average(residuals, BLOCK)
    mean = residuals.mean(0)
    normalized: Costs = residuals / (mean + np.float32(WEAK) * mean.mean() + np.float32(NOTHING))
    return normalized


def average(blocks: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the Gaussian mean of blocks (..., rows, columns); sigma in px."""
    for axis in (-2, -1):
        count = blocks.shape[axis]
        distance = (np.arange(count)[:, None] - np.arange(count)) * BLOCK
        weights = np.exp(-0.5 * np.square(distance / sigma)).astype(np.float32)
        weights /= weights.sum(1, keepdims=True)
        blocks = weights @ blocks if axis == -2 else blocks @ weights.T
    return blocks


def _sum_lines(costs: Costs) -> Costs:
    """Return for each block and scale the sum of the least costs of the four lines that end there."""
    total = _follow_line(costs)
    total += _follow_line(costs[:, ::-1])[:, ::-1]
    turned = costs.swapaxes(1, 2)
    total += _follow_line(turned).swapaxes(1, 2)
    total += _follow_line(turned[:, ::-1])[:, ::-1].swapaxes(1, 2)
    return total


def _follow_line(costs: Costs) -> Costs:
    """Return the least costs of lines from the first row to each block."""
    least = np.empty_like(costs)
    least[:, 0] = costs[:, 0]
    for row in range(1, costs.shape[1]):
        before = least[:, row - 1] - least[:, row - 1].min(0)
        here = np.minimum(before, np.float32(JUMP))
        np.minimum(here[1:], before[:-1] + np.float32(STEP), out=here[1:])
        np.minimum(here[:-1], before[1:] + np.float32(STEP), out=here[:-1])
        least[:, row] = costs[:, row] + here
    return least


def _interpolate(best: NDArray[np.int64], costs: Costs, scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scale at the least of a parabola through the costs of the best scale and of its two neighbors."""
    middle = best.clip(1, len(scales) - 2)
    x0, x1, x2 = (scales[middle + k] for k in (-1, 0, 1))
    y0, y1, y2 = (np.take_along_axis(costs, (middle + k)[None], 0)[0] for k in (-1, 0, 1))
    before, after = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    curvature = (after - before) / (x2 - x0)
    found = (x0 + x1) / 2 - before / (2 * np.maximum(curvature, np.float32(1e-12)))
    inside = (best == middle) & (curvature > 1e-12)
    result: NDArray[np.float32] = np.where(inside, found.clip(x0, x2), scales[best]).astype(np.float32)
    return result
