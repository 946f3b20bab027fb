"""Which 512 px patches of a picture training on DPDD takes: where they lie, and how sharp they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.datasets import TrainingSplit

SIDE = 512
"""Pixels a side of a patch."""

SOBEL_SIZES = (3, 7, 11, 15)

Window = tuple[int, int]
"""Top and left of a patch in its picture, px."""

Mapping = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""`map`, or that of a pool of threads."""


@dataclass(frozen=True)
class Cut:
    """How the pictures of a split are cut: stride in px, and the share of each picture's patches left out."""

    stride: int
    dropped: float


CUTS: dict[TrainingSplit, Cut] = {"train": Cut(204, 0.3), "val": Cut(506, 0.0)}
"""60 % overlap for training; 1 % and every patch for validation. Source: Abuolaim and Brown, ECCV 2020."""


def windows(height: int, width: int, stride: int, side: int = SIDE) -> list[Window]:
    """The patches of a picture row by row; the last of each row and column are flush with the border.

    The picture is at least `side` px high and wide.
    """
    return [(top, left) for top in _starts(height, stride, side) for left in _starts(width, stride, side)]


def _starts(length: int, stride: int, side: int) -> list[int]:
    last = length - side
    return sorted({*range(0, last + 1, stride), last})


def gradient_sums(gray: NDArray[Any]) -> list[float]:
    """For each of `SOBEL_SIZES`, the sum over the patch of the gradient's length.

    gray: (H, W), one channel of any real type. The patch stands alone: its border is mirrored, its surroundings
    are not seen.
    """
    sums = []
    for size in SOBEL_SIZES:
        across = cv2.Sobel(gray, cv2.CV_64F, 1, 0, ksize=size)
        down = cv2.Sobel(gray, cv2.CV_64F, 0, 1, ksize=size)
        sums.append(float(np.hypot(across, down).sum()))
    return sums


def sharpness(sums: Sequence[Sequence[float]]) -> list[float]:
    """How sharp each patch of one picture is against the others, 0..1; the least sharp one has 0.

    sums: of `gradient_sums`, a row a patch. Each size's sums are brought to 0..1 over the picture, then multiplied.
    Patches that do not differ in a size have 0 there.
    """
    table = np.asarray(sums, np.float64)
    low, high = table.min(axis=0), table.max(axis=0)
    shares = (table - low) / np.where(high > low, high - low, 1.0)
    return [float(value) for value in shares.prod(axis=1)]


def kept_windows(
    truth: NDArray[Any], cut: Cut, side: int = SIDE, mapping: Mapping = map
) -> list[tuple[Window, float | None]]:
    """The patches of a picture that are kept, in order, with their sharpness where it was asked for.

    truth:   (H, W, 3) codes, RGB.
    Returns: of n patches, all but the int(n * dropped) least sharp ones; among equals the later one stays.
    Source:  the rule of Abuolaim and Brown, ECCV 2020.
    """
    places = windows(truth.shape[0], truth.shape[1], cut.stride, side)
    dropped = int(len(places) * cut.dropped)
    if not dropped:
        return [(place, None) for place in places]
    gray = cv2.cvtColor(np.ascontiguousarray(truth), cv2.COLOR_RGB2GRAY)
    patches = (gray[top : top + side, left : left + side].copy() for top, left in places)
    values = sharpness(list(mapping(gradient_sums, patches)))
    order = sorted(range(len(places)), key=lambda i: values[i])  # stable: the earlier of equals goes first
    return [(places[i], values[i]) for i in sorted(order[dropped:])]
