"""Stocks to draw scenes from, each piece made when it is asked for: a million photographs need no memory."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
import torch
from torch import Tensor

from dpanet.errors import DatasetError
from dpanet.images.header import read_header
from dpanet.images.pairing import SUFFIXES, natural
from dpanet.images.reading import read_file
from dpanet.simulation.content import printed_page

KEPT = 512 * 2**20
"""Bytes of pieces that a stock keeps for the next time: some 200 photographs of 1000 px a side."""


def find_photographs(source: Path) -> tuple[Path, ...]:
    """The picture files of a folder in natural order of name (or the one file named), headers checked.

    Raises: DatasetError if there are none; UnreadableImageError for one that is none or was cut short.
    """
    try:
        found = [source] if source.is_file() else list(source.iterdir())
    except OSError as error:
        raise DatasetError(
            f"{source} cannot be listed ({error.strerror}); name a folder of photographs"
        ) from error
    files = [path for path in found if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
    if not files:
        raise DatasetError(f"{source} holds no photographs ({', '.join(SUFFIXES)}); name a folder that does")
    files.sort(key=lambda path: natural(path.name))
    for path in files:
        read_header(path)
    return tuple(files)


class _Stock(Sequence[Tensor]):
    """Pieces by number; the last ones used are kept."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: OrderedDict[int, Tensor] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self._count))]
        if not 0 <= place < self._count:
            raise IndexError(place)
        self.noted(place)
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        piece = self.make(place)
        self._kept[place] = piece
        self._bytes += piece.nbytes
        while self._bytes > KEPT and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return piece

    def make(self, place: int) -> Tensor:
        raise NotImplementedError

    def noted(self, place: int) -> None:
        """Told whenever a piece is asked for."""


class Photographs(_Stock):
    """Photographs, each (3, H, W) uint8, display-encoded; gray is repeated, alpha dropped, 16 bits become 8.

    `used`: the places asked for, until the caller clears it. `sums`: by place, the SHA-256 of a file read.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__(len(files))
        self.files = tuple(files)
        self.used: set[int] = set()
        self.sums: dict[int, str] = {}

    def make(self, place: int) -> Tensor:
        codes = read_file(self.files[place]).codes
        self.sums[place] = hashlib.sha256(self.files[place].read_bytes()).hexdigest()
        if codes.dtype != np.uint8:
            white = 1.0 if codes.dtype.kind == "f" else float(np.iinfo(codes.dtype).max)
            codes = np.rint(np.clip(codes.astype(np.float32) / white, 0, 1) * 255).astype(np.uint8)
        color = np.repeat(codes[..., None], 3, axis=2) if codes.ndim == 2 else codes[..., :3]
        return torch.from_numpy(np.ascontiguousarray(color.transpose(2, 0, 1)))

    def noted(self, place: int) -> None:
        self.used.add(place)


class Pages(_Stock):
    """Printed pages, each (3, H, W) uint8; a page depends on its number alone."""

    def make(self, place: int) -> Tensor:
        return printed_page(np.random.default_rng([20, place]))
