"""Where a network runs, in which numbers, and how memory is kept for it."""

from __future__ import annotations

import ctypes
import platform
from typing import Literal

import torch

from dpanet.errors import SettingsError
from dpanet.network.description import Description

Precision = Literal["auto", "float32", "bfloat16"]

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str = "auto") -> torch.device:
    """The named device, or the first there is of cuda, mps, cpu. A numbered one such as ``cuda:1`` will do.

    Raises: SettingsError for an unknown device or one this machine does not have.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in present:
        raise SettingsError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}")
    if not present[device.type] or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        there = ", ".join(kind for kind, yes in present.items() if yes)
        raise SettingsError(
            f"device is {name!r}, but torch finds only {there} on this machine; choose one of these"
        )
    return device


def choose_precision(name: str, device: torch.device, description: Description) -> torch.dtype:
    """torch.float32 or torch.bfloat16.

    ``auto`` takes bfloat16 where the device computes in it natively, except for a network that only a whole
    picture suits: that is the published one, which is here to be exact.

    Raises: SettingsError for an unknown precision.
    """
    if name not in PRECISIONS:
        raise SettingsError(f"precision is {name!r}; it must be one of {', '.join(PRECISIONS)}")
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


def keep_memory() -> bool:
    """Ask the C library to keep freed blocks for the next tile; returns whether it understood.

    glibc hands each large block back to the kernel when it is freed, and the next tensor of that size is
    faulted in page by page: that can cost more than the arithmetic. It changes the whole process, so it is
    never done at import.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    trim_threshold, mmap_max = -1, -4  # numbers of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(mmap_max, 0) and mallopt(trim_threshold, 2**31 - 1))
