"""Picture out: PNG or TIFF, 8 or 16 bit (float in TIFF), whole or not at all."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from dpanet.errors import ConfigError
from dpanet.files.output import atomic_output, prepare_output
from dpanet.images.decoded import Codes
from dpanet.images.encoding import quantise
from dpanet.images.png import encode_png
from dpanet.images.tiff import encode_tiff
from dpanet.pair import Picture

SUFFIXES = (".png", ".tif", ".tiff")

_STRIP = 256
"""Rows converted at once, so that no second full-size copy exists."""


def write_picture(
    picture: Picture, path: str | os.PathLike[str], bits: int | None = None, overwrite: bool = False
) -> None:
    """Write a picture with its ICC profile and EXIF; the file appears only when it is complete.

    A picture that came from a gray file (``gray`` in its metadata) becomes one: the mean of its channels.

    Args:   bits: 8, 16, or 32 (float, TIFF only). Unless given, as the picture's own file had
            (a float picture makes a 16-bit PNG), or 8 for sRGB and 16 for linear where that is not known.
    Raises: OutputError if the file exists (without `overwrite`) or cannot be written;
            ConfigError for other bits or another suffix than .png, .tif, .tiff.
    """
    path = prepare_output(path, overwrite, SUFFIXES)
    metadata = picture.metadata
    tiff = path.suffix.lower() != ".png"
    if bits is None:
        bits = int(metadata.get("bits", 8 if picture.encoding == "srgb" else 16))
        bits = 16 if bits == 32 and not tiff else bits
    if bits not in ((8, 16, 32) if tiff else (8, 16)):
        raise ConfigError(f"bits is {bits}; it must be 8 or 16 (or 32 for a float .tif)")
    codes = _codes(picture, bits)
    data = (encode_tiff if tiff else encode_png)(codes, metadata.get("icc"), metadata.get("exif"))
    del codes
    with atomic_output(path, overwrite) as unfinished, unfinished.open("wb") as file:
        file.write(data)


def _codes(picture: Picture, bits: int) -> Codes:
    pixels, gray = picture.pixels, bool(picture.metadata.get("gray", False))
    kind: type[Any] = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
    codes = np.empty(pixels.shape[:2] if gray else pixels.shape, kind)
    for top in range(0, len(pixels), _STRIP):
        rows = pixels[top : top + _STRIP]
        values = rows.mean(axis=2) if gray else rows
        codes[top : top + _STRIP] = values if bits == 32 else quantise(values, bits)
    return codes
