"""Match small blocks of the left view in the right view: the shift along both axes, where it can be known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W)."""

BLOCK = 48
"""Side of a block, px."""

STEP = 28
"""Distance between neighboring blocks, px."""

REACH_X, REACH_Y = 24, 6
"""Largest shift in px that is tried, each way, around the shift of the whole picture. The views of one exposure
differ along x only, so along y a few px are enough to see that they are misaligned."""

LOCAL_MEAN = 12.0
"""Sigma in px of the mean that is subtracted, since the brightness of the views differs slowly over the picture."""

MIN_CORRELATION = 0.7
"""Of a block with its best match; below it there is none."""

MAX_ERROR = 0.4
"""Standard error in px of a shift, from height and width of the peak; a shift less certain is not used. An edge along
an axis looks alike wherever it is laid on that axis, and its peak is wide there."""


@dataclass(frozen=True)
class BlockShifts:
    """The shift from the left to the right view of each block, (rows, columns)."""

    x: NDArray[np.float64]
    """px, +right; NaN where it is not known."""
    y: NDArray[np.float64]
    """px, +down; NaN where it is not known."""
    correlation: NDArray[np.float64]
    """Of the block with its best match, -1..1; NaN for a block without detail."""
    center_x: NDArray[np.float64]
    """(columns,), px."""
    center_y: NDArray[np.float64]
    """(rows,), px."""
    size: int
    """Side of the blocks, px."""


def match_blocks(left: Plane, right: Plane, noise: float, step: int = STEP) -> BlockShifts:
    """Match the blocks of the left view in the right view.

    Blocks of twice the size on planes of half the size follow where a shift is not known: they find what is so
    blurred that a small block has too little detail, and shifts twice as large.

    Args:
        left: (H, W), float32.
        right: (H, W), as `left`.
        noise: standard deviation of the noise of a view; a block whose detail is below three times it has no match.
        step: distance between neighboring blocks, px.
    """
    shifts = _match(left, right, noise, step)
    if min(left.shape) < 4 * BLOCK:
        return shifts
    half = (left.shape[1] // 2, left.shape[0] // 2)
    views = [
        np.asarray(cv2.resize(view, half, interpolation=cv2.INTER_AREA), np.float32) for view in (left, right)
    ]
    coarse = _match(views[0], views[1], noise / 2, step / 2, shifts.x.shape)
    x, y = (
        np.where(np.isnan(fine), 2 * rough, fine)
        for fine, rough in ((shifts.x, coarse.x), (shifts.y, coarse.y))
    )
    correlation = np.fmax(shifts.correlation, coarse.correlation)
    return replace(shifts, x=x, y=y, correlation=correlation)


def _match(
    left: Plane,
    right: Plane,
    noise: float,
    step: float,
    shape: tuple[int, ...] | None = None,
) -> BlockShifts:
    """Match blocks on planes of one size; `shape` is the number of rows and columns, by default as `step` says."""
    first, second = (remove_local_mean(view) for view in (left, right))
    block = min(BLOCK, *left.shape)
    across, down = find_whole_shift(first, second) if block == BLOCK else (0, 0)
    padded = cv2.copyMakeBorder(second, REACH_Y, REACH_Y, REACH_X, REACH_X, cv2.BORDER_CONSTANT, value=0.0)
    if across or down:
        padded = np.roll(padded, (-down, -across), (0, 1))
    counts = shape or [max(1, round((length - block) / step) + 1) for length in left.shape]
    tops, firsts = (
        np.linspace(0, length - block, count).astype(np.intp)
        for length, count in zip(left.shape, counts, strict=True)
    )
    x, y, correlation = (np.full((len(tops), len(firsts)), np.nan) for _ in range(3))
    floor = max(3.0 * noise, 1e-5)
    for j, top in enumerate(tops):
        for i, start in enumerate(firsts):
            patch = first[top : top + block, start : start + block]
            if patch.std() < floor:
                continue
            window = padded[top : top + block + 2 * REACH_Y, start : start + block + 2 * REACH_X]
            surface: Plane = np.asarray(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED), np.float32)
            _, peak, _, (column, row) = cv2.minMaxLoc(surface)
            correlation[j, i] = peak
            if peak >= MIN_CORRELATION:
                x[j, i] = _refine(surface[row, :], column, block**2) - REACH_X + across
                y[j, i] = _refine(surface[:, column], row, block**2) - REACH_Y + down
    middle = (block - 1) / 2
    return BlockShifts(x, y, correlation, firsts + middle, tops + middle, block)


def remove_local_mean(view: Plane) -> Plane:
    """Subtract the slow changes of brightness."""
    return np.asarray(view - cv2.GaussianBlur(view, (0, 0), LOCAL_MEAN), np.float32)


def find_whole_shift(left: Plane, right: Plane) -> tuple[int, int]:
    """Return the shift (x, y) in whole px from left to right by which most of the pictures agree.

    It is 0 unless the pictures agree clearly at a shift larger than blocks are searched for.
    """
    window = cv2.createHanningWindow(left.shape[::-1], cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(left, right, window)
    if response < 0.05 or (abs(x) < REACH_X / 2 and abs(y) < REACH_Y / 2):
        return 0, 0
    return round(x), round(y)


def _refine(line: NDArray[np.float32], peak: int, pixels: int) -> float:
    """Return the place of a peak between samples by a parabola; NaN at the border, or if it is too uncertain."""
    if not 0 < peak < len(line) - 1:
        return np.nan
    before, here, after = (float(value) for value in line[peak - 1 : peak + 2])
    curvature = 2 * here - before - after
    # The correlation falls by curvature / 2 over one px, so detail is as large as 1 / curvature px2, and each such
    # piece of the block is one independent measurement.
    if curvature <= 0 or np.sqrt(max(1 - here, 1e-4) / (2 * pixels)) / (curvature / 2) > MAX_ERROR:
        return np.nan
    return peak + 0.5 * (after - before) / curvature
