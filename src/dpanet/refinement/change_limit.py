"""The limit of what refinement may change, a share of the light and contrast around.

What a lens hardly passes comes back with rings beside strong edges. Where the picture is bright nobody sees them; in
the dark they are contours that the scene does not have, since a display shows small differences of little light as
large ones.
"""

from __future__ import annotations

import numpy as np

from dpanet.pair import Pixels

SHARE, CONTRAST = 0.02, 0.25
"""Largest change: so much of the brightest light nearby and of the contrast there. On bare surfaces rings show."""

NEARBY = 3
"""Px along rows and columns within which light is nearby."""

TAPS = np.exp(-0.5 * np.square(np.arange(-6, 7) / 2.0)).astype(np.float32)
TAPS /= TAPS.sum()
"""Of the Gaussian that smooths the limit, of 2 px."""

BORDER = NEARBY + len(TAPS) // 2
"""Px around a pixel that its limit depends on."""

DARKER = 0.7
"""Least light of a pixel, as a share of the darkest nearby: a rim of black beside a bright edge is none of the
scene's."""

DARKEST = 0.002
"""Change that is allowed where there is no light, as a share of the mean of the picture."""

STRIP = 64
"""Rows that are limited at once, so that a large picture needs little more memory."""


def limit_change(picture: Pixels, refined: Pixels) -> None:
    """Bring a refined picture nearer to the network's where it differs too much; of a pixel, all channels alike.

    Args:
        picture: of the network, (H, W, 3), proportional to light.
        refined: of the same shape and light; changed in place.
    """
    light = np.maximum(picture.mean(2, dtype=np.float32), 0)
    faintest = np.float32(DARKEST * light.mean() + 1e-9)
    inner = slice(len(TAPS) // 2, -(len(TAPS) // 2))
    for top in range(0, len(picture), STRIP):
        rows = slice(top, min(top + STRIP, len(picture)))
        around = np.arange(rows.start - BORDER, rows.stop + BORDER).clip(0, len(picture) - 1)
        padded = np.pad(light[around], ((0, 0), (BORDER, BORDER)), "edge")
        brightest, darkest = _largest(padded), -_largest(-padded)
        bright, contrast = _smooth(brightest), _smooth(brightest - darkest)
        limit = np.float32(SHARE) * bright + np.float32(CONTRAST) * contrast + faintest
        change = refined[rows] - picture[rows]
        change *= (limit / np.maximum(np.abs(change).max(2), limit))[..., None]
        refined[rows] = picture[rows] + change
        missing = np.float32(DARKER) * darkest[inner, inner] - refined[rows].mean(2)
        refined[rows] += np.maximum(missing, 0)[..., None]


def _largest(light: Pixels) -> Pixels:
    """Return the largest of neighbors along rows and columns; `NEARBY` px less on every side."""
    for _ in range(2):
        count = len(light) - 2 * NEARBY
        largest = light[:count].copy()
        for shift in range(1, 2 * NEARBY + 1):
            np.maximum(largest, light[shift : shift + count], out=largest)
        light = largest.T
    return light


def _smooth(light: Pixels) -> Pixels:
    """Return the Gaussian mean; half of the `TAPS` less on every side."""
    for _ in range(2):
        count = len(light) - len(TAPS) + 1
        mean = np.zeros_like(light[:count])
        for shift, weight in enumerate(TAPS):
            mean += weight * light[shift : shift + count]
        light = mean.T
    return light
