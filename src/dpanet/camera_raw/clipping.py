"""Find in a picture the code at which the sensor is full, where it lies below the stated white level."""

from __future__ import annotations

import numpy as np

from dpanet.camera_raw.views import CLIPPING_MARGIN, Mosaic

LOWEST = 0.6
"""Share of the range above black below which no sensor is full."""
FEWEST = 20
"""Pixels that a pile of full pixels has at least."""
STEEP = 10
"""Times more pixels in the topmost codes than in as many codes below them, where a sensor is full."""
SPREAD = 0.05
"""Share of the range over which the other frame varies where this one is full; a bright even surface does not."""

_STRIP = 512


def find_full_code(both: Mosaic, side: Mosaic, black: float, white: float) -> float | None:
    """Return the code at which the first frame is full; None if the stated white level serves.

    A full sensor piles up pixels at its topmost codes while the other frame, a stop darker, still shows the light
    vary there.

    Args:
        both: the first frame.
        side: the second frame.
        black: code of no light.
        white: the stated white level.
    """
    span = white - black
    band = max(1, round(CLIPPING_MARGIN * span))
    counts = np.zeros(65536, np.int64)
    for top in range(0, both.shape[0], _STRIP):
        counts += np.bincount(both[top : top + _STRIP].ravel(), minlength=65536)
    above = counts[::-1].cumsum()[::-1]
    highest = int(
        np.flatnonzero(above >= max(FEWEST, 2e-5 * both.size)).max(initial=0)
    )  # hot pixels lie higher
    if not black + LOWEST * span < highest < white - 2 * band:
        return None
    first = highest - band
    pile, below = int(above[first]), int(above[first - 2 * band] - above[first]) / 2
    if pile < max(FEWEST, STEEP * below):
        return None
    low, high = np.quantile(side[both >= first], (0.1, 0.9))
    return float(highest) if high - low >= SPREAD * span else None
