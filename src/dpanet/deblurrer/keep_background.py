"""How much each pixel is sharpened where the background, or the foreground, is to keep its blur. NumPy only."""

from __future__ import annotations

from typing import Any

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

CELL = 8
"""Px of a side of the cells in which weights are carried over to places without evidence of blur."""

_FILL_REACH = 12
"""Cells from the middle of a window to its side, in which such evidence is looked for."""

FILL_CONTEXT = (2 * _FILL_REACH + 3) * CELL
"""Px up to which a pixel's weight depends on others in `fill_flat_places`: two windows and what they begin with."""

_EVIDENCE = 0.005**2
"""Mean square of the differences along rows, in display values, at which the defocus map is believed by half."""

_COLOR_SMOOTHNESS = 1e-3
"""Variance of colors above which weights that are carried over follow them."""


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


def fill_flat_places(weight: NDArray[np.float32], combined: Pixels) -> NDArray[np.float32]:
    """Carry weights over to places where nothing shows how blurred they are.

    The two views differ along rows only, and only where the picture changes along them. On a bare wall the defocus
    map is a guess, which often has the wrong sign. There, the weights become the linear function of the colors that
    comes closest to the weights around them, each counted as much as its place has evidence.

    Args:
        weight: H x W, 0..1.
        combined: (H, W, 3), display-encoded. Its rows begin at a multiple of CELL in the whole picture.

    Returns:
        H x W, 0..1.

    Source:
        The guided filter of colors (He, Sun and Tang, 2013), on cells of 8 x 8 px, with weighted means.
    """
    if weight.size == 0 or weight.min() == weight.max():
        return weight
    blocks = [
        _mean_of_cells(np.ascontiguousarray(combined[..., channel]).clip(0, 1), 4) for channel in range(3)
    ]
    brightness = np.pad(sum(blocks) / 3, ((0, 0), (1, 1)), mode="edge")
    difference = brightness[:, 2:] - brightness[:, :-2]
    evidence = window_mean(_mean_of_cells(difference * difference, 2), 3) ** 2
    trust = np.minimum(1, 1.01 * evidence / (evidence + _EVIDENCE**2))  # wholly, from ten times that on
    colors = [_mean_of_cells(block, 2) for block in blocks]
    filled = _fit_colors(_mean_of_cells(weight, CELL), colors, trust + 1e-4)
    change = _enlarge(filled, weight.shape) - weight
    change[np.abs(change) < 1e-6] = 0  # what is alike around stays exactly so
    return weight + _enlarge(1 - trust, weight.shape) * change


def _fit_colors(
    weight: NDArray[np.float64], colors: list[NDArray[np.float64]], trust: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the linear function of three colors that is closest to the weights of each window, 0..1."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return window_mean(values, 2 * _FILL_REACH + 1)

    total = mean(trust)
    weight_mean = mean(trust * weight) / total
    means = [mean(trust * color) / total for color in colors]
    covariance = np.empty((*weight.shape, 3, 3))
    target = np.empty((*weight.shape, 3, 1))
    for i in range(3):
        target[..., i, 0] = mean(trust * colors[i] * weight) / total - means[i] * weight_mean
        for j in range(i + 1):
            covariance[..., i, j] = mean(trust * colors[i] * colors[j]) / total - means[i] * means[j]
            covariance[..., j, i] = covariance[..., i, j]
    slopes = np.linalg.solve(covariance + _COLOR_SMOOTHNESS * np.eye(3), target)[..., 0]
    start = weight_mean - sum(slopes[..., i] * means[i] for i in range(3))
    fitted = mean(total * start) + sum(mean(total * slopes[..., i]) * colors[i] for i in range(3))
    return (fitted / mean(total)).clip(0, 1)


def _enlarge(cells: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float32]:
    enlarged = np.repeat(np.repeat(cells.astype(np.float32), CELL, axis=0), CELL, axis=1)
    return enlarged[: shape[0], : shape[1]]


def _mean_of_cells(values: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return the mean of each `side` x `side` px; the last cells are completed by repeating the border."""
    height, width = values.shape
    padded = np.pad(values, ((0, -height % side), (0, -width % side)), mode="edge")
    parts = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)
    means: NDArray[np.float64] = parts.mean(axis=(1, 3), dtype=np.float64)
    return means


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
    guide = np.clip(combined.mean(axis=-1), 0, 1) - np.float32(0.5)  # small values lose least in float32
    target = weight - np.float32(0.5)
    guide_mean, target_mean = window_mean(guide, width), window_mean(target, width)
    variance = window_mean(guide * guide, width) - guide_mean * guide_mean
    slope = (window_mean(guide * target, width) - guide_mean * target_mean) / (
        variance + np.float32(_SMOOTHNESS)
    )
    start = target_mean - slope * guide_mean
    followed = window_mean(slope, width) * guide + window_mean(start, width)
    flat = np.abs(followed - target) < 1e-6  # what is wholly sharpened or not stays exactly so
    followed += np.float32(0.5)
    return np.where(flat, weight, np.clip(followed, 0, 1))
