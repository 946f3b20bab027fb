"""Refinement by the optics: what the network's picture does not explain of the views is put back into it.

For a blur scale s, with the kernels K_v of that place and scale and the residuals r_v = y_v - K_v x of the views y_v,
the picture x is corrected by

    d_s = sum_v conj(K_v) r_v / (sum_v |K_v|^2 + BALANCE)

(Fourier domain, linear light). Which scale holds where is judged by the evidence E_s, a Gaussian mean of sum_v r_v^2:
the correction is the mean of all d_s with the weights softmax(-(E_s / min E - 1) / TEMPERATURE). Where the smallest
E_s is hardly above the noise of the views, the picture explains them, and nothing is corrected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.lenses.lens import Lens
from dpanet.pair import Pixels

BALANCE = 0.05
"""Added to the energy of the kernels: frequencies that they hardly pass are corrected less."""

TEMPERATURE = 0.2
"""Of the softmax: how much worse a scale may explain the views and still count."""

NOISE = 2.0
"""How many times the views' noise a residual must have to be believed in the least."""

EVIDENCE_RADIUS = 20.0
"""Standard deviation in px of the Gaussian mean of the evidence."""

SCALES = (0.07, 0.14, 0.22, 0.32, 0.45, 0.62, 0.82, 1.05, 1.3, 1.6)
"""|scale| that are tried, both signs, and 0. They are closest where blur is small: there it changes fastest."""

CELL = 168
"""Largest side in px of the parts that are corrected with the kernels of their center."""

FEATHER = 24
"""Width in px of the smooth ramp from one part to the next."""

WINDOW = 384
"""Side in px of the window around a part, whose border is context."""

_BLOCK = 8
"""Side in px of the blocks in which the evidence is averaged before its Gaussian mean."""

_COUNTS = 0.02
"""Smallest weight of a scale anywhere in a part with which its correction is computed."""


@dataclass(frozen=True)
class Refined:
    """A refined picture."""

    picture: Pixels
    """(H, W, 3), in the light of the picture that was given."""
    scale: NDArray[np.float32]
    """(H, W), signed blur scale of the lens."""


def refine(
    left: Pixels,
    right: Pixels,
    picture: Pixels,
    lens: Lens,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Refined:
    """Refine a picture by what the lens makes of it.

    Args:
        left: the left view, (H, W, 3), proportional to light, 1.0 = white.
        right: the right view, of the same shape and light.
        picture: of the network, of the same shape and light.
        lens: whose field the picture fills.
        threads: that compute.
        progress: called with (parts done, all parts).

    Raises:
        PairError: for arrays of different shapes.

    Source: the residual step of a deconvolution with known kernels; evidence and mixture are this project's.
    """
    if not left.shape == right.shape == picture.shape or picture.ndim != 3:
        raise PairError(
            f"the views are {left.shape} and {right.shape}, the picture is {picture.shape}; give arrays (H, W, 3) of "
            "one shape"
        )
    is_gray = all(
        np.array_equal(a[..., 0], a[..., 1]) and np.array_equal(a[..., 0], a[..., 2]) for a in (left, right)
    )
    channels = 1 if is_gray else 3
    planes = [np.ascontiguousarray(a[..., :channels].transpose(2, 0, 1)) for a in (left, right, picture)]
    if is_gray:  # of which the network's picture has three nearly equal channels
        planes[2] = picture.mean(2, dtype=np.float32)[None]
    height, width = picture.shape[:2]
    parts = list(cut_parts(height, width))
    total = np.zeros((channels + 1, height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    fitter = _Fitter(lens, height, width)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for done, (part, result) in enumerate(
            zip(parts, pool.map(lambda p: fitter(p, *planes), parts), strict=True)
        ):
            rows, columns = part.rows, part.columns
            total[:, rows, columns] += part.ramp * result
            weight[rows, columns] += part.ramp
            if progress is not None:
                progress(done + 1, len(parts))
    total /= weight
    return Refined(picture + total[:channels].transpose(1, 2, 0), total[-1])


@dataclass(frozen=True)
class Part:
    """A part of a picture, with the ramps to its neighbors."""

    rows: slice
    """Of the picture."""
    columns: slice
    """Of the picture."""
    ramp: NDArray[np.float32]
    """(rows, columns), the weights of the part."""

    @property
    def center(self) -> tuple[int, int]:
        """Px (y, x) in the middle."""
        return (self.rows.start + self.rows.stop) // 2, (self.columns.start + self.columns.stop) // 2


def cut_parts(height: int, width: int) -> Iterator[Part]:
    """Yield the parts of a picture of height x width px, row by row; the weights are above zero everywhere."""
    for rows, down in _cut_side(height):
        for columns, across in _cut_side(width):
            yield Part(rows, columns, down[:, None] * across)


def _cut_side(length: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield the parts of a side of `length` px, and their weights."""
    count = math.ceil(length / CELL)
    edges = [length * i // count for i in range(count + 1)]
    for first, end in pairwise(edges):
        start, stop = max(0, first - FEATHER // 2), min(length, end + FEATHER // 2)
        line = np.arange(start, stop, dtype=np.float32)
        ramp = np.ones_like(line)
        if first > 0:
            ramp = np.minimum(ramp, (line - start + 0.5) / FEATHER)
        if end < length:
            ramp = np.minimum(ramp, (stop - line - 0.5) / FEATHER)
        yield slice(start, stop), ramp


class _Fitter:
    """Finds the correction of a part.

    Args:
        lens: whose kernels blur the picture.
        height: of the picture, px.
        width: of the picture, px.
    """

    def __init__(self, lens: Lens, height: int, width: int) -> None:
        self.lens = lens
        self.size = height, width
        positive = np.array(SCALES, np.float32) * np.float32(min(1.0, lens.max_scale / SCALES[-1]))
        self.scales = np.concatenate([-positive[::-1], np.zeros(1, np.float32), positive])
        blocks = WINDOW // _BLOCK
        distance = np.arange(blocks)[:, None] - np.arange(blocks)
        gaussian = np.exp(-0.5 * (distance * _BLOCK / EVIDENCE_RADIUS) ** 2)
        self.mean = (gaussian / gaussian.sum(1, keepdims=True)).astype(np.float32)
        """(blocks, blocks), the Gaussian mean along an axis."""
        place = (np.arange(WINDOW) + 0.5) / _BLOCK - 0.5
        self.enlarge = np.maximum(
            0, 1 - np.abs(place.clip(0, blocks - 1)[:, None] - np.arange(blocks))
        ).astype(np.float32)
        """(WINDOW, blocks), linear interpolation from blocks to px."""

    def __call__(self, part: Part, left: Pixels, right: Pixels, picture: Pixels) -> NDArray[np.float32]:
        """Return the correction of each channel, and the blur scale: (channels + 1, rows, columns)."""
        center = part.center
        rows, columns = (
            _reflect(np.arange(middle - WINDOW // 2, middle + WINDOW // 2), length)
            for middle, length in zip(center, self.size, strict=True)
        )
        left, right, picture = (plane[:, rows[:, None], columns] for plane in (left, right, picture))
        kernels = self._kernel_spectra(center)  # (scales, 2, rows, frequencies)
        views = _transform(np.stack([left, right], 1))  # (channels, 2, rows, frequencies)
        sharp = _transform(picture)[:, None]  # (channels, 1, rows, frequencies)
        weights = self._weigh_scales(kernels, views, sharp, self._measure_noise(left, right))
        inner = tuple(
            slice(side.start - middle + WINDOW // 2, side.stop - middle + WINDOW // 2)
            for side, middle in zip((part.rows, part.columns), center, strict=True)
        )
        down, across = (self.enlarge[side] for side in inner)
        shares = down @ weights @ across.T  # (scales, rows, columns)
        result = np.zeros((len(picture) + 1, *shares.shape[1:]), np.float32)
        for i in np.flatnonzero(shares.max((1, 2)) > _COUNTS):
            residual = views - kernels[i] * sharp
            energy = np.square(np.abs(kernels[i])).sum(0) + np.float32(BALANCE)
            correction = np.fft.irfft2((np.conj(kernels[i]) * residual).sum(1) / energy, (WINDOW, WINDOW))
            result[:-1] += shares[i] * correction[:, inner[0], inner[1]]
        # the mean of the scales, however little is believed of what they explain
        result[-1] = np.tensordot(self.scales, shares, 1) / np.maximum(shares.sum(0), np.float32(1e-6))
        return result

    def _kernel_spectra(self, center: tuple[int, int]) -> NDArray[np.complex64]:
        """Return the Fourier transforms of the kernels at a place, (scales, 2, WINDOW, WINDOW // 2 + 1)."""
        y, x = ((middle + 0.5) / length for middle, length in zip(center, self.size, strict=True))
        kernels = self.lens.kernels(y, x, list(self.scales))
        side = kernels.shape[-1]
        padded = np.zeros((*kernels.shape[:2], WINDOW, WINDOW), np.float32)
        padded[..., :side, :side] = kernels
        return _transform(np.roll(padded, (-(side // 2), -(side // 2)), (2, 3)))

    def _weigh_scales(
        self,
        kernels: NDArray[np.complex64],
        views: NDArray[np.complex64],
        sharp: NDArray[np.complex64],
        noise: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return how much each scale counts in each block of the window, (scales, blocks, blocks).

        The residuals are compared at half the size: blurred views have little that is finer.
        """
        half = WINDOW // 2
        low = np.r_[: half // 2, WINDOW - half // 2 : WINDOW]
        kernels, views, sharp = (a[..., low, : half // 2 + 1] for a in (kernels, views, sharp))
        energy = np.empty((len(kernels), WINDOW // _BLOCK, WINDOW // _BLOCK), np.float32)
        for i, pair in enumerate(kernels):
            residual = np.fft.irfft2(views - pair * sharp, (half, half))
            blocks = residual.reshape(
                *residual.shape[:2], len(energy[i]), _BLOCK // 2, len(energy[i]), _BLOCK // 2
            )
            energy[i] = np.square(blocks).mean((0, 1, 3, 5))
        evidence = self.mean @ energy @ self.mean.T
        ratio = evidence / np.maximum(evidence.min(0), np.float32(1e-12))
        weights = np.exp((1 - ratio) / np.float32(TEMPERATURE))
        known = np.maximum(
            0, 1 - np.float32(NOISE) * noise * 4 / np.maximum(evidence.min(0), np.float32(1e-12))
        )
        normalized: NDArray[np.float32] = weights * (known / weights.sum(0))
        return normalized

    def _measure_noise(self, left: Pixels, right: Pixels) -> NDArray[np.float32]:
        """Return the variance of the noise in each block, (blocks, blocks), from the views' finest diagonal band."""
        views = np.stack([left, right])
        diagonal = (
            views[..., ::2, ::2] - views[..., 1::2, ::2] - views[..., ::2, 1::2] + views[..., 1::2, 1::2]
        )
        blocks = len(self.mean)
        squares = np.square(diagonal * np.float32(0.5)).reshape(-1, blocks, _BLOCK // 2, blocks, _BLOCK // 2)
        variance: NDArray[np.float32] = self.mean @ squares.mean((0, 2, 4)) @ self.mean.T
        return variance


def _transform(pixels: Pixels) -> NDArray[np.complex64]:
    """Return the Fourier transform along the last two axes."""
    return np.fft.rfft2(pixels).astype(np.complex64, copy=False)


def _reflect(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return indices within 0..length - 1, those beyond mirrored at the first and the last."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = np.mod(index, period)
    return np.where(index < length, index, period - index)
