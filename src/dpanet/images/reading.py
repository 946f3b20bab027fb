"""Read image files as codes, pictures and pairs.

The depth is read from the file. Pixels stay as stored: the EXIF orientation is not applied, because the two views of
a dual pixel differ along the sensor's rows.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from dpanet.errors import PairError, UnreadableImageError
from dpanet.images.decoded_image import Codes, DecodedImage
from dpanet.images.encoding import dequantize
from dpanet.images.lossy import decode_lossy, is_lossy
from dpanet.images.png import SIGNATURE, decode_png
from dpanet.images.tiff import SIGNATURES, decode_tiff
from dpanet.pair import SMALLEST_SIDE, DualPixelPair, Encoding, Picture, Pixels

ImagePath = str | os.PathLike[str]

_STRIP = 256
"""Rows that are converted at once, so that no second full-size copy exists."""


def read_file(path: ImagePath) -> DecodedImage:
    """Decode a PNG, TIFF, JPEG or WebP; the first bytes decide the format, not the suffix.

    Raises:
        UnreadableImageError: if the file is missing, empty, truncated, damaged or of another format.
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
    raise UnreadableImageError(f"{path} is not a PNG, TIFF, JPEG or WebP picture; export it as one of these")


def read_codes(path: ImagePath) -> Codes:
    """Read the pixels of a file as stored.

    Returns:
        H x W (gray), H x W x 3 (RGB) or H x W x 4 (RGB and alpha); uint8, uint16 or a float type.

    Raises:
        UnreadableImageError: as `read_file`.
    """
    return np.ascontiguousarray(read_file(path).codes)


def read_picture(path: ImagePath, encoding: Encoding = "srgb") -> Picture:
    """Read one picture.

    Args:
        path: of the file.
        encoding: of its values; the file does not say it.

    Returns:
        The picture, H x W x 3, float32, 1.0 = white; gray is repeated in three channels.

    Raises:
        UnreadableImageError: if the file cannot be read.
        PairError: if a side is under 16 px, or a pixel is transparent, NaN or infinite.

    >>> import numpy as np
    >>> from dpanet import Picture, read_picture, write_picture
    >>> write_picture(Picture(np.ones((16, 24, 3), np.float32)), "white.png", bits=8)
    >>> picture = read_picture("white.png")
    >>> picture.pixels.shape, float(picture.pixels.min()), picture.metadata["bits"]
    ((16, 24, 3), 1.0, 8)
    """
    file = read_file(path)
    return Picture(to_pixels(file), encoding, file.metadata)


def read_pair(left: ImagePath, right: ImagePath, encoding: Encoding | None = None) -> DualPixelPair:
    """Read the two views of one capture.

    Args:
        left: file of the left view.
        right: file of the right view.
        encoding: of their values; ``srgb`` by default.

    Returns:
        The pair, each view H x W x 3, float32, 1.0 = white; its metadata are those of the left file.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they differ in size, depth or kind; or as `read_picture`.

    >>> import numpy as np
    >>> from dpanet import Picture, read_pair, write_picture
    >>> for side in ("left", "right"):
    ...     write_picture(Picture(np.ones((16, 24, 3), np.float32)), f"{side}.png")
    >>> read_pair("left.png", "right.png").left.shape
    (16, 24, 3)
    """
    left_image, right_image = read_views(left, right)
    metadata, pixels = left_image.metadata, to_pixels(left_image)
    del left_image
    return DualPixelPair(pixels, to_pixels(right_image), encoding or "srgb", metadata)


def read_views(left: ImagePath, right: ImagePath) -> tuple[DecodedImage, DecodedImage]:
    """Decode the files of two views and check that they are of one size, depth and kind.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they are the same file, or differ in size, depth or kind.
    """
    left_image, right_image = read_file(left), read_file(right)
    if left_image.path.resolve() == right_image.path.resolve():
        raise PairError(f"{left} was given for both views; name the left and the right view of one capture")
    if left_image.codes.shape[:2] != right_image.codes.shape[:2]:
        raise PairError(
            f"{left} is {_size(left_image)} and {right} is {_size(right_image)} px; "
            "give the two views of the same capture"
        )
    if left_image.codes.dtype != right_image.codes.dtype:
        raise PairError(
            f"{left} is {_depth(left_image)} and {right} {_depth(right_image)}; export both views at one depth"
        )
    if left_image.gray != right_image.gray:
        gray, color = (left, right) if left_image.gray else (right, left)
        raise PairError(f"{gray} is gray and {color} is in colour; export both views alike")
    return left_image, right_image


def to_pixels(file: DecodedImage) -> Pixels:
    """Convert a decoded image to float pixels.

    Returns:
        H x W x 3, RGB, float32, 1.0 = white; gray is repeated in three channels, an opaque alpha channel is dropped.

    Raises:
        PairError: naming the file, if a side is under 16 px, or a pixel is transparent, NaN or infinite.
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
        values = rows.astype(np.float32) if rows.dtype.kind == "f" else dequantize(rows)
        pixels[top : top + _STRIP] = values[..., None] if rows.ndim == 2 else values[..., :3]
        if rows.dtype.kind == "f" and not np.isfinite(pixels[top : top + _STRIP]).all():
            raise PairError(
                f"{file.path} contains NaN or infinity; every pixel must be a number, so repair the file"
            )
    return pixels


def _size(file: DecodedImage) -> str:
    return f"{file.codes.shape[1]} x {file.codes.shape[0]}"


def _depth(file: DecodedImage) -> str:
    return f"{file.codes.dtype}" if file.bits == 32 else f"{file.bits}-bit"
