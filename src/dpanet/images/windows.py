"""Means and maxima over a square window that slides over a picture, with the edges replicated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STRIP = 512
"""Rows that are worked on at once, so that the intermediate results stay small."""


def window_mean(values: NDArray[Any], width: int) -> NDArray[Any]:
    """Return the mean over `width` x `width` px around each pixel, edges replicated.

    Args:
        values: H x W, of a floating type.
        width: of the window in px, odd.

    Returns:
        H x W, of the same type. Where all values of a window are 0, it is exactly 0.
    """
    return _slide(values, width, np.add, np.asarray(1 / width**2, values.dtype))


def window_any(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the pixels that have one of the mask within `reach` rows and columns.

    Args:
        mask: H x W.
        reach: in px; 0 returns the mask itself.
    """
    return _slide(mask, 2 * reach + 1, np.logical_or)


def _slide(
    values: NDArray[Any], width: int, combine: Callable[..., NDArray[Any]], factor: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Combine the values of each window, strip by strip; strips of zeros stay zero."""
    height, margin = values.shape[0], width // 2
    result = np.zeros_like(values)
    for top in range(0, height, _STRIP):
        rows = np.arange(top - margin, min(top + _STRIP, height) + margin).clip(0, height - 1)
        strip = values[rows[0] : rows[-1] + 1]
        if not strip.any():
            continue
        strip = _combine_runs(values[rows], width, combine)
        strip = np.pad(strip, ((0, 0), (margin, margin)), mode="edge")
        strip = _combine_runs(strip.T, width, combine).T
        result[top : top + _STRIP] = strip if factor is None else strip * factor
    return result


def _combine_runs(values: NDArray[Any], width: int, combine: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    """Return values[i] to values[i + width - 1] combined along the first axis, for each i that has all of them.

    Runs of 1, 2, 4, 8 ... values are combined from two runs of half the length; those that make up `width` are
    combined to the result.
    """
    count = values.shape[0] - width + 1
    runs, length, start = values, 1, 0
    result: NDArray[Any] | None = None
    while True:
        if width & length:
            part = runs[start : start + count]
            result = part.copy() if result is None else combine(result, part, out=result)
            start += length
        if 2 * length > width:
            assert result is not None
            return result
        runs = combine(runs[:-length], runs[length:])
        length *= 2
