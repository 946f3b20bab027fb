"""Overlapping tiles of a picture, and their results blended so that no seam shows. NumPy only.

    |<------- tile ------->|
    |halo|      core       |halo|          the halo is context and is thrown away
                   |<------- tile ------->|
                        |  |  seam: a smooth ramp leads from one core to the next

Tiles start at multiples of the network's own step, so that each sees its pixels in the phase in which the
whole picture would show them. Where two cores meet, the picture is a + w (b - a), w rising smoothly from 0
to 1: where both agree exactly, so does the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, ShapeError
from dpanet.images.pixel_rows import Rows
from dpanet.pair import Pixels

SEAM = 32
"""Pixels of the ramp between two tiles, where the tile is large enough for it."""


@dataclass(frozen=True)
class Axis:
    """Tiles along one side of a picture. Where the last ends past the picture, it is filled by reflection."""

    length: int
    """Pixels of the picture."""
    tile: int
    """Pixels of each tile."""
    starts: tuple[int, ...]
    """First pixel of each tile; multiples of the network's step."""
    seams: tuple[tuple[int, int], ...]
    """(first, end) px of the ramp from tile i to tile i + 1; ramps never overlap."""

    def core(self, i: int) -> tuple[int, int]:
        """Return (first, end) px of the picture to which tile i contributes, its ramps included."""
        first = self.seams[i - 1][0] if i else 0
        end = self.seams[i][1] if i < len(self.seams) else self.length
        return first, end

    def ramp(self, i: int) -> NDArray[np.float32]:
        """Return the weights (px, 1, 1) of tile i along its ramp from the tile before; empty for the first."""
        if i == 0:
            return np.empty((0, 1, 1), np.float32)
        first, end = self.seams[i - 1]
        t = (np.arange(end - first, dtype=np.float32) + np.float32(0.5)) / np.float32(end - first)
        weights: NDArray[np.float32] = t * t * (np.float32(3) - np.float32(2) * t)
        return weights[:, None, None]


def cut_axis(length: int, *, tile: int, multiple_of: int, halo: int) -> Axis:
    """Cut a side of `length` px into the fewest even tiles of at most `tile` px (0: uncut).

    Args:
        length: px of the picture.
        tile: px, largest side of a tile.
        multiple_of: px, as of `Description`.
        halo: px, as of `Description`.

    Raises:
        ConfigError: if the tile is too small for its halo to leave a core.
    """
    step = multiple_of
    padded = math.ceil(length / step) * step
    if tile < 0:
        raise ConfigError(f"tile is {tile}; it must be 0 (no tiles) or a number of pixels")
    largest = tile // step * step
    if tile == 0 or largest >= padded:
        return Axis(length, padded, (0,), ())
    seam = min(SEAM, (largest - 2 * halo - step) // 3)
    if seam < 1:
        least = math.ceil((2 * halo + step + 3) / step) * step
        raise ConfigError(
            f"tile is {tile} px; for a picture of this size the network needs at least {least} (or 0 for no tiles)"
        )
    lap = 2 * halo + seam
    stride = (largest - lap) // step * step
    count = math.ceil((padded - largest) / stride) + 1
    size = next(  # the smallest with which as many tiles suffice
        smaller
        for smaller in range(largest - stride + step, largest + 1, step)
        if math.ceil((padded - smaller) // step / (count - 1)) * step <= smaller - lap
    )
    room = (padded - size) // step
    starts = tuple(i * room // (count - 1) * step for i in range(count))
    middles = [(a + size + b) // 2 for a, b in pairwise(starts)]
    seams = tuple((middle - seam // 2, middle - seam // 2 + seam) for middle in middles)
    return Axis(length, size, starts, seams)


@dataclass(frozen=True)
class Tile:
    """One tile of a grid."""

    row: int
    """Number of the tile from the top."""
    column: int
    """Number of the tile from the left."""
    rows: slice
    """Rows of the picture; may end past it."""
    columns: slice
    """Columns of the picture; may end past it."""

    def read(self, view: Rows) -> Pixels:
        """Cut the tile out of a picture (H, W, 3); what lies past its edge is filled by reflection."""
        part = view[self.rows, self.columns]
        height, width = self.rows.stop - self.rows.start, self.columns.stop - self.columns.start
        if part.shape[:2] == (height, width):
            return part
        return np.pad(part, [(0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0)], "reflect")


@dataclass(frozen=True)
class Grid:
    """All tiles of a picture: row by row from the top, each from the left."""

    rows: Axis
    """Tiles along y."""
    columns: Axis
    """Tiles along x."""

    @classmethod
    def cut(cls, height: int, width: int, *, tile: int, multiple_of: int, halo: int) -> Grid:
        """Cut a picture of height x width px; arguments and errors as of `cut_axis`."""
        return cls(
            cut_axis(height, tile=tile, multiple_of=multiple_of, halo=halo),
            cut_axis(width, tile=tile, multiple_of=multiple_of, halo=halo),
        )

    def __len__(self) -> int:
        return len(self.rows.starts) * len(self.columns.starts)

    def __iter__(self) -> Iterator[Tile]:
        for row, top in enumerate(self.rows.starts):
            for column, left in enumerate(self.columns.starts):
                yield Tile(
                    row, column, slice(top, top + self.rows.tile), slice(left, left + self.columns.tile)
                )


class Blend:
    """Blends the results of a grid's tiles, which are added in the grid's order, into rows of the picture.

    Beside the row of tiles at work, only the ramp from the row above is in memory.

    Args:
        grid: of the picture.
        channels: of the picture.
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        self._grid = grid
        self._channels = channels
        self._strip = np.empty((0, 0, channels), np.float32)  # the row of tiles at work
        self._above = self._strip  # of the row of tiles above, where it leads over to the one at work

    def add(self, tile: Tile, result: Pixels) -> Pixels:
        """Blend the result of the next tile, (tile rows, tile columns, channels).

        Returns:
            The rows below those that were returned before, (n, W, channels), float32, that no other tile changes;
            none before the last tile of each row of tiles.

        Raises:
            ShapeError: if the result has another shape.
        """
        rows, columns = self._grid.rows, self._grid.columns
        if result.shape != (rows.tile, columns.tile, self._channels):
            raise ShapeError(
                f"the engine returned {result.shape} for a tile of {(rows.tile, columns.tile, self._channels)}; "
                "it must keep the shape"
            )
        top, bottom = rows.core(tile.row)
        left, right = columns.core(tile.column)
        core = result[
            top - tile.rows.start : bottom - tile.rows.start,
            left - tile.columns.start : right - tile.columns.start,
        ]
        if len(columns.starts) == 1:
            self._strip = core
        else:
            if tile.column == 0:
                self._strip = np.empty((bottom - top, columns.length, self._channels), np.float32)
            _blend(self._strip.swapaxes(0, 1)[left:right], core.swapaxes(0, 1), columns.ramp(tile.column))
        if tile.column < len(columns.starts) - 1:
            return self._strip[:0]
        return self._finish_rows(tile.row)

    def _finish_rows(self, row: int) -> Pixels:
        """Lead the row of tiles above over into the one at work; return the rows that are final."""
        rows, strip = self._grid.rows, self._strip
        ramp = rows.ramp(row)
        if len(ramp):
            self._above += ramp * (strip[: len(ramp)] - self._above)
            strip[: len(ramp)] = self._above
        top, _ = rows.core(row)
        final = (rows.seams[row][0] if row < len(rows.seams) else rows.length) - top
        self._above = strip[final:].copy()
        self._strip = strip[:0].copy()  # whoever takes the rows decides how long they stay in memory
        return strip[:final]


def _blend(target: Pixels, part: Pixels, ramp: NDArray[np.float32]) -> None:
    """Lead `target` over into `part` along the first axis, in place; behind the ramp copy `part`."""
    n = len(ramp)
    target[:n] += ramp * (part[:n] - target[:n])
    target[n:] = part[n:]
