"""A large picture through a small engine: overlapping tiles, blended so that no seam shows.

NumPy only. An engine is anything that maps two arrays (rows, columns, 3) to one.

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
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, ShapeError
from dpanet.pair import Pixels

Engine = Callable[[Pixels, Pixels], Pixels]
"""Two views, rows x columns x 3, float32, to a picture of the same shape."""

Progress = Callable[[int, int], None]
"""Told (tiles done, tiles in all), first with 0 done."""

SEAM = 32
"""Pixels over which one tile passes into the next, where the tile is large enough for it."""


@dataclass(frozen=True)
class Axis:
    """How one side of a picture is cut.

    length: px of the picture. tile: px each tile spans. starts: where tiles begin; multiples of the step.
    seams: (first, end) px of each ramp from tile i to tile i + 1; they never overlap.
    The last tile may end past `length`; what is missing is filled by reflection.
    """

    length: int
    tile: int
    starts: tuple[int, ...]
    seams: tuple[tuple[int, int], ...]

    def core(self, i: int) -> tuple[int, int]:
        """(first, end) px of the picture to which tile i contributes, its ramps included."""
        first = self.seams[i - 1][0] if i else 0
        end = self.seams[i][1] if i < len(self.seams) else self.length
        return first, end


def cut(length: int, *, tile: int, multiple_of: int, halo: int) -> Axis:
    """Cut a side of `length` px into tiles of at most `tile` px (0: uncut), evenly, with no more than needed.

    Raises: ConfigError if the tile is too small for its halo to leave a core.
    """
    step = multiple_of
    padded = math.ceil(length / step) * step
    if tile < 0:
        raise ConfigError(f"tile is {tile}; it must be 0 (no tiles) or a number of pixels")
    if tile == 0 or tile // step * step >= padded:
        return Axis(length, padded, (0,), ())
    tile = tile // step * step
    seam = min(SEAM, (tile - 2 * halo - step) // 3)
    if seam < 1:
        least = math.ceil((2 * halo + step + 3) / step) * step
        raise ConfigError(f"tile is {tile} px; this network needs at least {least} (or 0 for no tiles)")
    lap = 2 * halo + seam
    stride = (tile - lap) // step * step
    count = math.ceil((padded - tile) / stride) + 1
    tile = next(  # the smallest with which as many tiles suffice
        smaller
        for smaller in range(tile - stride + step, tile + 1, step)
        if math.ceil((padded - smaller) // step / (count - 1)) * step <= smaller - lap
    )
    room = (padded - tile) // step
    starts = tuple(i * room // (count - 1) * step for i in range(count))
    middles = [(a + tile + b) // 2 for a, b in pairwise(starts)]
    seams = tuple((middle - seam // 2, middle - seam // 2 + seam) for middle in middles)
    return Axis(length, tile, starts, seams)


def deblur_tiles(
    left: Pixels,
    right: Pixels,
    engine: Engine,
    *,
    multiple_of: int,
    halo: int,
    tile: int,
    progress: Progress | None = None,
) -> Pixels:
    """Run an engine over a pair in tiles and blend the results.

    Args:    left, right: H x W x 3, float32. multiple_of, halo: px, of the network's description.
             tile: px, the largest side the engine is shown; 0 shows it the whole picture.
    Returns: H x W x 3, float32. Beside it, one row of tiles is held in memory.
    Raises:  ConfigError if the tile is too small; ShapeError if the engine returns another shape.
    """
    rows = cut(left.shape[0], tile=tile, multiple_of=multiple_of, halo=halo)
    columns = cut(left.shape[1], tile=tile, multiple_of=multiple_of, halo=halo)
    total, done = len(rows.starts) * len(columns.starts), 0
    output = np.empty_like(left)
    for j, top in enumerate(rows.starts):
        first_row, end_row = rows.core(j)
        strip = output if total == 1 else np.empty((end_row - first_row, *left.shape[1:]), left.dtype)
        for i, start in enumerate(columns.starts):
            if progress is not None:
                progress(done, total)
            result = _run(
                engine, left, right, slice(top, top + rows.tile), slice(start, start + columns.tile)
            )
            first, end = columns.core(i)
            part = result[first_row - top : end_row - top, first - start : end - start]
            _blend(strip.swapaxes(0, 1)[first:end], part.swapaxes(0, 1), _ramp(columns, i))
            del result, part  # the next tile needs the room
            done += 1
        if strip is not output:
            _blend(output[first_row:end_row], strip, _ramp(rows, j))
    if progress is not None:
        progress(done, total)
    return output


def _run(engine: Engine, left: Pixels, right: Pixels, rows: slice, columns: slice) -> Pixels:
    shape = (rows.stop - rows.start, columns.stop - columns.start, 3)
    result = engine(_reflect(left[rows, columns], shape), _reflect(right[rows, columns], shape))
    if result.shape != shape:
        raise ShapeError(f"the engine made {result.shape} of two views of {shape}; it must keep the shape")
    return result


def _reflect(part: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Fill up on the right and below by reflection, again and again where the part is small."""
    if part.shape == shape:
        return part
    return np.pad(
        part, [(0, wanted - given) for wanted, given in zip(shape, part.shape, strict=True)], "reflect"
    )


def _ramp(axis: Axis, i: int) -> NDArray[np.float32]:
    """Weights of tile i along its ramp from the tile before, (px, 1, 1); empty for the first."""
    if i == 0:
        return np.empty((0, 1, 1), np.float32)
    first, end = axis.seams[i - 1]
    t = (np.arange(end - first, dtype=np.float32) + np.float32(0.5)) / np.float32(end - first)
    ramp: NDArray[np.float32] = t * t * (np.float32(3) - np.float32(2) * t)
    return ramp[:, None, None]


def _blend(target: Pixels, part: Pixels, ramp: NDArray[np.float32]) -> None:
    """Lead `target` over into `part` along the first axis, in place; behind the ramp take `part` as it is."""
    n = len(ramp)
    target[:n] += ramp * (part[:n] - target[:n])
    target[n:] = part[n:]
