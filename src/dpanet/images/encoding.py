"""Convert between sRGB and linear values, and between floats and the codes of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError

_SRGB_KNEE = np.float32(0.04045)
_LINEAR_KNEE = np.float32(0.0031308)
_SLOPE = np.float32(12.92)
_STRIP = 64


def srgb_to_linear(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert sRGB values to values proportional to light.

    Args:
        x: any shape, float32; nominal domain 0..1, black to white.

    Returns:
        The same shape, float32; nominal range 0..1. Nothing is clipped: below 0 the straight segment continues
        (-0.1292 becomes -0.01), above 1 the power curve. Values up to 1e15 stay finite and in order.

    Source:
        IEC 61966-2-1:1999, 5.2.
    """
    x = np.asarray(x, np.float32)
    curve = np.power((np.maximum(x, _SRGB_KNEE) + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(x <= _SRGB_KNEE, x / _SLOPE, curve)


def linear_to_srgb(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert values proportional to light to sRGB values.

    Args:
        x: any shape, float32; nominal domain 0..1, black to white.

    Returns:
        The same shape, float32; nominal range 0..1. Nothing is clipped: below 0 the straight segment continues
        (-0.01 becomes -0.1292), above 1 the power curve. Finite values stay finite and in order. At the knee the
        standard's curve starts 3e-8 below the segment's end; here it is not allowed to fall below that.

    Source:
        IEC 61966-2-1:1999, 5.3.
    """
    x = np.asarray(x, np.float32)
    curve = np.power(np.maximum(x, _LINEAR_KNEE), np.float32(1 / 2.4)) * np.float32(1.055) - np.float32(0.055)
    return np.where(x <= _LINEAR_KNEE, x * _SLOPE, np.maximum(curve, _LINEAR_KNEE * _SLOPE))


def convert_in_strips(
    pixels: NDArray[np.float32],
    curve: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Convert a large picture in strips of rows, so that what a curve computes on the way needs little memory.

    Args:
        pixels: (H, ...), float32.
        curve: such as `linear_to_srgb`.
        out: for the result, `pixels` itself or another array; a new one if None.
    """
    out = np.empty_like(pixels) if out is None else out
    for top in range(0, len(pixels), _STRIP):
        out[top : top + _STRIP] = curve(pixels[top : top + _STRIP])
    return out


def quantize(pixels: NDArray[np.float32], bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Convert floats to the codes of a file: clip to 0..1, then round to the nearest code.

    Args:
        pixels: any shape, float32, 1.0 = white, in the encoding of the file.
        bits: 8 or 16.

    Returns:
        The same shape, uint8 or uint16; white is 255 or 65535, halves are rounded to the even code.

    Raises:
        ConfigError: if `bits` is another number.
        PairError: if a pixel is NaN.
    """
    if bits not in (8, 16):
        raise ConfigError(f"bits is {bits}; pictures are written with 8 or 16 bits a channel, so choose one")
    if np.isnan(pixels).any():
        raise PairError(
            "the pixels to be written contain NaN; every pixel must be a number, so find its origin"
        )
    codes: NDArray[np.float32] = np.rint(np.clip(pixels, 0.0, 1.0) * np.float32(2**bits - 1))
    return codes.astype(np.uint8) if bits == 8 else codes.astype(np.uint16)


def dequantize(codes: NDArray[Any]) -> NDArray[np.float32]:
    """Convert the codes of a file to floats; `quantize` at the same depth returns the same codes.

    Args:
        codes: any shape, uint8 or uint16.

    Returns:
        The same shape, float32, 0..1: code / 255 or code / 65535.

    Raises:
        PairError: if the codes are of another type.
    """
    if codes.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise PairError(
            f"the codes are of type {codes.dtype}; expected uint8 or uint16, so convert them first"
        )
    return codes.astype(np.float32) / np.float32(np.iinfo(codes.dtype).max)
