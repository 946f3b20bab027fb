"""Notice two files that are not the two views of one capture: twice the same picture, or two photographs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.decoded_image import CodeRows, Codes, ImageFile
from dpanet.errors import ImageWarning, shown
from dpanet.images.value_scale import Values

_SIDE = 256
"""Px of the longer side of the reduced views, at most."""

_SMALLEST = 64
"""Px of the shorter side of views, also of the reduced ones, below which too little is seen to judge."""

_WINDOW = 17
"""Side in px of the window whose mean is taken off: light and shade of large areas are alike in many photographs."""

_SHIFT = 16
"""Px of the reduced views by which they are shifted at most, along the rows or along the columns."""

_ACROSS = 2
"""Px of the shifts across that direction."""

_NOISE = 0.3
"""Share of what is seen that neighbors have in common, below which it is taken for noise."""

_FLAT = 0.02
"""Contrast, as a share of the mean, below which the views show too little to judge."""

_ALIKE = 0.2
"""Correlation of the views of one capture at least: those of real captures have more than 0.5, those of different
photographs hardly ever this much."""


def warn_unless_views(
    left: ImageFile[CodeRows], right: ImageFile[CodeRows], values: Sequence[Values] = ()
) -> None:
    """Warn if two pictures of one size are the same, or do not show the same scene.

    Nothing is said about views that show too little to judge: small, flat or mostly noise.

    Args:
        left: of the left view.
        right: of the right view.
        values: of both, whose samples are compared instead of codes that are not in memory.
    """
    files = f"{shown(left.path)} and {shown(right.path)}"
    first, second = (
        view.codes if isinstance(view.codes, np.ndarray) else seen.sample
        for view, seen in zip_longest((left, right), values)
    )
    if np.array_equal(first, second):
        if min(first.shape[:2]) >= _SMALLEST and first.min() < first.max():
            _warn(f"{files} are the same picture; export both views")
        return
    likeness = measure_likeness(first, second)
    if likeness is not None and likeness < _ALIKE:
        _warn(f"{files} do not look like two views of one capture; check that they belong together")


def measure_likeness(left: Codes, right: Codes) -> float | None:
    """Return the largest correlation of the structure of two views over small shifts; None if they show too little.

    The noise of the views does not count: their own strength is taken from what neighbors have in common.

    Args:
        left: H x W or H x W x 3.
        right: of the same shape.
    """
    views = [_reduce(view) for view in (left, right)]
    if min(views[0].shape) < _SMALLEST:
        return None
    spectra, strengths = [], []
    for view in views:
        if not np.isfinite(view).all():
            return None
        structure = view - _window_means(view)
        variance = float(np.mean(structure**2))
        rows, columns = (np.mean(structure * np.roll(structure, 1, axis)) for axis in (0, 1))
        strength = float(min(rows, columns))
        if strength <= _NOISE * variance or strength < (_FLAT * float(view.mean())) ** 2:
            return None
        spectra.append(np.fft.rfft2(structure))
        strengths.append(strength)
    shape = views[0].shape
    product = np.fft.irfft2(spectra[0] * spectra[1].conj(), shape) / views[0].size
    near = [np.minimum(np.arange(side), side - np.arange(side)) for side in shape]
    along, across = ([place <= limit for place in near] for limit in (_SHIFT, _ACROSS))
    allowed = np.outer(along[0], across[1]) | np.outer(across[0], along[1])
    return float(product[allowed].max() / np.sqrt(strengths[0] * strengths[1]))


def _reduce(view: Codes) -> NDArray[np.float32]:
    """Return the means of square blocks of a view, of its green if it is in color."""
    plane = view if view.ndim == 2 else view[..., 1]
    factor = -(-max(plane.shape) // _SIDE)
    height, width = (side // factor for side in plane.shape)
    columns = np.arange(0, width * factor, factor)
    small = np.empty((height, width), np.float32)
    for row in range(height):
        block = plane[row * factor : (row + 1) * factor, : width * factor]
        small[row] = np.add.reduceat(block.sum(axis=0, dtype=np.float32), columns)
    small /= factor**2
    return small


def _window_means(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the square window around each px; borders are mirrored."""
    radius = _WINDOW // 2
    sums: NDArray[np.float64] = np.pad(plane, radius, mode="reflect").astype(np.float64)
    for axis in (0, 1):
        total = np.insert(np.cumsum(sums, axis), 0, 0.0, axis)
        length = total.shape[axis]
        sums = np.take(total, range(_WINDOW, length), axis) - np.take(total, range(length - _WINDOW), axis)
    return (sums / _WINDOW**2).astype(np.float32)


def _warn(sentence: str) -> None:
    warnings.warn(ImageWarning(sentence), stacklevel=4)
