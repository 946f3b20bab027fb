"""Read image files as codes, pictures and pairs.

The depth is read from the file. Pixels stay as stored: the EXIF orientation is not applied, because the two views of
a dual pixel differ along the sensor's rows.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from dpanet.containers.decoded_image import CodeRows, Codes, DecodedImage, ImageFile
from dpanet.errors import ImageWarning, PairError, UnreadableImageError, shown
from dpanet.formats.heif import decode_heif
from dpanet.formats.jpeg import decode_jpeg
from dpanet.formats.known_formats import Format, find_format
from dpanet.formats.pgm import decode_pgm
from dpanet.formats.png import decode_png, open_png
from dpanet.formats.row_stream import RowStream, StreamedImage, Strips
from dpanet.formats.tiff import decode_tiff, open_tiff
from dpanet.formats.webp import decode_webp
from dpanet.images.header import read_header
from dpanet.images.matching_views import check_views, warn_of_conversion, warn_of_transparency
from dpanet.images.pixel_rows import PairRows, PixelRows, to_float
from dpanet.images.same_scene import warn_unless_views
from dpanet.images.source import is_standard_input, is_stream, readable_file
from dpanet.images.value_scale import Values, survey, warn_of_encoding, warn_of_scale
from dpanet.pair import SMALLEST_SIDE, DualPixelPair, Encoding, Picture, Pixels
from dpanet.processes.background import Background

ImagePath = str | os.PathLike[str]

Item = TypeVar("Item")
Result = TypeVar("Result")
Image = TypeVar("Image", bound=ImageFile[CodeRows])

_DECODERS: dict[Format, Callable[[Path], DecodedImage]] = {
    "heif": decode_heif,
    "jpeg": decode_jpeg,
    "pgm": decode_pgm,
    "png": decode_png,
    "tiff": decode_tiff,
    "webp": decode_webp,
}

_OPENERS: dict[Format, Callable[[Path], DecodedImage | StreamedImage]] = {"png": open_png, "tiff": open_tiff}

_LARGE = 8_000_000
"""Pixels from which on `open_pair` does not keep a view in memory; it is then decoded twice."""

_STRIP = 256
"""Rows that are converted at once, so that no second full-size copy exists."""


def read_file(path: ImagePath) -> DecodedImage:
    """Decode a PNG, TIFF, JPEG, WebP, AVIF, PGM or PPM; the first bytes decide the format, not the suffix.

    Args:
        path: of a file or pipe, or ``-`` for standard input.

    Raises:
        UnreadableImageError: if the file is missing, empty, truncated, damaged or of another format, or its picture
            is larger than the limit or than the memory.
    """
    image = _decode(path)
    warn_of_conversion(image)
    return image


def _decode(path: ImagePath) -> DecodedImage:
    with readable_file(path) as file, _limited_memory(file):
        image = _DECODERS[find_format(file)](file)
    return replace(image, path=Path(path))


def _open(path: ImagePath) -> DecodedImage | StreamedImage:
    """Open a large PNG or TIFF to decode its rows when they are sliced; decode any other file."""
    header = read_header(path)
    if header.width * header.height < _LARGE or is_stream(path):
        return _decode(path)
    with readable_file(path) as file, _limited_memory(file):
        kind = find_format(file)
        image = _OPENERS.get(kind, _DECODERS[kind])(file)
    codes = image.codes
    if not isinstance(codes, RowStream):
        return image

    def decode() -> Strips:
        with readable_file(path), _limited_memory(path):
            yield from codes.run()

    return replace(cast(StreamedImage, image), codes=RowStream(codes.shape, codes.dtype, decode))


@contextmanager
def _limited_memory(path: ImagePath) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise UnreadableImageError(
            f"{shown(path)} does not fit in memory; close other programs, or give a smaller picture"
        ) from error


def read_codes(path: ImagePath) -> Codes:
    """Read the pixels of a file as stored, without alpha.

    Returns:
        H x W (gray) or H x W x 3 (RGB); uint8, uint16 or a float type.

    Raises:
        UnreadableImageError: as `read_file`.
    """
    return np.ascontiguousarray(read_file(path).stored_codes)


def read_picture(path: ImagePath, encoding: Encoding | None = None) -> Picture:
    """Read one picture.

    Args:
        path: of the file.
        encoding: of its values; None for what the file states, else ``srgb``. If the file states another, an
            ImageWarning says so.

    Returns:
        The picture, H x W x 3, float32, 1.0 = white; gray is repeated in three channels.

    Raises:
        UnreadableImageError: if the file cannot be read.
        PairError: if a side is under 16 px, or a pixel is NaN or infinite.

    >>> import numpy as np
    >>> from dpanet import Picture, read_picture, write_picture
    >>> write_picture(Picture(np.ones((16, 24, 3), np.float32)), "white.png", bits=8)
    >>> picture = read_picture("white.png")
    >>> picture.pixels.shape, float(picture.pixels.min()), picture.metadata["bits"]
    ((16, 24, 3), 1.0, 8)
    """
    file = read_file(path)
    warn_of_transparency(file)
    warn_of_scale(file)
    pixels = to_pixels(file)
    return Picture(pixels, _encoding(file, encoding), file.metadata)


def read_pair(left: ImagePath, right: ImagePath, encoding: Encoding | None = None) -> DualPixelPair:
    """Read the two views of one capture.

    Args:
        left: file of the left view.
        right: file of the right view.
        encoding: of their values; None for what the files state, else ``srgb``. If they state another, an
            ImageWarning says so.

    Returns:
        The pair, each view H x W x 3, float32, 1.0 = white; its metadata are those of the left file.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: as `read_views`; or as `read_picture`.

    >>> import numpy as np
    >>> from dpanet import Picture, read_pair, write_picture
    >>> for side in ("left", "right"):
    ...     write_picture(Picture(np.ones((16, 24, 3), np.float32)), f"{side}.png")
    >>> read_pair("left.png", "right.png").left.shape
    (16, 24, 3)
    """
    left_image, right_image = read_views(left, right)
    for view in (left_image, right_image):
        warn_of_scale(view)
    pixels = to_pixels(left_image), to_pixels(right_image)
    warn_unless_views(left_image, right_image)
    return DualPixelPair(*pixels, _encoding(left_image, encoding), left_image.metadata)


def open_pair(left: ImagePath, right: ImagePath, encoding: Encoding | None = None) -> PairRows:
    """Open the two views of one capture as `read_pair` reads them, but convert their rows when they are sliced.

    Large PNGs and TIFFs are also decoded only then, after a first pass through all their rows, so that damage and
    values that are no numbers show at once. Those with alpha, interlaced or compressed as JPEG are kept in memory, as
    views of all other formats are.

    Raises:
        UnreadableImageError: if a file cannot be read; also when its rows are sliced, if it has changed.
        PairError: as `read_pair`.
    """
    images = _check_pair(left, right, _open)
    values = _for_both(lambda view: survey(view.codes), *images)
    for view, seen in zip(images, values, strict=True):
        warn_of_scale(view, seen)
    for view, seen in zip(images, values, strict=True):
        _check_side(view)
        _check_finite(view.path, seen.finite)
    warn_unless_views(*images, values)
    first, second = (PixelRows(view.codes) for view in images)
    return PairRows(first, second, _encoding(images[0], encoding, values[0]), images[0].metadata)


def read_views(left: ImagePath, right: ImagePath) -> tuple[DecodedImage, DecodedImage]:
    """Decode the files of two views and check that they belong together.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they are the same file, or differ in size, depth, channels, orientation,
            profile, stated encoding or camera.
    """
    return _check_pair(left, right, _decode)


def _check_pair(left: ImagePath, right: ImagePath, read: Callable[[ImagePath], Image]) -> tuple[Image, Image]:
    """Read the files of two views and check that they belong together; errors as of `read_views`."""
    if is_standard_input(left) and is_standard_input(right):
        raise PairError(
            "- (standard input) was given for both views; it can be one of them, so name the other"
        )
    left_path, right_path = Path(left), Path(right)
    if not is_standard_input(left) and not is_standard_input(right) and _is_same(left_path, right_path):
        raise PairError(
            f"{shown(left)} was given for both views; name the left and the right view of one capture"
        )
    for path in (left_path, right_path):
        read_header(path)  # damage of the second file is said before the first is decoded
    if is_stream(left) or is_stream(right):  # an interrupt ends the wait for it only in this thread
        left_image, right_image = read(left), read(right)
    else:
        left_image, right_image = _for_both(read, left, right)
    warn_of_conversion(left_image, right_image)
    check_views(left_image, right_image)
    return left_image, right_image


def _for_both(function: Callable[[Item], Result], left: Item, right: Item) -> tuple[Result, Result]:
    """Return the results of a function for both views, computed side by side; errors come as if one by one."""
    first, second = (Background(partial(function, view)) for view in (left, right))
    return first.result(), second.result()


def to_pixels(file: DecodedImage) -> Pixels:
    """Convert a decoded image to float pixels; floats above white stay above 1.0.

    Returns:
        H x W x 3, RGB, float32, 1.0 = white; gray is repeated in three channels.

    Raises:
        PairError: naming the file, if a side is under 16 px, or a pixel is NaN or infinite.
    """
    _check_side(file)
    codes = file.codes
    pixels = np.empty((*codes.shape[:2], 3), np.float32)
    for top in range(0, len(codes), _STRIP):
        values = to_float(codes[top : top + _STRIP])
        pixels[top : top + _STRIP] = values
        _check_finite(file.path, codes.dtype.kind != "f" or bool(np.isfinite(values).all()))
    return pixels


def _check_side(file: ImageFile[CodeRows]) -> None:
    height, width = file.codes.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise PairError(
            f"{shown(file.path)} is {width} x {height} px; at least {SMALLEST_SIDE} px a side are needed, "
            "so give a larger picture"
        )


def _check_finite(path: Path, finite: bool) -> None:
    if not finite:
        raise PairError(
            f"{shown(path)} contains NaN or infinity; every pixel must be a number, so repair the file"
        )


def _encoding(file: ImageFile[CodeRows], encoding: Encoding | None, values: Values | None = None) -> Encoding:
    """Return the encoding that was asked for, else the one that the file states, else sRGB."""
    if encoding and file.encoding and encoding != file.encoding:
        warnings.warn(
            f"{shown(file.path)} states that its values are {file.encoding}; they are taken as {encoding}, as asked",
            ImageWarning,
            stacklevel=3,
        )
    if encoding is None:
        warn_of_encoding(file, "add --encoding linear", values)
    return encoding or file.encoding or "srgb"


def _is_same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:  # one is missing, which reading says
        return False
