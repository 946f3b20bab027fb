"""The white of a linear pair, which defective pixels and small, very bright lights do not raise. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from dpanet.images.pixel_rows import Rows
from dpanet.pair import Pixels

_REACH = 5
"""Px on each side of a value that belong to its surroundings, 11 x 11 px."""

_RANK = 31
"""A value is compared with the 31st largest of its surroundings. Fewer than these are a defect: a spot of 5 x 5 px,
two columns or two rows."""

_RATIO = np.float32(2)
"""A value up to twice as large as that one counts in full, from four times on not at all."""

_PERCENT = 98
"""Of the values above 0; lights, such as the sun in the picture, are compared with this percentile."""

_FULL, _LEAST = 6.0, 1.25
"""A maximum up to 6 times the percentile is the white. Above that the white falls, to 1.25 times the percentile."""

_SAMPLES = 2**20
"""About how many values of a view the percentile is computed from."""

_STRIP = 64
"""Rows that are searched at once."""

_BATCH = 2**14
"""Values whose surroundings are sorted at once."""


def find_white(views: Iterable[Rows]) -> float:
    """Return the white of a linear pair: the largest value of its views that is no outlier.

    An outlier is larger than four times the 31st largest value of the 11 x 11 px around it in its channel, such as a
    hot pixel or a hot column; between twice and four times, it counts in part, so that the white changes
    continuously with the pixels. If this value is larger than 6 times the 98th percentile, the white becomes
    smaller again; from 29 times on it is 1.25 times the percentile. In an ordinary picture it is just the
    maximum.

    Args:
        views: (H, W, 3), float32, linear, at least 16 px a side.

    Returns:
        the white, at least the smallest normal float32; 1.0 if there is no light.
    """
    largest, samples = 0.0, []
    for view in views:
        step = _sample_step(view.shape)
        for top, first, rows in _read_strips(view):
            strip = rows[top - first : top - first + _STRIP]
            largest = _largest(rows, strip, top - first, largest)
            samples.append(strip[-top % step :: step, ::step].ravel())
    bright = _percentile(samples)
    white = (
        largest if largest <= _FULL * bright else max(_LEAST * bright, _FULL**2 * bright * (bright / largest))
    )
    return white if white >= np.finfo(np.float32).tiny else 1.0


def _read_strips(view: Rows) -> Iterator[tuple[int, int, Pixels]]:
    """Yield each strip's first row, and rows of the view that contain it and its surroundings, from `first` on."""
    height = view.shape[0]
    for top in range(0, height, _STRIP):
        first = max(
            0, top - 2 * _REACH
        )  # surroundings that end at the edge of the picture reach twice as far
        yield top, first, view[first : top + _STRIP + 2 * _REACH, :]


def _largest(rows: Pixels, strip: Pixels, top: int, largest: float) -> float:
    """Return the larger of `largest` and the largest value of a strip, where outliers are reduced.

    Args:
        rows: (H, W, 3), the strip and its surroundings.
        strip: rows of these, from the row `top` on.
        top: likewise.
        largest: of the strips before.
    """
    y, x, channel = np.nonzero(strip > largest)
    values = strip[y, x, channel]
    order = np.argsort(-values, kind="stable")
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        if values[batch[0]] <= largest:
            break
        around = _surroundings(rows, y[batch] + top, x[batch], channel[batch])
        largest = max(largest, float(_reduce(values[batch], around).max()))
    return largest


def _reduce(values: NDArray[np.float32], around: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values that exceed twice what is around them reduced: at four times, and from there on, to that."""
    around = np.maximum(around, np.float32(0))
    with np.errstate(under="ignore"):
        share = _RATIO * _RATIO * around * (around / values)  # falls from 2 around to around
    return np.where(values <= _RATIO * around, values, np.maximum(around, share))


def _surroundings(
    view: Pixels, y: NDArray[np.intp], x: NDArray[np.intp], channel: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the value of rank `_RANK` in the surroundings of each place, which are moved into the picture."""
    side = np.arange(2 * _REACH + 1)
    rows, columns = (
        np.clip(place - _REACH, 0, length - len(side))[:, None] + side
        for place, length in ((y, view.shape[0]), (x, view.shape[1]))
    )
    windows = view[rows[:, :, None], columns[:, None, :], channel[:, None, None]].reshape(len(y), -1)
    ranked: NDArray[np.float32] = np.partition(windows, -_RANK, axis=1)[:, -_RANK]
    return ranked


def _percentile(samples: Iterable[NDArray[np.float32]]) -> float:
    """Return the percentile of the values above 0; 0 if there are none."""
    values = np.concatenate([part[part > 0] for part in samples])
    return float(np.percentile(values, _PERCENT)) if len(values) else 0.0


def _sample_step(shape: tuple[int, ...]) -> int:
    """Return the step of an even grid of about `_SAMPLES` values."""
    return int(np.ceil(np.sqrt(max(1.0, math.prod(shape) / _SAMPLES))))
