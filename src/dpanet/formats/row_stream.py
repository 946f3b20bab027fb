"""Rows of a picture that come from the top down, such as those of a file that is decoded bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dpanet.containers.decoded_image import ImageFile

Strips = Iterator[NDArray[Any]]
"""The rows of a picture from top to bottom, in strips of any height."""


class RowStream:
    """A picture that is sliced by rows as an array is, while only the rows of the last slice are in memory.

    A slice may start anywhere in the last one or below it. One that starts above starts the strips anew.

    Args:
        shape: of the whole picture, H x W or H x W x channels.
        dtype: of its values.
        run: yields the strips; may be called again.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, run: Callable[[], Strips]) -> None:
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.run = run
        self._strips: Strips | None = None
        self._blocks: list[NDArray[Any]] = []  # consecutive rows from `_top` on
        self._top = 0

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        top, bottom, step = rows.indices(len(self))
        if step != 1:
            raise IndexError(f"rows of a stream are read one after another, not in steps of {step}")
        bottom = max(top, bottom)
        if self._strips is None or top < self._top:
            self.close()
            self._strips = self.run()
        self._drop_rows(top)
        if not self._blocks or len(self._blocks[0]) < bottom - top:
            self._read_rows(self._strips, top, bottom)
        return self._blocks[0][: bottom - top]

    def close(self) -> None:
        """End the strips, such as to close their file; the next slice starts them anew."""
        if self._strips is not None and hasattr(self._strips, "close"):
            self._strips.close()
        self._strips, self._blocks, self._top = None, [], 0

    def _drop_rows(self, top: int) -> None:
        """Forget the rows above `top`, as far as they were read."""
        while self._blocks and self._top < top:
            block = self._blocks.pop(0)
            rest = block[top - self._top :]
            self._top += len(block) - len(rest)
            if len(rest):
                self._blocks.insert(0, rest)

    def _read_rows(self, strips: Strips, top: int, bottom: int) -> None:
        """Let the first block be the rows from `top` to `bottom`; keep what was read below them in another."""
        out = np.empty((bottom - top, *self.shape[1:]), self.dtype)
        blocks, self._blocks = self._blocks, []
        place = 0  # next row of `out`
        rest = None
        while place < len(out):
            strip = blocks.pop(0) if blocks else next(strips)
            if self._top < top:  # rows that nobody asked for
                skipped = min(len(strip), top - self._top)
                self._top += skipped
                strip = strip[skipped:]
            n = min(len(strip), len(out) - place)
            out[place : place + n] = strip[:n]
            place += n
            rest = strip[n:].copy() if n < len(strip) else None
            del strip  # the next one needs the memory
        self._blocks = [out, *([] if rest is None else [rest]), *blocks]


StreamedImage = ImageFile[RowStream]
"""An image file whose pixels are decoded when they are sliced."""
