"""The device and the number format of a torch network."""

from __future__ import annotations

import torch

from dpanet.errors import ConfigError
from dpanet.network.description import Description

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str = "auto") -> torch.device:
    """Return the named device, or the first that this machine has of cuda, mps, cpu.

    Args:
        name: one of `DEVICES`, or a numbered one such as ``cuda:1``.

    Raises:
        ConfigError: for an unknown device, or one that this machine does not have.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in present:
        raise ConfigError(
            f"device is {name!r}; it must be one of {', '.join(DEVICES)}, or a numbered one such as cuda:1"
        )
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if not present[device.type] or (device.index or 0) >= count:
        numbered = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if present["cuda"] else []
        there = ", ".join([*numbered, *(kind for kind, yes in present.items() if yes and kind != "cuda")])
        raise ConfigError(
            f"device is {name!r}, but torch finds only {there} on this machine; choose one of these"
        )
    return device


def choose_precision(name: str, device: torch.device, description: Description) -> torch.dtype:
    """Return torch.float32 or torch.bfloat16.

    Args:
        name: one of `PRECISIONS`. ``auto`` is bfloat16 where the device computes in it natively, except for a
            network that needs the whole picture: that is the published one, whose numbers are to be exact.
        device: where the network runs.
        description: of the network.

    Raises:
        ConfigError: for an unknown precision.
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
