"""Estimate the noise of a view from what smooth parts have left after a second difference along both axes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

KERNEL = np.outer((1, -2, 1), (1, -2, 1)).astype(np.float32) / 6
"""It removes planes and all straight edges along an axis, and keeps the standard deviation of white noise.
Source: Immerkaer, Computer Vision and Image Understanding 64, 1996."""

BLOCK = 32
"""Side in px of the blocks whose standard deviations are compared."""

SMOOTH_SHARE = 0.25
"""Quantile of the blocks. Noise is measured in the smoothest quarter; the other blocks contain detail."""


def estimate_noise(view: NDArray[np.float32], windows: int = 6, side: int = 160) -> float:
    """Estimate the standard deviation of the noise in the smoother parts of a view, in its own units.

    Args:
        view: (H, W), float32; 1.0 = white. Clipped parts, at or below 0 and at the largest value, are left out.
        windows: per axis, spread evenly over the picture; other parts are not looked at.
        side: of a window, px.

    Returns:
        0 for a picture without any noise; NaN if nothing can be measured, because all is clipped or it is too small.
    """
    height, width = view.shape
    tall, wide = min(side, height), min(side, width)
    block = min(BLOCK, tall - 2, wide - 2)
    if block < 8:
        return float("nan")
    top_value = float(view.max())
    tops = np.unique(np.linspace(0, height - tall, windows).astype(int))
    firsts = np.unique(np.linspace(0, width - wide, windows).astype(int))
    deviations = []
    for top in tops:
        for first in firsts:
            window = view[top : top + tall, first : first + wide]
            rest = cv2.filter2D(window, cv2.CV_32F, KERNEL)[1:-1, 1:-1]
            inner = window[1:-1, 1:-1]
            for y in range(0, rest.shape[0] - block + 1, block):
                for x in range(0, rest.shape[1] - block + 1, block):
                    values = inner[y : y + block, x : x + block]
                    if values.min() > 0 and values.max() < top_value:
                        deviations.append(float(rest[y : y + block, x : x + block].std()))
    if not deviations:
        return 0.0 if float(view.min()) == top_value else float("nan")
    return float(np.quantile(deviations, SMOOTH_SHARE))
