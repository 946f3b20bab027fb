"""Photographs and printed pages for scenes, loaded when they are asked for; the last ones used stay in memory."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import overload

import numpy as np
import torch
from cachetools import LRUCache
from torch import Tensor

from dpanet.datasets.photographs import read_photograph
from dpanet.simulation.content import draw_printed_page

CACHE_BYTES = 512 * 2**20
"""Largest size of one cache: some 200 photographs of 1000 px a side."""


class _Cache(Sequence[Tensor]):
    """A sequence whose items are loaded on demand; the last ones used are kept, up to `CACHE_BYTES`.

    Args: count: number of items.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._loaded: LRUCache[int, Tensor] = LRUCache(CACHE_BYTES, getsizeof=attrgetter("nbytes"))
        self.used: set[int] = set()
        """Indices that were asked for, until the caller clears it."""

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Tensor: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, index: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        self.used.add(index)
        item = self._loaded.get(index)
        if item is None:
            item = self._load(index)
            if item.nbytes <= self._loaded.maxsize:
                self._loaded[index] = item
        return item

    @abstractmethod
    def _load(self, index: int) -> Tensor: ...


class PhotoCache(_Cache):
    """Photographs, each (3, H, W) uint8, as `read_photograph` reads them: upright, display-encoded.

    Args: files: as `find_photographs` lists them.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__(len(files))
        self.files = tuple(files)
        self.sha256: dict[int, str] = {}
        """Digest of each file that was read, by index."""

    def _load(self, index: int) -> Tensor:
        color = read_photograph(self.files[index])
        with self.files[index].open("rb") as file:
            self.sha256[index] = hashlib.file_digest(file, "sha256").hexdigest()
        return torch.from_numpy(np.ascontiguousarray(color.transpose(2, 0, 1)))


class PageCache(_Cache):
    """Printed pages, each (3, H, W) uint8; a page depends on its index alone.

    Args: count: number of pages.
    """

    def _load(self, index: int) -> Tensor:
        return draw_printed_page(np.random.default_rng([20, index]))
