"""The limit of what refinement may change, a share of the light around.

What a lens hardly passes comes back with rings beside strong edges. Where the picture is bright nobody sees them; in
the dark they are contours that the scene does not have, since a display shows small differences of little light as
large ones.
"""

from __future__ import annotations

import cv2
import numpy as np

from dpanet.pair import Pixels

SHARE = 0.25
"""Largest change, as a share of the brightest light nearby."""

NEARBY = 3
"""Radius in px within which light is nearby."""

SMOOTH = 2.0
"""Standard deviation in px of the Gaussian that smooths the limit."""

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
    side = 2 * NEARBY + 1
    brightest = cv2.dilate(light, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    brightest = cv2.GaussianBlur(brightest, (0, 0), SMOOTH)
    darkest = np.float32(DARKEST * light.mean() + 1e-9)
    for top in range(0, len(picture), STRIP):
        rows = slice(top, top + STRIP)
        change = refined[rows] - picture[rows]
        limit = np.float32(SHARE) * brightest[rows] + darkest
        change *= (limit / np.maximum(np.abs(change).max(2), limit))[..., None]
        refined[rows] = picture[rows] + change
