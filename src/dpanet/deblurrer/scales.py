"""Blur larger than a network was trained for: it is removed at half the size, where it is half as large. NumPy only.

The picture is put together band by band. Where the blur is beyond the network's reach, what is coarser than two
pixels comes from the picture that was deblurred at half the size (which in turn may take its own coarse bands from a
quarter, and so on); what is finer, and all of the picture where the blur is within reach, comes from the network at
full size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.tiling import Tile
from dpanet.errors import ImageWarning
from dpanet.images.pixel_rows import Rows
from dpanet.pair import Pixels

SCALES = (1, 2, 4, 8)
"""How many times smaller a picture may be made."""

Scale = Literal["auto", 1, 2, 4, 8]
"""Which of `SCALES` is the smallest size that is used."""

REACH = (22.0, 30.0)
"""Blur radius in px up to which the network's own picture is taken, and from which only its finest band is."""

REACH_SMALLER = (16.0, 22.0)
"""The same at smaller sizes, where a still smaller one is at hand."""

REACH_ENLARGED = (4.0, 8.0)
"""The same of a picture without detail of a pixel's size, as if it were enlarged; no network was trained on such."""

FINE = 0.3
"""Detail (see `measure_detail`) under which a picture may have been enlarged."""

STEP = 1.5
"""How many times more detail an enlarged picture has at half its size. Blur takes detail of both sizes alike."""

LARGE_BLUR = 0.03
"""Share of the picture that must be blurred beyond reach for another size to be worth its time: small sizes show up
to 2.5 % in captures without such blur."""

BEYOND = 20.0
"""Blur radius in px of the smallest size above which a place counts as beyond the reach of all sizes."""

BEYOND_SHARE = 0.02
"""Share of such places for which a remark is made."""

_SMALLEST = 96
"""Px of the shorter side of a picture that is still made smaller than the pair."""

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


@dataclass(frozen=True)
class CoarsePicture:
    """A pair deblurred at half its size."""

    picture: NDArray[np.float16]
    """(ceil(H / 2), ceil(W / 2), 3), in the encoding of the network."""
    radius: NDArray[np.float16]
    """(ceil(H / 2), ceil(W / 2)), signed blur radius in px of the pair's full size."""
    reach: tuple[float, float]
    """Of the network in the pair at full size, as of `find_reach`."""

    @property
    def has_large_blur(self) -> bool:
        """Whether enough of the pair is blurred beyond the network's reach at full size."""
        return float(np.mean(np.abs(self.radius) > np.float16(self.reach[0]))) > LARGE_BLUR

    def complete(self, output: Pixels, place: Tile) -> Pixels:
        """Replace the coarse bands of the network's output, where the blur is beyond its reach.

        Args:
            output: (h, w, 3 or 4), of a tile at full size; the last of 4 channels is the blur radius.
            place: of the tile.

        Returns:
            the output itself, or a new array.
        """
        height, width = output.shape[:2]
        radius = double(_cut(self.radius[..., None], place).astype(np.float32), height, width)
        first, last = self.reach
        weight = _rise((np.abs(radius) - np.float32(first)) / np.float32(last - first))
        if not weight.any():
            return output
        coarse = _cut(self.picture, place).astype(np.float32)
        completed = output.copy()
        completed[..., :3] += weight * double(coarse - halve(output[..., :3]), height, width)
        if output.shape[2] > 3:
            completed[..., 3:] += weight * (radius - output[..., 3:])
        return completed


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


def deblur_coarse(
    halves: list[HalfViews],
    run: Callable[[HalfViews, CoarsePicture | None], NDArray[np.float16]],
    *,
    always: bool,
) -> CoarsePicture | None:
    """Deblur a pair at half its size, where that is done with the help of a quarter of its size, and so on.

    Args:
        halves: the views at 1/2, 1/4 ... of the size; taken off the list where they are not needed any more.
        run: deblurs views with what they are at half their size, if that is known; returns (h, w, 4), the picture and
            the blur radius.
        always: whether to use all sizes; else only where blur is beyond the network's reach.

    Returns:
        The picture at half the size, or None if the pair has no blur that needs it.
    """
    coarse: CoarsePicture | None = None
    reach = [find_reach(halves, level) for level in range(len(halves))]
    smallest = len(halves) - 1
    for level in reversed(range(len(halves))):
        if coarse is not None and not always:
            radius = np.abs(coarse.radius.astype(np.float32)) * 2 ** (level + 1)  # px of the full size
            if np.mean(radius > reach[0][0]) <= LARGE_BLUR:
                return None
        output = run(halves.pop(), coarse)
        if level == smallest:
            _remark_beyond(output[..., 3], 2 ** (level + 1))
        coarse = CoarsePicture(output[..., :3], output[..., 3] * np.float16(2), reach[level])
    return coarse if coarse is not None and (always or coarse.has_large_blur) else None


def _remark_beyond(radius: NDArray[np.float16], scale: int) -> None:
    """Say so if blur is too large even for the smallest size. Far beyond its training the network may not see it.

    Args:
        radius: signed blur radius, in px of the smallest size.
        scale: how many times smaller than the pair that is.
    """
    share = float(np.mean(np.abs(radius) > np.float16(BEYOND)))
    if share > BEYOND_SHARE:
        warnings.warn(
            ImageWarning(
                f"{100 * share:.0f} % of the picture is blurred by a radius of more than {BEYOND * scale:.0f} px, "
                f"which is too large to be removed even at 1/{scale} of the size; there it stays soft or goes wrong",
                "blur beyond reach",
            ),
            stacklevel=2,
        )


def find_reach(halves: Sequence[HalfViews], level: int) -> tuple[float, float]:
    """Return the network's reach at one size: `REACH`, `REACH_SMALLER`, or `REACH_ENLARGED` if it looks enlarged.

    Args:
        halves: views at 1/2, 1/4 ... of the size.
        level: 0 for the full size, 1 for 1/2 of it ...
    """
    detail = [views.detail for views in halves[level : level + 2]]
    if len(detail) == 2 and detail[0] < FINE and detail[1] > STEP * detail[0]:
        return REACH_ENLARGED
    return REACH if level == 0 else REACH_SMALLER


def count_halves(height: int, width: int, scale: int) -> int:
    """Return how many times a picture of height x width px is halved for the coarsest of the sizes 1 / scale."""
    count = scale.bit_length() - 1
    while count and min(height, width) < _SMALLEST << count:
        count -= 1
    return count


def measure_detail(fine: Pixels, coarse: Pixels) -> float:
    """Return the amplitude of a picture's finest band as a share of that of the next one, where this is strongest.

    About 1 where there is detail of a pixel's size, .4 to .8 in captures of cameras, .24 to .29 in the same captures
    enlarged two or three times.

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


def _cut(pixels: NDArray[Any], place: Tile) -> NDArray[Any]:
    """Cut a tile of the full size out of an array of half the size; beyond its edge, the last px are repeated."""
    for axis, side in enumerate((place.rows, place.columns)):
        index = np.arange(side.start // 2, -(-side.stop // 2)).clip(0, pixels.shape[axis] - 1)
        pixels = pixels.take(index, axis)
    return pixels


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


def _rise(t: Pixels) -> Pixels:
    """Return 0 below 0, 1 above 1, and a smooth rise between."""
    t = t.clip(0, 1)
    rise: Pixels = t * t * (3 - 2 * t)
    return rise
