"""How well a defocus map tells near from far, where the truth is known only up to gain and offset."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError, ShapeError

Array = NDArray[np.float64]

FLOOR = 1e-6
"""Residual, of a truth in 0..1, below which a pixel gains no more weight in the search for the L1 fit."""
PRECISION = 1e-9
"""Fall of the L1 error in one round below which the search has converged."""
ROUNDS = 500
"""Rounds after which the search ends in any case."""


def affine_invariant_error(
    map: NDArray[Any], truth: NDArray[Any], power: Literal[1, 2], weights: NDArray[Any] | None = None
) -> float:
    """AIWE(power): what is left between a map and the truth after the best gain and offset.

    The truth is first scaled to 0..1 by its own least and largest value (where the weight is above 0), so
    that neither the map's nor the truth's gain, sign and offset matter.

    Args:    map, truth: (H, W), any scale. power: 1 for the mean absolute, 2 for the root mean square error.
             weights: (H, W), 0 or above, such as the truth's confidence; None weighs all pixels alike.
    Returns: min over a, b of (weighted mean of |truth - (a * map + b)| ** power) ** (1 / power); 0 for a
             perfect map, the truth's own spread (mean absolute deviation from its median, standard
             deviation) for a flat one.
    Raises:  ShapeError if the shapes differ; PairError for NaN, for a flat truth and for unusable weights.
    Source:  Garg et al., ICCV 2019. For power 1 they stop iteratively reweighted least squares after five
             rounds, with residuals floored at 1e-3; here it runs until it converges (`FLOOR`, `PRECISION`),
             and b is at last the exact weighted median of what remains, so that figures can be slightly
             lower. They also pull a and b a little towards 0, which is not done here.
    """
    if power not in (1, 2):
        raise ConfigError(f"power is {power}; the error is defined for 1 and 2, so give one of these")
    x, y, w = _checked(map, truth, weights)
    y = (y - y.min()) / (y.max() - y.min())
    x = _standardised(x, w)
    if power == 2:
        a, b = _fit(x, y, w)
        return float(np.sqrt(w @ (y - a * x - b) ** 2))
    return _least_absolute(x, y, w)


def spearman_distance(map: NDArray[Any], truth: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """1 - |Spearman's rank correlation|: whether the map has the truth's order, or exactly the opposite one.

    Args:    as `affine_invariant_error`.
    Returns: 0..1; 0 for the same or the opposite order, 1 for a flat map, which has none.
    Raises:  as `affine_invariant_error`.
    Source:  Garg et al., ICCV 2019, who weigh the correlation of the ranks, not the ranks. Equal values share
             their mean rank here (an 8-bit truth has many); their code ranks them in raster order.
    """
    x, y, w = _checked(map, truth, weights)
    one, other = _standardised(_ranks(x), w), _standardised(_ranks(y), w)
    correlation = float(w @ (one * other))
    return 1 - min(1.0, abs(correlation))


def _least_absolute(x: Array, y: Array, w: Array) -> float:
    """The least weighted mean of |y - a x - b|, found by reweighted least squares from the plain fit on."""
    a, b = _fit(x, y, w)
    best = np.inf
    for _ in range(ROUNDS):
        residual = np.abs(y - a * x - b)
        error = float(w @ residual)
        if best - error < PRECISION:
            break
        best = error
        a, b = _fit(x, y, w / np.maximum(residual, FLOOR))
    rest = y - a * x
    return min(best, float(w @ np.abs(rest - _median(rest, w))))


def _fit(x: Array, y: Array, w: Array) -> tuple[float, float]:
    """Gain and offset of the weighted least squares from x to y; gain 0 where x is flat."""
    total = w.sum()
    mean_x, mean_y = w @ x / total, w @ y / total
    centred = x - mean_x
    variance = w @ centred**2
    a = float(w @ (centred * (y - mean_y)) / variance) if variance > 0 else 0.0
    return a, float(mean_y - a * mean_x)


def _median(values: Array, w: Array) -> float:
    order = np.argsort(values)
    reached = np.cumsum(w[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


def _ranks(values: Array) -> Array:
    """1 for the least; equal values share the mean of their ranks."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[where.ravel()], np.float64)


def _standardised(values: Array, w: Array) -> Array:
    """Mean 0 and variance 1, so that no scale upsets the sums; all 0 for a flat map."""
    centred = values - w @ values
    reach = float(np.abs(centred).max())
    if reach <= 1e-12 * float(np.abs(values).max()):
        return np.zeros_like(values)
    centred /= reach
    return np.asarray(centred / np.sqrt(w @ centred**2), np.float64)


def _checked(
    map: NDArray[Any], truth: NDArray[Any], weights: NDArray[Any] | None
) -> tuple[Array, Array, Array]:
    """The pixels that count, flat and in float64, and their weights, of sum 1."""
    w = np.ones(truth.shape) if weights is None else np.asarray(weights, np.float64)
    if map.shape != truth.shape or w.shape != truth.shape or truth.ndim != 2 or truth.size == 0:
        raise ShapeError(
            f"the map has shape {map.shape}, the truth {truth.shape} and the weights {w.shape}; all must be "
            "height x width of one size, so give the map of this scene"
        )
    for values, name in ((map, "map"), (truth, "truth"), (w, "weights")):
        if not np.isfinite(values).all():
            raise PairError(
                f"the {name} contain NaN or infinity; such a map has no score, so find their origin"
                if name == "weights"
                else f"the {name} contains NaN or infinity; such a map has no score, so find its origin"
            )
    counts = w > 0
    if (w < 0).any() or not counts.any():
        raise PairError("the weights are negative or all 0; give weights of 0 and above, some of them above")
    x, y, w = map[counts].astype(np.float64), truth[counts].astype(np.float64), w[counts]
    if y.min() == y.max():
        raise PairError("the truth is flat where it counts; it orders nothing, so give another scene's")
    return x, y, w / w.sum()
