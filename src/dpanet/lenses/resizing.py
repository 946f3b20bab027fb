"""Kernels sampled in whole pixels, recentered and resized to any signed blur scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError
from dpanet.lenses.lens import SIZE, KernelPairs

Array = NDArray[np.float64]


def common_centroid(pairs: Array) -> tuple[Array, Array]:
    """Return x and y (N,) in px of the centroid common to both views of pairs (N, 2, K, K) that each sum to 1."""
    line = np.arange(pairs.shape[-1]) - pairs.shape[-1] // 2
    return (pairs.sum(-2) @ line).mean(1), (pairs.sum(-1) @ line).mean(1)


def width_with_light(pairs: Array) -> int:
    """Return the side in px of the centered square that holds all the light of pairs (N, 2, K, K)."""
    lit = pairs.max((0, 1)) > 0
    distance = np.abs(np.arange(pairs.shape[-1]) - pairs.shape[-1] // 2)
    return int(2 * distance[lit.any(0) | lit.any(1)].max() + 1)


def largest_scale(width: int) -> float:
    """Return the largest |scale| at which kernels of `width` px fit into `SIZE`, but for half a pixel a side."""
    return (SIZE + 1) / width


def check_scales(scales: Sequence[float], largest: float) -> None:
    """Raise ConfigError if a scale is beyond +-`largest`, or not a number."""
    for scale in scales:
        if not abs(scale) <= largest * (1 + 1e-6):
            raise ConfigError(
                f"the blur scale is {scale:g}, but of this lens no more than {largest:.3f} fits into {SIZE} px; "
                "choose less"
            )


def resize_pair(pair: Array, scales: Sequence[float]) -> KernelPairs:
    """Resize one kernel pair to N signed scales, its common centroid moved to the middle.

    k_s(p) = k(p / s) / s**2, each value an even square of |s| px, summed over each pixel; s < 0 turns by 180
    degrees. Light beyond `SIZE` is cut off, and the rest sums to 1.

    Args:    pair: (2, K, K), each kernel summing to 1.
    Returns: (N, 2, SIZE, SIZE).
    """
    x, y = common_centroid(pair[None])
    signed = np.array(scales, np.float64)
    across, down = (_shares(center[0], signed, pair.shape[-1]) for center in (x, y))
    kernels = down[:, None] @ pair @ across[:, None].swapaxes(-1, -2)
    return np.asarray(kernels / kernels.sum((-1, -2), keepdims=True), np.float32)


def resize(values: Array, scales: Sequence[float]) -> Array:
    """Resize values about their middle as `resize_pair` does; the sum of each stays.

    Args:    values: (..., K, K).
    Returns: (N, ..., SIZE, SIZE).
    """
    shares = _shares(0.0, np.array(scales, np.float64), values.shape[-1])
    shares = shares.reshape(len(shares), *(1,) * (values.ndim - 2), *shares.shape[1:])
    return np.asarray(shares @ values @ shares.swapaxes(-1, -2), np.float64)


def _shares(center: float, scales: Array, count: int) -> Array:
    """Compute how much of each of `count` values along one axis falls into each pixel: (N, SIZE, count), 0..1."""
    width = np.maximum(np.abs(scales), 1e-4)[:, None, None]
    values = scales[:, None, None] * (np.arange(count) - count // 2 - center)
    pixels = np.arange(SIZE)[:, None] - SIZE // 2
    top = np.minimum(pixels + 0.5, values + width / 2)
    bottom = np.maximum(pixels - 0.5, values - width / 2)
    return np.asarray((top - bottom).clip(0) / width, np.float64)
