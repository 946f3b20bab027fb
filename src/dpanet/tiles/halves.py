"""Views at half their size, and back: means of 2 x 2 px, cubic interpolation, and how much detail there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dpanet.images.pixel_rows import Rows
from dpanet.pair import Pixels

_STRIP = 128
"""Rows that are made smaller at once."""

_BLOCK = 32
"""Px at half size of the blocks in which detail is measured."""


@dataclass(frozen=True)
class HalfViews:
    """Two views at half the size of a pair, in the encoding of the network."""

    left: Pixels
    """(ceil(H / 2), ceil(W / 2), 3)."""
    right: Pixels
    """(ceil(H / 2), ceil(W / 2), 3)."""
    detail: float
    """Of the pair at full size, see `measure_detail`."""

    @classmethod
    def of(cls, left: Rows, right: Rows, to_network: Callable[[Pixels], Pixels]) -> HalfViews:
        """Make views smaller, by strips of rows.

        Args:
            left: (H, W, 3).
            right: (H, W, 3).
            to_network: converts parts of them to the encoding of the network.
        """
        height, width = left.shape[:2]
        shape = (-(-height // 2), -(-width // 2), 3)
        halves = np.empty(shape, np.float32), np.empty(shape, np.float32)
        energies = []
        for top in range(0, height, _STRIP):
            place = slice(top, min(top + _STRIP, height)), slice(0, width)
            parts = [to_network(view[place]) for view in (left, right)]
            for half, part in zip(halves, parts, strict=True):
                half[top // 2 : top // 2 + _STRIP // 2] = halve(part)
            energies.append(_energy_of_blocks(_luminance(*parts), 2 * _BLOCK))
        detail = measure_detail(np.concatenate(energies), _energy_of_blocks(_luminance(*halves), _BLOCK))
        return cls(*halves, detail)


def halve(pixels: Pixels) -> Pixels:
    """Return an array (H, W, C) at half its size, (ceil(H / 2), ceil(W / 2), C): means of 2 x 2 px.

    Where a side is odd, its last pixels are taken twice.

    >>> halve(np.float32([[[0], [1], [5]], [[2], [1], [5]]]))[..., 0]
    array([[1., 5.]], dtype=float32)
    """
    odd = [(0, length % 2) for length in pixels.shape[:2]]
    if any(more for _, more in odd):
        pixels = np.pad(pixels, [*odd, (0, 0)], "edge")
    half = pixels[::2, ::2] + pixels[1::2, ::2]
    half += pixels[::2, 1::2]
    half += pixels[1::2, 1::2]
    half *= np.float32(0.25)
    return half


def double(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return an array (h, w, C) at twice its size, cut to (height, width, C): cubic (Catmull-Rom) interpolation.

    Pixels lie as in `halve`: the center of 2 x 2 of them is the center of one. Beyond the edge, the last is repeated.
    """
    return _double_rows(_double_rows(pixels, height).swapaxes(0, 1), width).swapaxes(0, 1)


def measure_detail(fine: Pixels, coarse: Pixels) -> float:
    """Return the amplitude of a picture's finest band as a share of that of the next one, where this is strongest.

    About 1 where there is detail of a pixel's size, .4 to .8 in captures of cameras, .21 to .33 in pictures
    enlarged two to four times, and in soft ones.

    Args:
        fine: energies of the finest band in blocks, (h, w).
        coarse: energies of the next band in the same blocks, (h or less, w or less).
    """
    height, width = (min(sides) for sides in zip(fine.shape, coarse.shape, strict=True))
    fine, coarse = fine[:height, :width].ravel(), coarse[:height, :width].ravel()
    if not coarse.size:
        return 1.0
    strongest = np.argsort(coarse)[-max(4, coarse.size // 16) :]
    return float(np.median(np.sqrt(fine[strongest] / (coarse[strongest] + 1e-7))))


def _luminance(left: Pixels, right: Pixels) -> Pixels:
    """Return the mean of the green channels of two views, (H, W, 1)."""
    mean: Pixels = (left[..., 1:2] + right[..., 1:2]) * np.float32(0.5)
    return mean


def _energy_of_blocks(pixels: Pixels, side: int) -> Pixels:
    """Return the mean square of the finest band of (H, W, 1) in blocks of `side` px; (H // side, W // side)."""
    height, width = pixels.shape[:2]
    band = pixels - double(halve(pixels), height, width)
    for edge in (slice(0, 4), slice(-4, None)):  # where `double` does not know what lies beyond
        band[edge] = 0
        band[:, edge] = 0
    rows, columns = height // side, width // side
    blocks = band[: rows * side, : columns * side].reshape(rows, side, columns, side)
    energy: Pixels = np.square(blocks).mean((1, 3))
    return energy


def _double_rows(pixels: Pixels, height: int) -> Pixels:
    """Return twice as many rows, cut to `height`."""
    # Catmull-Rom, a quarter of a pixel from the center.
    near, far = np.float32(0.8671875), np.float32(0.2265625)
    beside, beyond = np.float32(-0.0703125), np.float32(-0.0234375)
    p = np.pad(pixels, [(2, 2), (0, 0), (0, 0)], "edge")
    n = len(pixels)
    before, above, center, below, after = (p[i : i + n] for i in range(5))
    doubled = np.empty((2 * n, *pixels.shape[1:]), np.float32)
    doubled[::2] = beyond * before + far * above + near * center + beside * below
    doubled[1::2] = beside * above + near * center + far * below + beyond * after
    return doubled[:height]
