"""A picture in parts that are computed alone and put together without a seam."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CELL = 168
"""Largest side in px of the parts that are corrected with the kernels of their center."""

FEATHER = 24
"""Width in px of the smooth ramp from one part to the next."""


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
