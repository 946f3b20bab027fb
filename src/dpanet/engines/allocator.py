"""How the C library allocates memory for a network. Standard library only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8
"""Constants of malloc.h."""


def share_heap() -> bool:
    """Let all threads of this process allocate from one heap of glibc; return whether they can.

    Else each thread gets a heap of its own, and what it has freed, no other thread uses again: the views of tiles
    are converted in one thread and their passes computed in others. To be called by programs, before they start a
    second thread.
    """
    mallopt = _find_mallopt()
    return bool(mallopt and mallopt(_ARENA_MAX, 1))


@contextmanager
def reuse_freed_memory() -> Iterator[bool]:
    """Let the C library keep freed blocks for the next run of a network; yields whether it can.

    glibc maps each large block from the kernel and returns it when it is freed; the next tensor of that size is
    mapped page by page, which can cost more than the arithmetic. Inside this context, blocks come from the heap, and
    the heap does not shrink. Outside, blocks from 1 MB up are mapped and returned as soon as they are freed: whole
    pictures would leave holes in the heap that tiles cannot use.

    glibc cannot be asked for its earlier thresholds, so the process does not return to them. Use this in programs;
    a library must leave the choice to the program that calls it.
    """
    mallopt = _find_mallopt()
    supported = bool(mallopt and mallopt(_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_MMAP_MAX, 0))
    try:
        yield supported
    finally:
        if mallopt:
            mallopt(_MMAP_MAX, 65536)
            mallopt(_MMAP_THRESHOLD, 2**20)


@cache
def _find_mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's `mallopt`, which sets options of malloc, or None where the C library is another."""
    if "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()) or not os.confstr("CS_GNU_LIBC_VERSION"):
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
