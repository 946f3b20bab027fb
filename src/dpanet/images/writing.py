"""Write pictures as PNG or TIFF, 8 or 16 bit (float in TIFF)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from dpanet.containers.decoded_image import CodeRows, Codes
from dpanet.containers.icc_profile import SRGB_PRIMARIES, colorants_of, make_profile
from dpanet.containers.written_metadata import (
    not_carried,
    stated_encoding,
    with_encoding,
    with_profile,
    with_size,
)
from dpanet.errors import ConfigError, PairError
from dpanet.files.output import atomic_output, prepare_output
from dpanet.formats.deflate import FAST, LEVELS
from dpanet.formats.png import write_png
from dpanet.formats.row_stream import RowStream, Strips
from dpanet.formats.tiff_writing import write_tiff
from dpanet.images.encoding import dequantize, quantize
from dpanet.images.pixel_rows import PictureRows
from dpanet.pair import Picture

__all__ = ["SUFFIXES", "not_carried", "write_picture"]

SUFFIXES = (".png", ".tif", ".tiff")

_STRIP = 64
"""Rows that are converted at once, so that no second full-size copy exists."""


def write_picture(
    picture: Picture | PictureRows,
    path: str | os.PathLike[str],
    bits: int | None = None,
    overwrite: bool = False,
    *,
    compression: int = FAST,
) -> None:
    """Write a picture with its ICC profile and EXIF; the file appears only when it is complete.

    Args:
        picture: to be written; if its file was gray (``gray`` in its metadata), the mean of its channels is written.
        path: of the file; the suffix .png, .tif or .tiff decides the format.
        bits: 8, 16, or 32 (float, TIFF only). By default as in the picture's own file (16 for a PNG of a float
            picture), or, without a file, 8 for sRGB and 16 for linear.
        overwrite: whether the file may exist already.
        compression: 0 (none) to 9 (slowest), without loss; 1 is fast, and for 16 bits hardly larger than the others.

    Raises:
        OutputError: if the file exists (without `overwrite`) or cannot be written.
        ConfigError: if `bits`, the compression or the suffix is not allowed.
        PairError: for something else than a picture, such as an array.

    >>> import numpy as np
    >>> from dpanet import Picture, read_picture, write_picture
    >>> write_picture(Picture(np.ones((16, 24, 3), np.float32)), "white.tif", bits=32)
    >>> read_picture("white.tif").metadata["bits"]
    32
    """
    if not hasattr(picture, "pixels"):
        raise PairError(
            f"the picture is of type {type(picture).__name__}; give a Picture, such as Picture(array) of an array "
            "(H, W, 3) in float32 whose white is 1.0"
        )
    path = prepare_output(path, overwrite, SUFFIXES)
    tiff = path.suffix.lower() != ".png"
    if bits is None:
        bits = int(picture.metadata.get("bits", 8 if picture.encoding == "srgb" else 16))
        bits = 16 if bits == 32 and not tiff else bits
    if bits not in ((8, 16, 32) if tiff else (8, 16)):
        raise ConfigError(f"bits is {bits}; it must be 8 or 16 (or 32 for a float .tif)")
    if compression not in LEVELS:
        raise ConfigError(f"compression is {compression}; it must be 0 (none) to 9 (slowest)")
    metadata = with_size(_fit_metadata(picture, tiff, bits == 32), *picture.pixels.shape[:2])
    codes, alpha = _codes(picture, bits), _alpha(picture, bits)
    with atomic_output(path, overwrite) as unfinished:
        (write_tiff if tiff else write_png)(unfinished, codes, alpha, metadata, compression)


def _fit_metadata(picture: Picture | PictureRows, tiff: bool, floats: bool) -> dict[str, Any]:
    """Return the metadata to write: they state the encoding of the picture, or none where sRGB is understood."""
    metadata, encoding = dict(picture.metadata), picture.encoding
    stated = stated_encoding(metadata)
    if stated not in (None, encoding) or (stated is None and encoding == "linear"):
        metadata = with_encoding(metadata, encoding)
    if not tiff:
        return metadata
    metadata = with_profile(metadata)
    if floats and not metadata.get("icc"):  # floats are often taken as linear
        colors = None if metadata.get("gray") else colorants_of(SRGB_PRIMARIES)
        metadata["icc"] = make_profile("sRGB", "srgb", colors)
    return metadata


def _codes(picture: Picture | PictureRows, bits: int) -> CodeRows:
    """Return the codes of a picture, which are converted when they are written."""
    pixels, gray = picture.pixels, bool(picture.metadata.get("gray", False))
    kind: type[Any] = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]

    def convert() -> Strips:
        for top in range(0, len(pixels), _STRIP):
            rows = pixels[top : top + _STRIP]
            values = rows.mean(axis=2, dtype=np.float64).astype(np.float32) if gray else rows
            yield values if bits == 32 else quantize(values, bits)

    return RowStream(pixels.shape[:2] if gray else pixels.shape, kind, convert)


def _alpha(picture: Picture | PictureRows, bits: int) -> Codes | None:
    """Convert the alpha channel of a picture's file to the depth that is written."""
    alpha = picture.metadata.get("alpha")
    if alpha is None:
        return None
    alpha = np.asarray(alpha)
    if alpha.shape != picture.pixels.shape[:2]:
        raise PairError(
            f"the alpha channel in the metadata has shape {alpha.shape}; expected {picture.pixels.shape[:2]} as the "
            "picture, so cut it likewise or remove it"
        )
    if alpha.dtype.kind == "u" and 8 * alpha.dtype.itemsize == bits:
        return alpha
    values = alpha.astype(np.float32) if alpha.dtype.kind == "f" else dequantize(alpha)
    return values if bits == 32 else quantize(values, bits)
