"""A texture, and its views by kernels, made by SciPy's convolution."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from dpanet.pair import Pixels


def draw_texture(side: int, seed: int = 5) -> Pixels:
    """Return texture of many sizes, (side, side, 3), one channel repeated; light."""
    random = np.random.default_rng(seed)
    layers = [gaussian_filter(random.standard_normal((side, side)), sigma) for sigma in (0.8, 2, 5)]
    picture = sum(layer / layer.std() for layer in layers)
    light = (0.4 + 0.07 * picture).clip(0, 1).astype(np.float32)
    return np.repeat(light[..., None], 3, -1)


def blur_views(picture: Pixels, kernels: NDArray[np.float32], noise: float = 0.0) -> tuple[Pixels, Pixels]:
    """Return the views by a kernel pair (2, K, K)."""
    views = []
    for view, kernel in enumerate(kernels):
        padded = np.pad(picture[..., 0], len(kernel) // 2, "reflect")
        blurred = fftconvolve(padded, kernel, "valid")
        blurred += noise * np.random.default_rng(view).standard_normal(blurred.shape)
        views.append(np.repeat(blurred.astype(np.float32)[..., None], 3, -1))
    return views[0], views[1]


def make_soft(picture: Pixels) -> Pixels:
    """Return the picture as a network returns it: its finest details are missing, others are faint."""
    soft = gaussian_filter(picture, (1, 1, 0))
    faint = gaussian_filter(soft, (2, 2, 0)) - gaussian_filter(soft, (8, 8, 0))
    return np.asarray(soft - np.float32(0.15) * faint, np.float32)
