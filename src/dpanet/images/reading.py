"""Pair in: picture files become codes, pictures and pairs.

The depth is taken from the file. Pixels stay as they are stored: the EXIF orientation is carried along, not
applied, because the two views of a dual pixel differ along the sensor's rows.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from dpanet.errors import PairError, UnreadableImageError
from dpanet.images.decoded import Codes, Decoded
from dpanet.images.encoding import dequantise
from dpanet.images.lossy import decode_lossy, is_lossy
from dpanet.images.png import SIGNATURE, decode_png
from dpanet.images.tiff import SIGNATURES, decode_tiff
from dpanet.pair import SMALLEST_SIDE, DualPixelPair, Encoding, Picture, Pixels

ImagePath = str | os.PathLike[str]

_STRIP = 256
"""Rows converted at once, so that no second full-size copy exists."""


def read_file(path: ImagePath) -> Decoded:
    """The exact contents of a PNG, TIFF, JPEG or WebP, told apart by their first bytes, not by name.

    Raises: UnreadableImageError if the file is missing, empty, truncated, damaged or no such picture.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head.startswith(SIGNATURE):
                return decode_png(path.read_bytes(), path)
            if is_lossy(head):
                return decode_lossy(path.read_bytes(), path)
    except FileNotFoundError as error:
        raise UnreadableImageError(f"{path} does not exist; check the name") from error
    except IsADirectoryError as error:
        raise UnreadableImageError(f"{path} is a folder; name a picture file in it") from error
    except OSError as error:
        raise UnreadableImageError(
            f"{path} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if head.startswith(SIGNATURES):
        return decode_tiff(path)
    if not head:
        raise UnreadableImageError(f"{path} is empty; export or copy it again")
    raise UnreadableImageError(f"{path} is not a PNG, TIFF or JPEG picture; export it as one of these")


def read_codes(path: ImagePath) -> Codes:
    """The codes of a file, exactly: H x W (gray), H x W x 3 (RGB) or x 4 (alpha); uint8, uint16 or float."""
    return np.ascontiguousarray(read_file(path).codes)


def read_picture(path: ImagePath, encoding: Encoding = "srgb") -> Picture:
    """One picture; gray is repeated, `encoding` is what the caller knows of the file.

    Raises: UnreadableImageError; PairError if it is under 16 px, transparent, or holds NaN or infinity.
    """
    file = read_file(path)
    return Picture(to_pixels(file), encoding, file.metadata)


def read_pair(left: ImagePath, right: ImagePath, encoding: Encoding | None = None) -> DualPixelPair:
    """The two views of one exposure, with the left file's metadata; `encoding` is ``srgb`` unless given.

    Raises: UnreadableImageError for a file; PairError naming both files if they do not belong together.
    """
    one, other = read_views(left, right)
    metadata, pixels = one.metadata, to_pixels(one)
    del one
    return DualPixelPair(pixels, to_pixels(other), encoding or "srgb", metadata)


def read_views(left: ImagePath, right: ImagePath) -> tuple[Decoded, Decoded]:
    """The exact contents of two views, checked to be of one size, depth and kind."""
    one, other = read_file(left), read_file(right)
    if one.path.resolve() == other.path.resolve():
        raise PairError(f"{left} was given for both views; name the left and the right view of one capture")
    if one.codes.shape[:2] != other.codes.shape[:2]:
        raise PairError(
            f"{left} is {_size(one)} and {right} is {_size(other)} px; give the two views of the same capture"
        )
    if one.codes.dtype != other.codes.dtype:
        raise PairError(
            f"{left} is {_depth(one)} and {right} {_depth(other)}; export both views at one depth"
        )
    if one.gray != other.gray:
        gray, colour = (left, right) if one.gray else (right, left)
        raise PairError(f"{gray} is gray and {colour} is in colour; export both views alike")
    return one, other


def to_pixels(file: Decoded) -> Pixels:
    """H x W x 3, RGB, float32, 1.0 = white: gray is repeated, an opaque alpha channel dropped.

    Raises: PairError naming the file if it is too small, transparent, or holds NaN or infinity.
    """
    codes = file.codes
    height, width = codes.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise PairError(
            f"{file.path} is {width} x {height} px; at least {SMALLEST_SIDE} px a side are needed, "
            "so give a larger picture"
        )
    if codes.ndim == 3 and codes.shape[2] == 4:
        opaque = np.iinfo(codes.dtype).max if codes.dtype.kind == "u" else 1.0
        if not (codes[..., 3] == opaque).all():
            raise PairError(f"{file.path} has transparent pixels; export it without an alpha channel")
    pixels = np.empty((height, width, 3), np.float32)
    for top in range(0, height, _STRIP):
        rows = codes[top : top + _STRIP]
        values = rows.astype(np.float32) if rows.dtype.kind == "f" else dequantise(rows)
        pixels[top : top + _STRIP] = values[..., None] if rows.ndim == 2 else values[..., :3]
        if rows.dtype.kind == "f" and not np.isfinite(pixels[top : top + _STRIP]).all():
            raise PairError(
                f"{file.path} contains NaN or infinity; every pixel must be a number, so repair the file"
            )
    return pixels


def _size(file: Decoded) -> str:
    return f"{file.codes.shape[1]} x {file.codes.shape[0]}"


def _depth(file: Decoded) -> str:
    return f"{file.codes.dtype}" if file.bits == 32 else f"{file.bits}-bit"
