"""Where a network runs, in which numbers, and how memory is kept for it."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch

from dpanet.errors import ConfigError
from dpanet.network.description import Description

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Numbers of malloc.h."""

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str = "auto") -> torch.device:
    """The named device, or the first there is of cuda, mps, cpu. A numbered one such as ``cuda:1`` will do.

    Raises: ConfigError for an unknown device or one this machine does not have.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in present:
        raise ConfigError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}")
    if not present[device.type] or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        there = ", ".join(kind for kind, yes in present.items() if yes)
        raise ConfigError(
            f"device is {name!r}, but torch finds only {there} on this machine; choose one of these"
        )
    return device


def choose_precision(name: str, device: torch.device, description: Description) -> torch.dtype:
    """torch.float32 or torch.bfloat16.

    ``auto`` takes bfloat16 where the device computes in it natively, except for a network that only a whole
    picture suits: that is the published one, which is here to be exact.

    Raises: ConfigError for an unknown precision.
    """
    if name not in PRECISIONS:
        raise ConfigError(f"precision is {name!r}; it must be one of {', '.join(PRECISIONS)}")
    if name == "auto":
        name = "bfloat16" if _native_bfloat16(device) and not description.whole_image else "float32"
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def _native_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


@contextmanager
def keeping_memory() -> Iterator[bool]:
    """Ask the C library to keep the blocks that are freed meanwhile for the next tile; yields if it understood.

    glibc maps each large block from the kernel and hands it back when it is freed; the next tensor of that size
    is faulted in page by page, which can cost more than the arithmetic. So for as long as this lasts, blocks come
    from the heap, and the heap is not shrunk any more. Outside, blocks from 1 MB up are mapped and handed back as
    soon as they are freed: whole pictures would leave holes in the heap that the tiles cannot use.
    """
    mallopt = _mallopt()
    understood = bool(mallopt and mallopt(_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_MMAP_MAX, 0))
    try:
        yield understood
    finally:
        if mallopt:
            mallopt(_MMAP_MAX, 65536)
            mallopt(_MMAP_THRESHOLD, 2**20)


@cache
def _mallopt() -> Callable[[int, int], int] | None:
    """The function of glibc; None where the C library is another."""
    if platform.libc_ver()[0] != "glibc":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
