"""The smooth field of brightness by which the two views differ.

Off the axis each half of the lens is shaded in its own way, and the halves of a sensor differ besides: by up to two
fifths on a Pixel 4, whose white sheets take it off. Without them it is measured on the pair itself: the logarithm of
the ratio of local means, far larger than any blur, as a cubic over the field. Blur moves what is bright by some px,
in opposite directions in both views, so places where brightness changes along rows count less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels
from dpanet.refinement.evidence import BLOCK
from dpanet.refinement.scale_map import average

DEGREE = 3
"""Highest degree of the field; a square leaves two fifths of what a Pixel 4 has, a cubic a seventh."""

RADIUS = 24.0
"""Standard deviation in px of the Gaussian mean."""

SHIFT = 10.0
"""By how many px blur may move the views against each other."""

TOLERANCE = 0.02
"""Logarithm of a ratio that counts half if such a shift can make it."""

SMALLEST = 320
"""Px a side from which a field is measured."""

CLEAR = (0.04, 0.06)
"""Root mean square of the field: up to the first it is left alone, since scenes with even views show as much; from
the second on it is taken off wholly."""

ROUNDS = 10
"""Of reweighting, so that what does not fit the field counts less."""

_FAINT = 1e-6


def equalize_views(left: Pixels, right: Pixels) -> tuple[Pixels, Pixels] | None:
    """Return views of even brightness, whose mean is as bright as before; None if they are even.

    Args:
        left: the left view, (H, W, 3), proportional to light.
        right: the right view, of the same shape and light.
    """
    if min(left.shape[:2]) < SMALLEST:
        return None
    coefficients = _measure(left, right)
    height, width = left.shape[:2]
    down, across = _line(height), _line(width)
    size = float(np.sqrt(np.mean(np.square(_field(coefficients, down[::BLOCK], across[::BLOCK])))))
    share = float(np.interp(size, CLEAR, (0, 1)))
    if share == 0:
        return None
    even = np.empty_like(left), np.empty_like(right)
    for row in range(height):  # one by one, so that a large pair needs little more memory
        half = share * _field(coefficients, down[row : row + 1], across)[0] / 2
        for view, source, sign in ((even[0], left, -1), (even[1], right, 1)):
            view[row] = source[row] * (np.exp(sign * half) * np.cosh(half)).astype(np.float32)[:, None]
    return even


def _measure(left: Pixels, right: Pixels) -> NDArray[np.float64]:
    """Return the coefficients of the field, log(left / right)."""
    rows, columns = (side // BLOCK for side in left.shape[:2])
    means = [
        average(
            view[: BLOCK * rows, : BLOCK * columns]
            .reshape(rows, BLOCK, columns, -1)
            .mean((1, 3), np.float64),
            RADIUS,
        )
        for view in (left, right)
    ]
    means = [np.maximum(mean, 0) for mean in means]  # the dark of a raw reading has values below black
    light = means[0] + means[1]
    slope = np.gradient(np.log(light + _FAINT), axis=1) / BLOCK
    ratio = np.log((means[0] + _FAINT) / (means[1] + _FAINT)).ravel()
    weight = (light / (light.max() + _FAINT) / (1 + np.square(SHIFT * slope / TOLERANCE))).ravel()
    terms = _terms(_line(rows), _line(columns)).reshape(ratio.size, -1)
    counted = weight
    for _ in range(ROUNDS):
        root = np.sqrt(counted)
        coefficients: NDArray[np.float64] = np.linalg.lstsq(terms * root[:, None], ratio * root)[0]
        error = np.abs(ratio - terms @ coefficients)
        counted = weight / np.maximum(1, error / (2 * np.median(error) + _FAINT))
    return coefficients


def _line(count: int) -> NDArray[np.float64]:
    """Return the places of pixels along a side, -1..1."""
    line: NDArray[np.float64] = (np.arange(count) + 0.5) / count * 2 - 1
    return line


def _terms(down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of powers at all places, (rows, columns, terms)."""
    powers = [(n, m) for n in range(DEGREE + 1) for m in range(DEGREE + 1 - n)]
    terms: NDArray[np.float64] = np.stack([down[:, None] ** n * across**m for n, m in powers], -1)
    return terms


def _field(
    coefficients: NDArray[np.float64], down: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    field: NDArray[np.float64] = _terms(down, across) @ coefficients
    return field
