"""Estimates the blur scale of each part of a pair from the disparity of its two views, without learning.

At the true blur scale s, and at no other, the views agree once each is blurred with the other's kernel:
left * k_right(s) = scene * k_left(s) * k_right(s) = right * k_left(s). At any other scale the half-aperture kernels
leave a shift between them. The plain difference would favor large scales, whose kernels remove all detail; so each
frequency is divided by the energy of both kernels. The difference is then the part of (left, right) that no scene
explains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from dpanet.deconvolution.lens import KernelPairs, Lens

Plane = NDArray[np.float32]
"""(H, W)."""

TILE = 168
"""Largest side in px over which one kernel is assumed: the cells of the Pixel 4's calibration."""

BLOCKS_PER_TILE = 4
"""Blocks along each side of a tile, each with a blur scale of its own."""

MARGIN = 48
"""Pixels of context around a tile: half a kernel."""

DETAIL_FREQUENCY = 1 / 14
"""Cycles per pixel at the middle of the band that is compared: exposure differs below it, noise is above it."""

SMOOTHING = 0.8
"""Sigma, in blocks, with which the evidence of neighboring blocks is averaged."""

MIN_DETAIL = 0.02
"""Share of the picture's mean detail below which a block's own evidence counts for little."""

FOCUS_PRIOR = 0.02
"""Penalty of the largest blur scale against none, as a share of the mean evidence."""


@dataclass(frozen=True)
class BlurMap:
    """Blur scales of rectangular blocks."""

    scales: NDArray[np.float64]
    """(rows, columns), signed, in the lens's unit."""

    y: NDArray[np.intp]
    """(rows + 1,), borders of the rows in px, from 0 to the height."""

    x: NDArray[np.intp]
    """(columns + 1,), borders of the columns in px, from 0 to the width."""

    def median_scale(self, top: int, bottom: int, left: int, right: int) -> float:
        """Return the median scale inside a rectangle (px), each block weighted by its area there."""
        rows = np.clip(np.minimum(self.y[1:], bottom) - np.maximum(self.y[:-1], top), 0, None)
        columns = np.clip(np.minimum(self.x[1:], right) - np.maximum(self.x[:-1], left), 0, None)
        areas = np.outer(rows, columns).ravel()
        order = np.argsort(self.scales, axis=None)
        middle = np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)
        return float(self.scales.ravel()[order[middle]])

    def per_pixel(self) -> NDArray[np.float32]:
        """Return the scale at each pixel, (H, W), interpolated linearly between the centers of blocks."""
        positions = []
        for borders in (self.y, self.x):
            centers = (borders[1:] + borders[:-1] - 1) / 2
            positions.append(np.interp(np.arange(borders[-1]), centers, np.arange(len(centers))))
        grid = np.meshgrid(*positions, indexing="ij")
        return np.asarray(ndimage.map_coordinates(self.scales, grid, order=1, mode="nearest"), np.float32)


def estimate_blur_map(left: Plane, right: Plane, lens: Lens) -> BlurMap:
    """Estimate the blur scale of each block of a pair.

    Args:
        left: (H, W), float32, linear light.
        right: (H, W), as `left`.
        lens: its `scales` are tried.
    Returns: signed scales in the lens's unit, 0 in focus, refined between the tried ones by a parabola. A block
        without detail takes its neighbors' scale, or 0 if they have none.
    """
    tiles = [_split(length, math.ceil(length / TILE)) for length in left.shape]
    borders = [
        np.concatenate([*(a + _split(b - a, BLOCKS_PER_TILE)[:-1] for a, b in pairwise(tile)), tile[-1:]])
        for tile in tiles
    ]
    size = fft.next_fast_len(max(int(np.diff(tile).max()) for tile in tiles) + 2 * MARGIN, real=True)
    padded = [np.pad(view, MARGIN, mode="symmetric") for view in (left, right)]
    band = _detail_band(size)
    mismatch = np.zeros((len(lens.scales), *(len(b) - 1 for b in borders)))
    detail = np.zeros(mismatch.shape[1:])
    filters: dict[int, NDArray[np.complex64]] = {}
    for j, (top, bottom) in enumerate(pairwise(tiles[0])):
        for i, (first, end) in enumerate(pairwise(tiles[1])):
            cell = lens.cell_at((top + bottom) / 2 / left.shape[0], (first + end) / 2 / left.shape[1])
            if cell not in filters:
                filters = {cell: _view_filters(lens.kernel_pairs(cell, lens.scales), size)}
            views = [view[top : bottom + 2 * MARGIN, first : end + 2 * MARGIN] for view in padded]
            spectra = [fft.rfft2(view - view.mean(), (size, size)) for view in views]
            extent = (int(bottom - top), int(end - first))
            blocks = tuple(slice(n * BLOCKS_PER_TILE, (n + 1) * BLOCKS_PER_TILE) for n in (j, i))
            detail[blocks] = sum(_block_energy(spectrum * band, size, extent) for spectrum in spectra)
            for n, (left_filter, right_filter) in enumerate(filters[cell]):
                difference = spectra[0] * right_filter - spectra[1] * left_filter
                mismatch[n][blocks] = _block_energy(difference, size, extent)
    area = np.outer(*(np.diff(b) for b in borders))
    return BlurMap(_choose_scales(mismatch / area, detail / area, np.array(lens.scales)), *borders)


def measure_mismatch(left: Plane, right: Plane, pairs: KernelPairs) -> NDArray[np.float64]:
    """Measure how badly each kernel pair explains two views of one tile.

    Args:
        left: (H, W), float32, linear light; the outer `MARGIN` px are context only.
        right: (H, W), as `left`.
        pairs: (N, 2, K, K).

    Returns:
        (N,), mean square of the part of both views that no scene explains. With kernels that are mirror images of
        each other, exchanged views have the same values at the opposite blur scales.
    """
    size = fft.next_fast_len(max(left.shape), real=True)
    spectra = [fft.rfft2(view - view.mean(), (size, size)) for view in (left, right)]
    inner = (slice(MARGIN, left.shape[0] - MARGIN), slice(MARGIN, left.shape[1] - MARGIN))
    values = []
    for left_filter, right_filter in _view_filters(pairs, size):
        difference = fft.irfft2(spectra[0] * right_filter - spectra[1] * left_filter, (size, size))
        values.append(float((difference[inner].astype(np.float64) ** 2).mean()))
    return np.array(values)


def _block_energy(spectrum: NDArray[np.complex64], size: int, extent: tuple[int, int]) -> NDArray[np.float64]:
    """Sum the squares over each block of a tile, from the spectrum of the tile with its margin."""
    plane = fft.irfft2(spectrum, (size, size))
    inner = plane[MARGIN : MARGIN + extent[0], MARGIN : MARGIN + extent[1]].astype(np.float64) ** 2
    rows, columns = (_split(length, BLOCKS_PER_TILE)[:-1] for length in extent)
    return np.asarray(np.add.reduceat(np.add.reduceat(inner, rows, 0), columns, 1), np.float64)


def _choose_scales(
    mismatch: NDArray[np.float64], detail: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the scale of least mismatch of each block, smoothed over its neighbors.

    Args:
        mismatch: (scales, rows, columns), mean squared difference of the views at each scale.
        detail: (rows, columns), mean squared detail of both views.
        scales: (scales,), rising evenly.
    """
    cost = mismatch / (detail + MIN_DETAIL * detail.mean() + 1e-12)
    cost = ndimage.gaussian_filter(cost, (0, SMOOTHING, SMOOTHING), mode="nearest")
    cost += FOCUS_PRIOR * np.abs(scales / scales.max())[:, None, None] * cost.mean(0)
    best = cost.argmin(0)
    inner = np.clip(best, 1, len(scales) - 2)
    before, here, after = (np.take_along_axis(cost, (inner + k)[None], 0)[0] for k in (-1, 0, 1))
    curvature = before - 2 * here + after
    offset = np.where(
        (curvature > 0) & (inner == best),
        0.5 * (before - after) / np.maximum(curvature, 1e-30),
        best - inner,
    )
    step = scales[1] - scales[0]
    chosen = scales[inner] + np.clip(offset, -1, 1) * step
    chosen[(cost == cost[:1]).all(0)] = 0  # no detail here and around: every scale fits alike
    return np.asarray(ndimage.median_filter(chosen, 3, mode="nearest"), np.float64)


def _view_filters(pairs: KernelPairs, size: int) -> NDArray[np.complex64]:
    """Divide each kernel's transfer function by the root of its pair's energy, limited to the detail band.

    Args:    pairs: (N, 2, K, K).
    Returns: (N, 2, size, size // 2 + 1).
    """
    side = pairs.shape[-1]
    placed = np.zeros((*pairs.shape[:2], size, size), np.float32)
    placed[..., :side, :side] = pairs
    placed = np.roll(placed, (-(side // 2), -(side // 2)), (-2, -1))
    transfer = fft.rfft2(placed)
    energy = np.sqrt((np.abs(transfer) ** 2).sum(1, keepdims=True) + 1e-3)
    return np.asarray(transfer / energy * _detail_band(size), np.complex64)


def _detail_band(size: int) -> NDArray[np.float32]:
    """Return the gain of the band of detail at each frequency, (size, size // 2 + 1)."""
    frequency = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None]) / DETAIL_FREQUENCY
    return np.asarray(frequency**2 / (1 + frequency**2) ** 2, np.float32)


def _split(length: int, parts: int) -> NDArray[np.intp]:
    """Return the borders of equal parts of a length in px: (parts + 1,)."""
    return np.arange(parts + 1) * length // parts
