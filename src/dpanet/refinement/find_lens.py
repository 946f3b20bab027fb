"""The lens of a pair, found from the pair itself.

The residuals of `evidence.py` do not need the truth: at the true lens and blur radius, the views blurred as each
other are the same, and the network's picture, blurred as each view, is that view. So of several ramps over a disc the
one is chosen that leaves least of both, whatever the blur radius of each place (`_find_slope`). With the radii that
belong to it, the kernels are then adjusted over the field (`fit_lens.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.adjusted_lens import AdjustedLens
from dpanet.lenses.ramped_lens import RampedLens
from dpanet.pair import Pixels
from dpanet.refinement.evidence import BLOCK, BlockPart, EvidenceMeter, cut_blocks
from dpanet.refinement.fit_lens import fit_lens
from dpanet.refinement.refine import Report, spread_scales
from dpanet.refinement.scale_map import average, find_scales

SLOPES = (0.2, 0.3, 0.45, 0.65, 0.95, 1.4, 2.0, 3.0)
"""That are tried, evenly by their logarithm; between two of them a parabola decides."""

SCALES = np.concatenate([-np.geomspace(1.6, 0.08, 12), np.zeros(1), np.geomspace(0.08, 1.6, 12)]).astype(
    np.float32
)
"""Blur scales that are tried in each block."""

PARTS = 9
"""Parts of the picture that are asked, those in which the views differ most."""

RADIUS = 16.0
"""Standard deviation in px of the Gaussian mean of residuals, of which the least over the scales counts."""


def find_lens(
    left: Pixels,
    right: Pixels,
    picture: Pixels,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> AdjustedLens:
    """Return the lens that explains a pair best: a disc under a ramp, then adjusted over the field.

    Args:
        left: the left view, (H, W, 3), proportional to light.
        right: the right view.
        picture: of the network, of the same shape and light.
        threads: that compute.
        progress: called with (parts done, all parts).
    """
    one, other, sharp = (plane.mean(2, dtype=np.float32) for plane in (left, right, picture))
    report = Report(len(SLOPES) + len(cut_blocks(*one.shape)), progress)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        lens = RampedLens(_find_slope(one, other, sharp, pool, report))
        scales = spread_scales(lens)
        meter = EvidenceMeter(one, other, sharp, lens, scales)
        blocks = find_scales(meter.measure_all(pool, report), scales)
        return fit_lens(AdjustedLens(lens), meter, blocks, pool)


def _find_slope(left: Pixels, right: Pixels, picture: Pixels, pool: Executor, report: Report) -> float:
    """Return the slope that leaves least of both residuals unexplained."""
    parts = sorted(cut_blocks(*left.shape), key=lambda part: _difference(left, right, part))[-PARTS:]
    unexplained = []
    for slope in SLOPES:
        meter = EvidenceMeter(left, right, picture, RampedLens(slope), SCALES)
        unexplained.append(_measure(meter, parts, pool))
        report()
    return _find_least(np.log(SLOPES), np.log(np.array(unexplained) + 1e-20))


def _measure(meter: EvidenceMeter, parts: list[BlockPart], pool: Executor) -> float:
    """Return the sum of what a lens leaves unexplained of both residuals in some parts."""
    total = 0.0
    for evidence in pool.map(meter, parts):
        residuals = average(evidence.between_views, RADIUS) + average(evidence.with_picture, RADIUS)
        total += float(residuals.min(0).sum())
    return total


def _difference(left: Pixels, right: Pixels, part: BlockPart) -> float:
    """Return the sum of the squared differences of the views in a part of blocks."""
    rows, columns = (slice(side.start * BLOCK, side.stop * BLOCK) for side in part)
    return float(np.square(left[rows, columns] - right[rows, columns]).sum())


def _find_least(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return e to the place of the least of a parabola through the least value and its neighbors."""
    i = int(y.argmin())
    if i in (0, len(y) - 1):
        return float(np.exp(x[i]))
    curve = np.polyfit(x[i - 1 : i + 2], y[i - 1 : i + 2], 2)
    return float(np.exp(-curve[1] / (2 * curve[0])))
