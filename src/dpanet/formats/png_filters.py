"""The filters of PNG: differences from what is around, which compress better than the values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SUB, _PAETH = 1, 4
"""Numbers of the filters in the specification of PNG."""


def filter_rows(
    data: NDArray[np.uint8], above: NDArray[np.uint8], step: int, *, fast: bool
) -> NDArray[np.uint8]:
    """Return rows of a PNG, each with the number of its filter before it.

    Args:
        data: (rows, bytes of a row).
        above: (1, bytes of a row), the row above these; zeros above the first of the picture.
        step: bytes of a pixel.
        fast: the difference from the pixel on the left (Sub) and not the best guess from three of them (Paeth).
    """
    filtered = np.empty((len(data), 1 + data.shape[1]), np.uint8)
    filtered[:, 0] = _SUB if fast else _PAETH
    if fast:
        filtered[:, 1 : 1 + step] = data[:, :step]
        np.subtract(data[:, step:], data[:, :-step], out=filtered[:, 1 + step :])
        return filtered
    padded = np.zeros((len(data) + 1, step + data.shape[1]), np.int16)
    padded[0, step:], padded[1:, step:] = above[0], data
    left, up, corner = padded[1:, :-step], padded[:-1, step:], padded[:-1, :-step]
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)  # distances of left + up - corner from each
    to_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(to_up <= to_corner, up, corner)
    nearest = np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
    filtered[:, 1:] = data - nearest.astype(np.uint8)
    return filtered
