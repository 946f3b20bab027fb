"""Compress the parts of a picture with deflate, each on its own, in threads. Standard library only."""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from dpanet.processes.background import Background

FAST = 1
"""The default level: run lengths and Huffman codes alone. The others are slower, and files of 16 bits no smaller."""

LEVELS = range(10)
"""From 0, no compression, to 9."""

THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
"""That compress a picture while its next rows are prepared."""

Data = bytes | memoryview
"""Bytes in one piece."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def compress_parts(parts: Iterable[Data], level: int = FAST, threads: int = 1) -> Iterator[bytes]:
    """Yield one zlib stream bit by bit: a piece for each part, and an end.

    Args:
        parts: of the data.
        level: one of `LEVELS`.
        threads: that compress; the stream is the same with any number.
    """
    checksum = 1

    def check() -> Iterator[Data]:
        nonlocal checksum
        for part in parts:
            checksum = zlib.adler32(part, checksum)
            yield part

    start = b"\x78\x01"
    for piece in map_in_order(partial(_compress_part, level=level), check(), threads):
        yield start + piece
        start = b""
    yield start + b"\x03\x00" + checksum.to_bytes(4, "big")  # an empty block that is the last


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int = 1
) -> Iterator[Result]:
    """Yield the result of a function for each item, in order; with several threads, computed beside one another."""
    if threads == 1:
        yield from map(function, items)
        return
    at_work: deque[Background[Result]] = deque()
    for item in items:
        if len(at_work) == threads:
            yield at_work.popleft().result()
        at_work.append(Background(partial(function, item)))
    while at_work:
        yield at_work.popleft().result()


def compress(data: Data, level: int = FAST) -> bytes:
    """Return data as a zlib stream of its own."""
    compressor = _compressor(level, zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def _compress_part(data: Data, level: int) -> bytes:
    """Return data as blocks of deflate that end at a byte, and of which none is the last."""
    compressor = _compressor(level, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _compressor(level: int, bits: int) -> zlib._Compress:
    strategy = zlib.Z_RLE if level == FAST else zlib.Z_FILTERED
    return zlib.compressobj(level, wbits=bits, strategy=strategy)
