"""Scores of a defocus map whose truth is known only up to gain and offset."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError, ShapeError

Array = NDArray[np.float64]

FLOOR = 1e-6
"""Residual, of a truth in 0..1, below which the weight of a pixel in the search for the L1 fit grows no further."""
PRECISION = 1e-9
"""Decrease of the L1 error in one round below which the search has converged."""
ROUNDS = 500
"""Largest number of rounds of the search."""


def affine_invariant_error(
    map: NDArray[Any], truth: NDArray[Any], power: Literal[1, 2], weights: NDArray[Any] | None = None
) -> float:
    """Return AIWE(power): the error that remains between a map and the truth after the best gain and offset.

    The truth is first scaled to 0..1 by its own least and largest value (where the weight is above 0), so that
    neither the map's nor the truth's gain, sign and offset matter.

    Args:
        map: (H, W), any scale.
        truth: (H, W), any scale.
        power: 1 for the mean absolute error, 2 for the root mean square error.
        weights: (H, W), 0 or above, such as the truth's confidence; all pixels alike by default.

    Returns:
        Minimum over a, b of (weighted mean of |truth - (a * map + b)| ** power) ** (1 / power): 0 for a perfect map;
        for a flat one the truth's own spread (mean absolute deviation from its median, standard deviation).

    Raises:
        ShapeError: If the shapes differ.
        PairError: If a value is NaN or infinite, the truth is flat, or the weights are unusable.
        ConfigError: If `power` is neither 1 nor 2.

    Source:
        Garg et al., ICCV 2019. For power 1 they stop iteratively reweighted least squares after five rounds, with
        residuals of at least 1e-3; here it runs until it converges (`FLOOR`, `PRECISION`), and b is finally the exact
        weighted median of the remainder, so that figures can be slightly lower. They also draw a and b a little
        towards 0, which is not done here.
    """
    if power not in (1, 2):
        raise ConfigError(f"power is {power}; the error is defined for 1 and 2, so give one of these")
    x, y, w = _prepare(map, truth, weights)
    y = (y - y.min()) / (y.max() - y.min())
    x = _standardize(x, w)
    if power == 2:
        a, b = _fit(x, y, w)
        return float(np.sqrt(w @ (y - a * x - b) ** 2))
    return _least_absolute(x, y, w)


def spearman_distance(map: NDArray[Any], truth: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Return 1 - |Spearman's rank correlation| of a map and the truth.

    Args:
        map: (H, W), any scale.
        truth: (H, W), any scale.
        weights: (H, W), 0 or above; all pixels alike by default.

    Returns:
        0..1; 0 for the truth's order or exactly the opposite one, 1 for a flat map.

    Raises:
        ShapeError: If the shapes differ.
        PairError: If a value is NaN or infinite, the truth is flat, or the weights are unusable.

    Source:
        Garg et al., ICCV 2019, who weight the correlation of the ranks, not the ranks. Equal values share their mean
        rank here (an 8-bit truth has many); their code ranks them in raster order.
    """
    x, y, w = _prepare(map, truth, weights)
    one, other = _standardize(_ranks(x), w), _standardize(_ranks(y), w)
    correlation = float(w @ (one * other))
    return 1 - min(1.0, abs(correlation))


def _least_absolute(x: Array, y: Array, w: Array) -> float:
    """Return the least weighted mean of |y - a x - b|, by reweighted least squares from the plain fit on."""
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
    """Return gain and offset of the weighted least squares from x to y; gain 0 if x is flat."""
    total = w.sum()
    mean_x, mean_y = w @ x / total, w @ y / total
    centered = x - mean_x
    variance = w @ centered**2
    a = float(w @ (centered * (y - mean_y)) / variance) if variance > 0 else 0.0
    return a, float(mean_y - a * mean_x)


def _median(values: Array, w: Array) -> float:
    order = np.argsort(values)
    reached = np.cumsum(w[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


def _ranks(values: Array) -> Array:
    """Return the rank of each value, 1 for the least; equal values share the mean of their ranks."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[where.ravel()], np.float64)


def _standardize(values: Array, w: Array) -> Array:
    """Return values with mean 0 and variance 1, so that no scale upsets the sums; all 0 for a flat map."""
    centered = values - w @ values
    reach = float(np.abs(centered).max())
    if reach <= 1e-12 * float(np.abs(values).max()):
        return np.zeros_like(values)
    centered /= reach
    return np.asarray(centered / np.sqrt(w @ centered**2), np.float64)


def _prepare(
    map: NDArray[Any], truth: NDArray[Any], weights: NDArray[Any] | None
) -> tuple[Array, Array, Array]:
    """Return the pixels of weight above 0 as flat float64 arrays, and their weights, of sum 1."""
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
        raise PairError("the truth is flat where it has weight and has no order; give another scene's")
    return x, y, w / w.sum()
