"""How much each pixel is sharpened where the background, or the foreground, is to keep its blur. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.images.windows import window_mean
from dpanet.pair import Pixels

DEFAULT_RADIUS = 4.0
"""Blur radius in px up to which a picture is sharpened, where none is named."""

_SMOOTHNESS = 1e-4
"""Variance of the guide, 0.01 ** 2, above which the weights follow its edges."""

_LONGEST = 32
"""Px that the weights look around at most."""


def weight_of_radius(
    radius: NDArray[np.float32], background: float | None, foreground: float | None
) -> NDArray[np.float32]:
    """Return how much a pixel of each signed blur radius is sharpened: 1 wholly, 0 not at all.

    A smooth step: 1 up to the chosen radius, 0 from half as much again (at least 1 px more).

    Args:
        radius: any shape, px; positive behind the focal plane.
        background: radius in px up to which is sharpened what lies behind the focal plane; None for all.
        foreground: likewise in front of it.

    Returns:
        The same shape, 0..1.
    """
    weight = np.ones_like(radius, np.float32)
    for limit, side in ((background, radius), (foreground, -radius)):
        if limit is not None:
            share = np.clip((side - np.float32(limit)) / np.float32(max(1.0, limit / 2)), 0, 1)
            weight *= 1 - share * share * (3 - 2 * share)
    return weight


def find_reach(background: float | None, foreground: float | None) -> int:
    """Return over how many px `follow_edges` looks for edges: three times the chosen radius, 4 to 32."""
    limit = max(limit for limit in (background, foreground, 0.0) if limit is not None)
    return min(_LONGEST, max(4, round(3 * limit)))


def follow_edges(weight: NDArray[np.float32], combined: Pixels, reach: int) -> NDArray[np.float32]:
    """Move the borders of weights to the edges of the picture near them.

    A defocus map is smooth across the border of a sharp thing, so that a strip of the background around it would be
    sharpened, a halo. The weights become, over each window, the linear function of the picture's brightness that
    comes closest to them. Where they are all equal, they stay as they are.

    Args:
        weight: H x W, 0..1.
        combined: (H, W, 3), display-encoded: the picture whose edges are followed.
        reach: px from the middle of the window to its side. A pixel depends on others up to twice as far.

    Returns:
        H x W, 0..1.

    Source:
        He, Sun and Tang, Guided Image Filtering, 2013: a guided filter of the mean of the channels.
    """
    if weight.size == 0 or weight.min() == weight.max():
        return weight
    width = 2 * reach + 1
    guide = np.clip(combined.mean(axis=-1, dtype=np.float64), 0, 1)
    target = weight.astype(np.float64)
    guide_mean, target_mean = window_mean(guide, width), window_mean(target, width)
    variance = window_mean(guide * guide, width) - guide_mean * guide_mean
    slope = (window_mean(guide * target, width) - guide_mean * target_mean) / (variance + _SMOOTHNESS)
    start = target_mean - slope * guide_mean
    followed = window_mean(slope, width) * guide + window_mean(start, width)
    flat = np.abs(followed - target) < 1e-9  # what is wholly sharpened or not stays exactly so
    return np.where(flat, target, np.clip(followed, 0, 1)).astype(np.float32)
