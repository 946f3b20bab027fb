"""The rule by which DPDD's pictures are cut into 512 px patches: where they lie, and which are sharp enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.datasets import TrainingSplit

SIDE = 512
"""Side of a patch, px."""

SOBEL_SIZES = (3, 7, 11, 15)
"""Sizes of the Sobel kernels that sharpness is measured with, px."""

Window = tuple[int, int]
"""Top and left of a patch in its picture, px."""

Mapping = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""`map`, or the method of a thread pool."""


@dataclass(frozen=True)
class Cut:
    """How the pictures of a split are cut."""

    stride: int
    """Distance between patches, px."""
    dropped: float
    """Fraction of each picture's patches that are left out, the least sharp ones."""


CUTS: dict[TrainingSplit, Cut] = {"train": Cut(204, 0.3), "val": Cut(506, 0.0)}
"""60 % overlap for training; 1 % and all patches for validation. Source: Abuolaim and Brown, ECCV 2020."""


def windows(height: int, width: int, stride: int, side: int = SIDE) -> list[Window]:
    """Return the patches of a picture row by row; the last ones of each row and column touch the border.

    Args:
        height: of the picture, px; at least `side`.
        width: of the picture, px; at least `side`.
        stride: distance between patches, px.
        side: side of the patches, px.
    """
    return [(top, left) for top in _starts(height, stride, side) for left in _starts(width, stride, side)]


def _starts(length: int, stride: int, side: int) -> list[int]:
    last = length - side
    return sorted({*range(0, last + 1, stride), last})


def gradient_sums(gray: NDArray[Any]) -> list[float]:
    """Return the sum of the gradient's length over a patch, for each of `SOBEL_SIZES`.

    Args:
        gray: the patch alone, (H, W), any real type; it is mirrored at its border.
    """
    sums = []
    for size in SOBEL_SIZES:
        across = cv2.Sobel(gray, cv2.CV_64F, 1, 0, ksize=size)
        down = cv2.Sobel(gray, cv2.CV_64F, 0, 1, ksize=size)
        sums.append(float(np.hypot(across, down).sum()))
    return sums


def sharpness(sums: Sequence[Sequence[float]]) -> list[float]:
    """Return the sharpness of each patch relative to the other patches of its picture, 0..1.

    Args:
        sums: results of `gradient_sums`, one row for each patch. The sums of each size are scaled to 0..1 over the
            picture (to 0 if they are equal), then multiplied over the sizes.
    """
    table = np.asarray(sums, np.float64)
    low, high = table.min(axis=0), table.max(axis=0)
    shares = (table - low) / np.where(high > low, high - low, 1.0)
    return [float(value) for value in shares.prod(axis=1)]


def select_windows(
    truth: NDArray[Any], cut: Cut, side: int = SIDE, mapping: Mapping = map
) -> list[tuple[Window, float | None]]:
    """Return the patches of a picture to keep, in order, with their sharpness if the cut depends on it.

    Args:
        truth: the sharp picture, (H, W, 3) codes, RGB.
        cut: stride and fraction to drop.
        side: side of the patches, px.
        mapping: `map`, or that of a thread pool.

    Returns:
        Of n patches, all but the int(n * dropped) least sharp ones; of equally sharp ones the later is kept.

    Source:
        the rule of Abuolaim and Brown, ECCV 2020.
    """
    places = windows(truth.shape[0], truth.shape[1], cut.stride, side)
    dropped = int(len(places) * cut.dropped)
    if not dropped:
        return [(place, None) for place in places]
    gray = cv2.cvtColor(np.ascontiguousarray(truth), cv2.COLOR_RGB2GRAY)
    patches = (gray[top : top + side, left : left + side].copy() for top, left in places)
    values = sharpness(list(mapping(gradient_sums, patches)))
    order = sorted(
        range(len(places)), key=lambda i: values[i]
    )  # stable: of equally sharp ones the earlier is dropped first
    return [(places[i], values[i]) for i in sorted(order[dropped:])]
