"""How blurred each part of a pair is, told from its two views: no learning, no tuning to captures.

Blurred alike, the two views agree: left * k_right(s) = left scene * k_left(s) * k_right(s) = right * k_left(s) at
the true blur scale s and at no other, since elsewhere the half-aperture kernels leave a shift between them. The
bare difference would favour large scales, whose kernels take all detail away; so each frequency is divided by
the energy of both kernels, which makes the difference the part of (left, right) that no scene explains.
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
"""Pixels a side over which one kernel is assumed, at most; the calibration's own cells."""
PARTS = 4
"""Blocks a tile and axis, each with a blur scale of its own."""
MARGIN = 48
"""Pixels of context around a tile, half a kernel."""
DETAIL = 1 / 14
"""Cycles per pixel around which detail decides: below it the views' exposure does, above it their noise."""
SMOOTHING = 0.8
"""Blocks; sigma of the window in which blocks share what they saw."""
FLATNESS = 0.02
"""Detail, as a share of the picture's mean detail, below which a block has no say of its own."""
CAUTION = 0.02
"""Share of the evidence that the largest blur needs beyond what none needs."""


@dataclass(frozen=True)
class BlurMap:
    """Blur scales of blocks, (rows, columns), and where they lie: `y` and `x` hold the borders in px."""

    scales: NDArray[np.float64]
    y: NDArray[np.intp]
    x: NDArray[np.intp]

    def around(self, top: int, bottom: int, left: int, right: int) -> float:
        """The scale of a rectangle: of its blocks' scales the median, each weighted by what it covers."""
        rows = np.clip(np.minimum(self.y[1:], bottom) - np.maximum(self.y[:-1], top), 0, None)
        columns = np.clip(np.minimum(self.x[1:], right) - np.maximum(self.x[:-1], left), 0, None)
        weights = np.outer(rows, columns).ravel()
        order = np.argsort(self.scales, axis=None)
        middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
        return float(self.scales.ravel()[order[middle]])

    def spread(self) -> NDArray[np.float32]:
        """The scale at each pixel, (H, W), linear between the middles of blocks."""
        places = []
        for borders in (self.y, self.x):
            middles = (borders[1:] + borders[:-1] - 1) / 2
            places.append(np.interp(np.arange(borders[-1]), middles, np.arange(len(middles))))
        at = np.meshgrid(*places, indexing="ij")
        return np.asarray(ndimage.map_coordinates(self.scales, at, order=1, mode="nearest"), np.float32)


def blur_map(left: Plane, right: Plane, lens: Lens) -> BlurMap:
    """Find the blur scale of each block of a pair.

    Args:    left, right: (H, W), float32, linear light, same size.
    Returns: signed scales in the lens's own unit, 0 in focus, between candidates by a parabola. A block
             without detail takes its neighbours' scale, and 0 where they have none.
    """
    tiles = [_cut(length, math.ceil(length / TILE)) for length in left.shape]
    borders = [
        np.concatenate([*(a + _cut(b - a, PARTS)[:-1] for a, b in pairwise(cut)), cut[-1:]]) for cut in tiles
    ]
    size = fft.next_fast_len(max(int(np.diff(cut).max()) for cut in tiles) + 2 * MARGIN, real=True)
    padded = [np.pad(view, MARGIN, mode="symmetric") for view in (left, right)]
    band = _band(size)
    unlike = np.zeros((len(lens.scales), *(len(b) - 1 for b in borders)))
    detail = np.zeros(unlike.shape[1:])
    filters: dict[int, NDArray[np.complex64]] = {}
    for j, (top, bottom) in enumerate(pairwise(tiles[0])):
        for i, (first, end) in enumerate(pairwise(tiles[1])):
            cell = lens.cell((top + bottom) / 2 / left.shape[0], (first + end) / 2 / left.shape[1])
            if cell not in filters:
                filters = {cell: _filters(lens.at(cell, lens.scales), size)}
            views = [p[top : bottom + 2 * MARGIN, first : end + 2 * MARGIN] for p in padded]
            spectra = [fft.rfft2(view - view.mean(), (size, size)) for view in views]
            extent = (int(bottom - top), int(end - first))
            here = (slice(j * PARTS, (j + 1) * PARTS), slice(i * PARTS, (i + 1) * PARTS))
            detail[here] = sum(_energy(spectrum * band, size, extent) for spectrum in spectra)
            for n, (left_filter, right_filter) in enumerate(filters[cell]):
                difference = spectra[0] * right_filter - spectra[1] * left_filter
                unlike[n][here] = _energy(difference, size, extent)
    area = np.outer(*(np.diff(b) for b in borders))
    return BlurMap(_decide(unlike / area, detail / area, np.array(lens.scales)), *borders)


def _energy(spectrum: NDArray[np.complex64], size: int, extent: tuple[int, int]) -> NDArray[np.float64]:
    """Sums of squares over each block of a tile, whose spectrum (with its margin) it is: (PARTS, PARTS)."""
    plane = fft.irfft2(spectrum, (size, size))
    inner = plane[MARGIN : MARGIN + extent[0], MARGIN : MARGIN + extent[1]].astype(np.float64) ** 2
    rows, columns = (_cut(length, PARTS)[:-1] for length in extent)
    return np.asarray(np.add.reduceat(np.add.reduceat(inner, rows, 0), columns, 1), np.float64)


def _decide(
    unlike: NDArray[np.float64], detail: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The scale at which the views of each block, and somewhat its neighbours', are least unlike."""
    said = unlike / (detail + FLATNESS * detail.mean() + 1e-12)
    said = ndimage.gaussian_filter(said, (0, SMOOTHING, SMOOTHING), mode="nearest")
    said += CAUTION * np.abs(scales / scales.max())[:, None, None] * said.mean(0)
    best = said.argmin(0)
    inner = np.clip(best, 1, len(scales) - 2)
    before, here, after = (np.take_along_axis(said, (inner + k)[None], 0)[0] for k in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.where(
        (bend > 0) & (inner == best), 0.5 * (before - after) / np.maximum(bend, 1e-30), best - inner
    )
    step = scales[1] - scales[0]
    found = scales[inner] + np.clip(shift, -1, 1) * step
    return np.asarray(ndimage.median_filter(found, 3, mode="nearest"), np.float64)


def _filters(pairs: KernelPairs, size: int) -> NDArray[np.complex64]:
    """(N, 2, size, size // 2 + 1): each kernel's transfer over the root of the pair's energy, in the band."""
    reach = pairs.shape[-1]
    placed = np.zeros((*pairs.shape[:2], size, size), np.float32)
    placed[..., :reach, :reach] = pairs
    placed = np.roll(placed, (-(reach // 2), -(reach // 2)), (-2, -1))
    transfer = fft.rfft2(placed)
    energy = np.sqrt((np.abs(transfer) ** 2).sum(1, keepdims=True) + 1e-3)
    return np.asarray(transfer / energy * _band(size), np.complex64)


def _band(size: int) -> NDArray[np.float32]:
    """Passes detail, (size, size // 2 + 1)."""
    f = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None])
    return np.asarray((f / DETAIL) ** 2 / (1 + (f / DETAIL) ** 2) ** 2, np.float32)


def _cut(length: int, parts: int) -> NDArray[np.intp]:
    """Borders of even parts of a length in px."""
    return np.arange(parts + 1) * length // parts
