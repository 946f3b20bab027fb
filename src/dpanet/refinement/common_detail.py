"""Detail that both views share although the lens passes none of it: what a compression left, not a sensor.

Blur of several px takes the finest detail away, so that noise alone is left there. The noise of a sensor differs
between the views. What a codec wrote is alike in both, since it predicts one from the other; no lens explains it, and
a correction by the optics makes it stronger.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels

BLURRED = 6.0
"""Px of the blur radius from which on no finest detail is left."""

LEAST = 0.02
"""Share of the pair that must be blurred so, or nothing can be said."""

TAPS = np.exp(-0.5 * np.square(np.arange(-2, 3) / 0.6)).astype(np.float32)
TAPS /= TAPS.sum()
"""Of the Gaussian that is taken off, of 0.6 px."""

STRIP = 128
"""Rows that are measured at once."""

_REACH = len(TAPS) // 2


def measure_common_detail(left: Pixels, right: Pixels, radius: NDArray[np.float32]) -> float:
    """Return the correlation of the finest detail of two views where they are blurred.

    Measured on a Pixel 4: -0.08 to 0.02; on frames of compressed videos: 0.18 to 0.46.

    Args:
        left: the left view, (H, W, 3), proportional to light.
        right: the right view, of the same shape and light.
        radius: (H, W), signed blur radius in px.

    Returns:
        -1 to 1; 0 where too little is blurred, or blurred places have no detail at all.
    """
    sums = np.zeros(3)
    count = 0
    for top in range(0, len(left), STRIP):
        rows = slice(top, min(top + STRIP, len(left)))
        blurred = np.abs(radius[rows]) >= BLURRED
        if not blurred.any():
            continue
        around = np.arange(rows.start - _REACH, rows.stop + _REACH).clip(0, len(left) - 1)
        one, other = (_finest(view[around].mean(2, dtype=np.float32))[blurred] for view in (left, right))
        light = (left[rows].mean(2) + right[rows].mean(2))[blurred]
        weight = 1 / np.maximum(light, 1e-3 * light.max() + 1e-9)  # as the variance of shot noise
        sums += [np.sum(weight * product) for product in (one * other, one * one, other * other)]
        count += len(light)
    common, squares = sums[0], np.sqrt(sums[1] * sums[2])
    return float(common / squares) if count > LEAST * radius.size and squares > 0 else 0.0


def _finest(light: Pixels) -> Pixels:
    """Return what a Gaussian does not pass, (h - 4, W), of (h, W)."""
    count = len(light) - 2 * _REACH
    padded = np.pad(light, ((0, 0), (_REACH, _REACH)), "edge")
    smooth = sum(weight * padded[shift : shift + count] for shift, weight in enumerate(TAPS))
    smooth = sum(weight * smooth[:, shift : shift + light.shape[1]] for shift, weight in enumerate(TAPS))
    finest: Pixels = light[_REACH : _REACH + count] - smooth
    return finest
