"""Split the two frames of a dual-pixel raw file into the views of both halves of the sensor.

The first frame is the light of both halves together, the second that of one half alone. The other half is their
difference, where the first frame is not clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.images.windows import window_any, window_mean

Mosaic = NDArray[np.uint16]
"""H x W; each pixel is of one color."""

FILL = 12
"""Px around clipped pixels in which both views are the ordinary picture; more than `WHOLE` and the reach of the
interpolation of colors together, so that the developed views are equal where `keep_weights` is 1."""
WHOLE = 3
"""Px around clipped pixels that stay entirely as they were; an interpolated color there is made of clipped ones."""
BLEND = 8
"""Px over which the weight then falls to 0."""

CLIPPING_MARGIN = 0.005
"""Share of the range below the white level that counts as clipped: sensors do not stop at one code."""

SHARES = (0.3, 0.7)
"""Least and most light of one half of the sensor, as a share of the whole picture."""

_STRIP = 512
"""Rows that are worked on at once; an even number, so that each strip starts with the same colors."""


@dataclass(frozen=True)
class RawFrames:
    """The two frames of a file, as recorded, and what their codes mean."""

    both: Mosaic
    """The light of both halves."""
    side: Mosaic
    """The light of one half."""
    black_both: NDArray[np.float64]
    """2 x 2, code of no light of `both` at each place of the color pattern; the pattern starts at the first pixel."""
    black_side: NDArray[np.float64]
    """2 x 2, likewise of `side`."""
    white: float
    """Code of `both` that is white in the ordinary picture."""
    clip: float
    """Largest code of `both` that still counts light; at most `white`."""
    gains: NDArray[np.float64]
    """2 x 2, factor of the white balance for the color of each place; the smallest is 1."""


@dataclass(frozen=True)
class SplitViews:
    """The mosaics of both halves, without black level."""

    side: Mosaic
    """The half that the file contains."""
    other: Mosaic
    """The half that was computed."""
    white: int
    """Code that the sum of both views reaches where the ordinary picture is white."""
    clipped: NDArray[np.bool_]
    """H x W: where the first frame is clipped and the other half unknown; both views there, and `FILL` px around,
    are half of the first frame, as the ordinary picture is developed from it."""


def split_views(frames: RawFrames) -> SplitViews:
    """Compute the views of both halves; negative noise becomes 0.

    Raises:
        PairError: if the frames differ in size, are the same, or the second is not one side of the first.
    """
    _check(frames)
    both, side = frames.both, frames.side
    span = frames.white - float(frames.black_both.min())
    scale = max(1, int(65535 // span))  # so that half of a code is a whole number, where 16 bits allow it
    clipped = both >= _clipping_code(frames)
    fill = window_any(clipped, FILL) if clipped.any() else clipped
    views = (np.empty_like(both), np.empty_like(both))
    for top in range(0, both.shape[0], _STRIP):
        rows = slice(top, top + _STRIP)
        total = _light(both[rows], frames.black_both)
        one = _light(side[rows], frames.black_side)
        other = total - one
        here = fill[rows]
        if here.any():
            ordinary = _ordinary(total, span, frames.gains) / 2
            one[here] = other[here] = ordinary[here]
        for view, light in zip(views, (one, other), strict=True):
            view[rows] = np.clip(np.rint(light * scale), 0, 65535)
    return SplitViews(*views, white=round(span * scale), clipped=clipped)


def split_equal(frames: RawFrames) -> SplitViews:
    """Return the views of a file whose frames are the left and the right view, of full brightness each.

    Nothing is computed from a clipped pixel, so none counts as clipped.

    Raises:
        PairError: if the frames differ in size or are the same.
    """
    check_frames(frames.both, frames.side)
    span = frames.white - float(frames.black_both.min())
    scale = max(1.0, 65535 // span) / 2
    views = (np.empty_like(frames.both), np.empty_like(frames.both))
    codes, blacks = (frames.both, frames.side), (frames.black_both, frames.black_side)
    for view, recorded, black in zip(views, codes, blacks, strict=True):
        for top in range(0, view.shape[0], _STRIP):
            rows = slice(top, top + _STRIP)
            view[rows] = np.clip(np.rint(_light(recorded[rows], black) * scale), 0, 65535)
    return SplitViews(*views, white=round(span * scale * 2), clipped=np.zeros(views[0].shape, np.bool_))


def keep_weights(clipped: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how much of the ordinary picture stays at each pixel: 1 where it is clipped and `WHOLE` px around.

    Args:
        clipped: H x W, of `SplitViews`.

    Returns:
        H x W, 1.0 to 0.0; it falls to 0 over `BLEND` px.
    """
    half = BLEND // 2
    weights = window_mean(window_any(clipped, WHOLE + half).astype(np.float32), 2 * half + 1)
    return np.clip(weights, 0, 1, out=weights)


def check_frames(both: Mosaic, side: Mosaic) -> None:
    """Check that two frames are of one size and differ.

    Raises:
        PairError: if not.
    """
    if both.shape != side.shape:
        raise PairError(
            f"its frames are {both.shape[1]} x {both.shape[0]} and {side.shape[1]} x {side.shape[0]} px; "
            "both frames of a dual-pixel file have one size"
        )
    if np.array_equal(both, side):
        raise PairError("its two frames are the same; the second must be the light of one side alone")


def _check(frames: RawFrames) -> None:
    """Check that the second frame can be one side of the first."""
    check_frames(frames.both, frames.side)
    share = share_of_light(frames)
    if np.isnan(share):
        raise PairError(
            "its first frame has no light that is not clipped; give a picture that is exposed well"
        )
    if not SHARES[0] <= share <= SHARES[1]:
        raise PairError(
            f"its second frame has {share:.2g} times the light of the first, and one side has about half; "
            "give the file as a camera with Dual Pixel RAW wrote it"
        )


def share_of_light(frames: RawFrames) -> float:
    """Return the light of the second frame as a share of the first, over pixels that are not clipped."""
    step = max(2, min(frames.both.shape) // 400 // 2 * 2)  # an even one would see one color alone
    rows, columns = (np.arange(0, n - 1, step) for n in frames.both.shape)
    sums, limit = np.zeros(2), _clipping_code(frames)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = np.ix_(rows + y, columns + x)
        both, side = frames.both[place], frames.side[place]
        seen = both < limit
        sums += (both[seen] - frames.black_both[y, x]).sum(), (side[seen] - frames.black_side[y, x]).sum()
    return float(sums[1] / sums[0]) if sums[0] > 0 else float("nan")


def _clipping_code(frames: RawFrames) -> float:
    """Return the code from which on the first frame counts as clipped."""
    return frames.clip - CLIPPING_MARGIN * (frames.white - float(frames.black_both.min()))


def _light(codes: Mosaic, black: NDArray[np.float64]) -> NDArray[np.float32]:
    """Subtract the black level of each place of the pattern; the strip starts with an even row."""
    light = codes.astype(np.float32)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        light[y::2, x::2] -= np.float32(black[y, x])
    return light


def _ordinary(total: NDArray[np.float32], span: float, gains: NDArray[np.float64]) -> NDArray[Any]:
    """Clip the light of each color where the white balance brings it to white, so that highlights are neutral."""
    ordinary = total.copy()
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = ordinary[y::2, x::2]
        np.minimum(part, np.float32(span / gains[y, x]), out=part)
    return ordinary
