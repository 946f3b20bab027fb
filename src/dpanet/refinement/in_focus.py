"""Places in focus, which stay as they are: there the picture is the mean of the views. NumPy only.

Networks give halos to what is sharp already. A place is in focus if both hold, in its finest details (green channel):

- The views lie over each other. Blur moves their details apart along rows, by s px: then the squared slopes of their
  difference are s^2 times the squared curvature along rows. Noise also differs; its share, known from the finest
  diagonal band of the difference, is taken off.
- Something is finer than blur. The squared difference of pixels two apart is twice that of neighbors at a clean edge,
  and four times that in anything smooth: this is for views that are alike although they are blurred.

Both are means over some 24 px. Where there is no detail, or more noise than detail, nothing is known, and the picture
stays the network's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels

SHIFT = (0.015, 0.03)
"""Square of the shift of the views in px, up to which a place is in focus, and from which it is not. At a blur radius
of half a pixel in the Pixel 4 it is about .006, at one of a pixel about .7."""

SMOOTHNESS = (3.6, 3.8)
"""Squared difference of pixels two apart against that of neighbors, likewise."""

CELL = 8
"""Side in px of the cells in which details are measured."""

_NOISE = 0.25
"""Share of the noise that counts as shift, since its measure is uncertain."""

_LEAST_DETAIL = 3e-6
"""Mean square of the differences between views, of display values, that is added to those that are measured: so
detail of less than a thousandth of white says nothing."""

_STRIP = 8
"""Rows of cells that are worked on at once, so that all of them fit into the processor's cache."""

_PLACES = (np.arange(CELL) + 0.5) / CELL - 0.5
_LINES = np.stack([(-_PLACES).clip(0), 1 - abs(_PLACES), _PLACES.clip(0)], 1).astype(np.float32)
"""(CELL, 3): how much a pixel of a cell gets of the cell before, of its own and of the cell after, linearly."""

Weights = NDArray[np.float32]


def keep_in_focus(output: Pixels, left: Pixels, right: Pixels, first: tuple[int, int] = (0, 0)) -> None:
    """Put the mean of the views into a network's output where they are in focus, with smooth borders.

    A pixel depends on others up to 28 px away, and is not touched where it is out of focus.

    Args:
        output: (H, W, 3 or more), changed in place; channels after the third are not changed.
        left: (H, W, 3), the view in the encoding of the network.
        right: the same of the right view.
        first: (y, x) in the whole picture of the first pixel, so that all tiles measure in the same cells.
    """
    before = first[0] % CELL, first[1] % CELL
    weights = weigh_focus(left, right, before)
    if not weights.any():
        return
    height, width = output.shape[:2]
    padded = np.pad(weights, 1, "edge")
    across = np.concatenate([_LINES @ padded.T[i : i + 3] for i in range(weights.shape[1])])
    across = np.repeat(across[before[1] : before[1] + width].T, 3, 1)  # a weight for each value of a row
    for row in range(len(weights)):
        around = across[row : row + 3]
        if not around.any():
            continue
        top = row * CELL - before[0]
        rows = slice(max(0, top), min(top + CELL, height))
        picture = output[rows, :, :3]
        change = (left[rows] + right[rows]) * np.float32(0.5)
        change -= picture
        change *= (_LINES[rows.start - top : rows.stop - top] @ around).reshape(change.shape)
        picture += change


def weigh_focus(left: Pixels, right: Pixels, before: tuple[int, int] = (0, 0)) -> Weights:
    """Return how far each cell is in focus, 0..1, (h, w) cells.

    Args:
        left: (H, W, 3), display-encoded.
        right: the same.
        before: (rows, columns) of the first cells that lie before the first pixel.
    """
    measured = _measure(left[..., 1], right[..., 1], before)
    difference, noise, curvature, near, far = (_smooth(energy) for energy in measured)
    noise_of_slopes = 4 * noise  # two px along each of two axes
    # The mean of the views has a quarter of the noise of their difference.
    curvature = np.maximum(curvature - np.float32(1.5) * noise, 0)
    near, far = np.maximum(near - noise, 0), far - noise
    tiny = np.float32(1e-12)
    excess = (
        np.maximum(difference - noise_of_slopes, 0) + _NOISE * noise_of_slopes + np.float32(_LEAST_DETAIL)
    )
    weights = _fall(excess / (curvature + tiny), *SHIFT) * _fall(far / (near + tiny), *SMOOTHNESS)
    known: Weights = np.nan_to_num(weights, nan=0.0)
    return known


def _measure(
    left: NDArray[np.float32], right: NDArray[np.float32], before: tuple[int, int]
) -> NDArray[np.float32]:
    """Return five mean squares in cells, (5, h, w).

    In this order: differences of neighbors in the difference of the views; its noise, as the variance of a pixel; and
    of the mean of the views, the curvature along rows, differences of neighbors, and of pixels two apart. Differences
    are along both axes together.
    """
    height, width = left.shape
    rows, columns = (-(-(side + more) // CELL) for side, more in zip((height, width), before, strict=True))
    result = np.empty((5, rows, columns), np.float32)
    for row in range(0, rows, _STRIP):
        count = min(_STRIP, rows - row)
        y = np.arange(row * CELL - 1, (row + count) * CELL + 1) - before[0]
        part = slice(max(0, int(y[0])), min(height, int(y[-1]) + 1))
        padding = [
            (max(0, -int(y[0])), max(0, int(y[-1]) + 1 - height)),
            (before[1] + 1, columns * CELL - width - before[1] + 1),
        ]
        one, other = left[part], right[part]
        d = np.pad(one - other, padding, "edge")
        m = np.pad((one + other) * np.float32(0.5), padding, "edge")
        inner = slice(1, -1)
        slope = d[1:, 2:] - d[1:, 1:-1]
        diagonal = slope[1:] - slope[:-1]
        difference = np.square(slope[:-1])
        difference += np.square(d[2:, inner] - d[inner, inner])
        diagonal *= diagonal
        across = m[inner, 1:] - m[inner, :-1]
        curvature = np.square(across[:, 1:] - across[:, :-1])
        near = np.square(across[:, 1:])
        near += np.square(m[2:, inner] - m[inner, inner])
        far = np.square(m[inner, 2:] - m[inner, :-2])
        far += np.square(m[2:, inner] - m[:-2, inner])
        for energy, squares in zip(
            result[:, row : row + count], (difference, diagonal, curvature, near, far), strict=True
        ):
            sums = squares.reshape(count, CELL, columns * CELL).sum(1)
            energy[:] = sums.reshape(count, columns, CELL).sum(2) / np.float32(CELL**2)
    result[1] *= np.float32(0.25)
    return result


def _smooth(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weighted means over 3 x 3 cells, weights 1 2 1 along each axis."""
    quarter = np.float32(0.25)
    for axis in (0, 1):
        padded = np.pad(energy, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], "edge").swapaxes(0, axis)
        energy = (quarter * (padded[:-2] + 2 * padded[1:-1] + padded[2:])).swapaxes(0, axis)
    return energy


def _fall(values: NDArray[np.float32], first: float, last: float) -> Weights:
    """Return 1 up to `first`, 0 from `last` on, and a smooth fall between."""
    t = ((values - np.float32(first)) / np.float32(last - first)).clip(0, 1)
    fall: Weights = 1 - t * t * (3 - 2 * t)
    return fall
