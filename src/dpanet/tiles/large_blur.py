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
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ImageWarning
from dpanet.pair import Pixels
from dpanet.tiles.halves import HalfViews, double, halve
from dpanet.tiles.tiling import Tile

SCALES = (1, 2, 4, 8)
"""How many times smaller a picture may be made."""

Scale = Literal["auto", 1, 2, 4, 8]
"""Which of `SCALES` is the smallest size that is used."""

REACH = (22.0, 30.0)
"""Blur radius in px up to which the network's own picture is taken, and from which only its finest band is."""

REACH_SMALLER = (16.0, 22.0)
"""The same of a picture without detail of a pixel's size, and at smaller sizes, where a still smaller one is at
hand."""

REACH_ENLARGED = (4.0, 8.0)
"""The same of a picture without such detail that has it at a smaller size, as if it were enlarged; no network was
trained on such."""

FINE = 0.35
"""Detail (see `measure_detail`) under which a picture has none of a pixel's size."""

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
    """Return the network's reach at one size.

    Args:
        halves: views at 1/2, 1/4 ... of the size.
        level: 0 for the full size, 1 for 1/2 of it ...

    Returns:
        `REACH` where there is detail of a pixel's size, `REACH_SMALLER` where there is none, and `REACH_ENLARGED`
        where it looks enlarged, by two or more.
    """
    for views, smaller in pairwise(halves[level:]):
        if views.detail >= FINE:
            break
        if smaller.detail > STEP * views.detail:
            return REACH_ENLARGED
    return REACH if level == 0 and halves[0].detail >= FINE else REACH_SMALLER


def count_halves(height: int, width: int, scale: int) -> int:
    """Return how many times a picture of height x width px is halved for the coarsest of the sizes 1 / scale."""
    count = scale.bit_length() - 1
    while count and min(height, width) < _SMALLEST << count:
        count -= 1
    return count


def _cut(pixels: NDArray[Any], place: Tile) -> NDArray[Any]:
    """Cut a tile of the full size out of an array of half the size; beyond its edge, the last px are repeated."""
    for axis, side in enumerate((place.rows, place.columns)):
        index = np.arange(side.start // 2, -(-side.stop // 2)).clip(0, pixels.shape[axis] - 1)
        pixels = pixels.take(index, axis)
    return pixels


def _rise(t: Pixels) -> Pixels:
    """Return 0 below 0, 1 above 1, and a smooth rise between."""
    t = t.clip(0, 1)
    rise: Pixels = t * t * (3 - 2 * t)
    return rise
