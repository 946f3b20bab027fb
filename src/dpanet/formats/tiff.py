"""Read TIFF, 8 and 16 bit and float, with its metadata."""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.containers.exif import Exif
from dpanet.containers.header import Header
from dpanet.containers.stated_encoding import use_profile
from dpanet.containers.vips import open_image, to_codes
from dpanet.errors import ImageWarning, UnreadableImageError, counted, shown
from dpanet.formats.row_stream import RowStream, StreamedImage, Strips
from dpanet.formats.tiff_chunks import DamagedChunkError, decode_strips, sample_type
from dpanet.formats.tiff_layout import FAX, JPEG, PALETTE, PREMULTIPLIED, WHITE_IS_ZERO, TiffLayout
from dpanet.formats.tiff_metadata import encoding_of_tags, parse_metadata
from dpanet.formats.tiff_page import read_page

_PADDING = 512
"""Bytes that a writer may add behind a strip or tile."""


def decode_tiff(path: Path) -> DecodedImage:
    """Decode the first page of a TIFF.

    1, 2 and 4 bit become 8, a palette becomes RGB, gray whose 0 is white is inverted, alpha becomes straight. The
    orientation is not applied: the two views differ along the sensor's rows, which must stay rows.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is damaged or cut, or of a kind that is not read.
    """
    with _mapped(path) as data:
        layout, fields = _examine(data, path)
        return _decode(data, layout, fields, path)


def open_tiff(path: Path) -> DecodedImage | StreamedImage:
    """Open the first page of a TIFF as `decode_tiff` decodes it, but decode its rows when they are sliced.

    One with alpha, or compressed as JPEG or fax, is decoded at once.

    Raises:
        OSError: as `decode_tiff`, also when rows are sliced.
        UnreadableImageError: likewise.
    """
    with _mapped(path) as data:
        layout, fields = _examine(data, path)
        if layout.alpha is not None or layout.compression in (JPEG, *FAX):
            return _decode(data, layout, fields, path)
        codes, _ = _separate(np.empty((0, layout.width, layout.samples), sample_type(layout)), layout)

    def decode() -> Strips:
        with _mapped(path) as data:
            for rows in decode_strips(data, layout):
                yield _separate(rows, layout)[0]
                if hasattr(data, "madvise"):
                    data.madvise(mmap.MADV_DONTNEED)  # pages that were read count as memory of the process

    return StreamedImage(
        path, RowStream((layout.height, *codes.shape[1:]), codes.dtype, decode), None, **fields
    )


def _examine(data: mmap.mmap, path: Path) -> tuple[TiffLayout, dict[str, Any]]:
    """Return how the pixels are stored, and the fields of the image but these."""
    layout, tags = read_page(data, path)
    fields = parse_metadata(data, layout, tags, path)
    gray = layout.colors == 1 and layout.photometric != PALETTE
    fields["icc"], fields["encoding"] = use_profile(fields["icc"], gray, path)
    if fields["encoding"] is None:
        fields["encoding"] = encoding_of_tags(layout, tags, path)
    unused = len(layout.extra) - (layout.alpha is not None)
    if unused:
        warnings.warn(
            f"{shown(path)} has {counted(unused, 'extra channel')}, neither color nor alpha, that will not be read",
            ImageWarning,
            stacklevel=3,
        )
    return layout, fields


def _decode(data: mmap.mmap, layout: TiffLayout, fields: dict[str, Any], path: Path) -> DecodedImage:
    if layout.compression in (JPEG, *FAX):
        return DecodedImage(path, _decode_with_libvips(data, layout, path), None, **fields)
    parts = _separate(np.empty((0, layout.width, layout.samples), sample_type(layout)), layout)
    out = [None if part is None else np.empty((layout.height, *part.shape[1:]), part.dtype) for part in parts]
    top = 0
    for rows in decode_strips(data, layout):
        for target, part in zip(out, _separate(rows, layout), strict=True):
            if target is not None:
                target[top : top + len(rows)] = part
        top += len(rows)
    codes, alpha = out
    assert codes is not None
    return DecodedImage(path, codes, alpha, **fields)


def read_tiff_header(path: Path) -> Header:
    """Return the size, depth, channels and orientation of a TIFF as `decode_tiff` decodes it, without its pixels.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: as `decode_tiff`, but for damage inside the pixels.
    """
    with _mapped(path) as data:
        layout, tags = read_page(data, path, warn=False)
    palette = layout.photometric == PALETTE
    bits = 32 if layout.kind == "f" else max(8, layout.bits)
    if palette:
        bits = 8 * _colormap(layout).dtype.itemsize
    channels = (3 if palette else layout.colors) + (layout.alpha is not None)
    return Header(layout.width, layout.height, bits, channels, Exif(layout.order, tags).orientation)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """Map a file into memory; damage that shows later is refused with one sentence."""
    import pyvips

    with path.open("rb") as file:
        if not file.read(1):
            raise UnreadableImageError(f"{shown(path)} is empty; export or copy it again")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                yield data
            except (DamagedChunkError, pyvips.Error) as error:
                raise UnreadableImageError(
                    f"{shown(path)} is a TIFF with damaged pixels; export or copy it again"
                ) from error


def _decode_with_libvips(data: mmap.mmap, layout: TiffLayout, path: Path) -> Codes:
    """Decode JPEG and fax pages, whose colors libvips converts."""
    for offset, length in layout.chunks:
        end = data[max(offset, offset + length - _PADDING) : offset + length]
        if layout.compression == JPEG and b"\xff\xd9" not in end:  # libjpeg fills the rest with gray
            raise DamagedChunkError("a strip or tile of JPEG has no end")
    image = open_image(path, page=layout.index)
    if (image.width, image.height) != (layout.width, layout.height):
        raise DamagedChunkError("its pixels are of another size than its tags say")
    codes = to_codes(image)
    if codes.dtype != np.uint8 or codes.shape[2:] != (() if layout.colors == 1 else (3,)):
        raise DamagedChunkError("its JPEG is of another kind than its tags say")
    return codes


def _separate(samples: Codes, layout: TiffLayout) -> tuple[Codes, Codes | None]:
    """Convert samples as stored to colors and straight alpha.

    Args:
        samples: rows x W x samples of a pixel.
        layout: what they mean.
    """
    codes = samples if not layout.extra else samples[..., : layout.colors]
    alpha, premultiplied = None, False
    if layout.alpha is not None:
        alpha = np.ascontiguousarray(samples[..., layout.alpha])
        premultiplied = layout.extra[layout.alpha - layout.colors] == PREMULTIPLIED
    if layout.photometric == PALETTE:
        codes = _colormap(layout)[codes[..., 0]]
        alpha = None if alpha is None else _rescale(alpha, layout.bits, codes.dtype)
    elif layout.bits < 8:
        codes = _rescale(codes, layout.bits, codes.dtype)
        alpha = None if alpha is None else _rescale(alpha, layout.bits, codes.dtype)
    if alpha is not None and premultiplied:
        codes = _divide(codes, alpha)
    if layout.photometric == WHITE_IS_ZERO:
        white = 1 if codes.dtype.kind == "f" else np.iinfo(codes.dtype).max
        codes = np.subtract(codes.dtype.type(white), codes)
    codes = np.ascontiguousarray(codes)
    return codes[..., 0] if codes.shape[2] == 1 else codes, alpha


def _colormap(layout: TiffLayout) -> Codes:
    """Return the colors of a palette, entries x 3; uint8 if that is exact.

    8-bit colors c are written as 257 c, as 256 c, or against the standard as c.
    """
    colors = np.array(layout.colormap, np.uint16).reshape(3, -1).T
    if colors.max() < 256:
        return colors.astype(np.uint8)
    for step in (257, 256):
        if not (colors % step).any():
            return (colors // step).astype(np.uint8)
    return colors


def _rescale(codes: Codes, bits: int, kind: np.dtype[Any]) -> Codes:
    """Rescale codes of `bits` to all of the codes of a type, rounded."""
    most, largest = 2**bits - 1, int(np.iinfo(kind).max)
    if most == largest:
        return codes.astype(kind)
    rescaled: Codes = ((codes.astype(np.uint64) * largest + most // 2) // most).astype(kind)
    return rescaled


def _divide(codes: Codes, alpha: Codes) -> Codes:
    """Divide colors by alpha, where it is not 0; integers are rounded and cannot exceed the largest code."""
    integer = codes.dtype.kind == "u"
    kind = np.float32 if codes.dtype == np.float16 else codes.dtype
    white = float(np.iinfo(codes.dtype).max) if integer else 1.0
    visible = alpha[..., None] > 0
    straight = codes.astype(np.float64) * white / np.where(visible, alpha[..., None], 1)
    if integer:
        straight = np.minimum(np.rint(straight), white)
    out: Codes = np.where(visible, straight, 0).astype(kind)
    return out
