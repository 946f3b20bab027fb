"""Decode the strips and tiles of a TIFF that are stored without loss.

libvips decompresses LZW and PackBits; what it does with tiles is not used, because damage in them passes unnoticed.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from math import ceil
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.decoded_image import Codes
from dpanet.containers.tiff_structure import Order, Tag, write_directory
from dpanet.containers.vips import open_data, to_codes
from dpanet.formats.tiff_layout import BLACK_IS_ZERO, DEFLATE, LZMA, NONE, TiffLayout

Bytes = NDArray[np.uint8]

Chunks = tuple[tuple[int, int], ...]
"""Offset and length in bytes of each strip or tile."""

_GROUP = 1 << 24
"""Bytes of the strips that are decoded together."""


class DamagedChunkError(ValueError):
    """A strip or tile has fewer pixels than it must have, or is damaged."""


def decode_strips(data: mmap, layout: TiffLayout) -> Iterator[Codes]:
    """Decode the pixels as stored, from top to bottom: rows x W x samples, of the type of `sample_type`.

    Raises:
        DamagedChunkError: if a strip or tile is damaged.
        pyvips.Error: likewise.
    """
    planes = layout.samples if layout.planar else 1
    each = len(layout.chunks) // planes
    read = _read_tiles if layout.tile else _read_strips
    parts = [
        read(data, layout, layout.chunks[plane * each : (plane + 1) * each], layout.samples // planes)
        for plane in range(planes)
    ]
    for rows in zip(*parts, strict=True):
        yield rows[0] if planes == 1 else np.concatenate(rows, axis=2)


def sample_type(layout: TiffLayout) -> np.dtype[Any]:
    """Return the type of the decoded samples: that of the file; 1, 2 and 4 bits are in bytes."""
    return np.dtype(np.uint8 if layout.bits < 8 else f"{layout.kind}{layout.bits // 8}")


def _read_strips(data: mmap, layout: TiffLayout, chunks: Chunks, samples: int) -> Iterator[Codes]:
    high, row = layout.rows, layout.row_bytes
    if layout.compression == NONE and chunks[0][1] == layout.height * row:  # the whole picture in one
        high = max(1, _GROUP // row)
        start = chunks[0][0]
        chunks = tuple(
            (start + top * row, min(high, layout.height - top) * row) for top in range(0, layout.height, high)
        )
    step = max(1, _GROUP // (high * row))
    for first in range(0, len(chunks), step):
        top = first * high
        rows = min(step * high, layout.height - top)
        heights = [min(high, rows - at) for at in range(0, rows, high)]
        raw = _decompress(data, chunks[first : first + step], heights, layout)
        yield _to_samples(raw, layout, layout.width, samples)


def _read_tiles(data: mmap, layout: TiffLayout, chunks: Chunks, samples: int) -> Iterator[Codes]:
    assert layout.tile is not None
    high, wide = layout.tile
    across = ceil(layout.width / wide)
    for first in range(0, len(chunks), across):
        raw = _decompress(data, chunks[first : first + across], [high] * across, layout)
        tiles = _to_samples(raw, layout, wide, samples)
        rows = min(high, layout.height - first // across * high)
        side_by_side = tiles.reshape(across, high, wide, samples)[:, :rows].swapaxes(0, 1)
        yield side_by_side.reshape(rows, across * wide, samples)[:, : layout.width]


def _decompress(data: mmap, chunks: Chunks, heights: list[int], layout: TiffLayout) -> Bytes:
    """Decompress chunks of these heights to the bytes of their rows, one below the other."""
    width = layout.row_bytes
    if layout.compression not in (NONE, *DEFLATE, LZMA):
        return _decompress_with_libvips(data, chunks, heights, layout)
    out = np.empty((sum(heights), width), np.uint8)
    top = 0
    for (offset, length), height in zip(chunks, heights, strict=True):
        raw = data[offset : offset + length]
        if layout.compression != NONE:
            raw = _inflate(raw, height * width, layout.compression)
        if len(raw) < height * width:
            raise DamagedChunkError("a strip or tile is too short")
        out[top : top + height] = np.frombuffer(raw, np.uint8, height * width).reshape(height, width)
        top += height
    return out


def _inflate(raw: bytes, length: int, compression: int) -> bytes:
    """Decompress up to `length` bytes; what a writer added behind them is not read."""
    try:
        if compression == LZMA:
            return lzma.LZMADecompressor().decompress(raw, length)
        stream = zlib.decompressobj()
        out = stream.decompress(raw, length)
        stream.decompress(stream.unconsumed_tail, 1)  # compares the check sum, if the data ends here
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise DamagedChunkError(str(error)) from error
    return out


def _decompress_with_libvips(data: mmap, chunks: Chunks, heights: list[int], layout: TiffLayout) -> Bytes:
    """Present the chunks as the strips of a gray 8-bit picture, whose pixels are the bytes of their rows."""
    file, places = bytearray(b"II*\0" + bytes(4)), []
    for offset, length in chunks:
        places.append(len(file))
        file += data[offset : offset + length]

    def tag(number: int, *values: int) -> Tag:
        return Tag(number, 4, len(values), struct.pack(f"<{len(values)}I", *values))

    def short(number: int, value: int) -> Tag:
        return Tag(number, 3, 1, struct.pack("<H", value))

    tags = (
        tag(256, layout.row_bytes),
        tag(257, sum(heights)),
        short(258, 8),
        short(259, layout.compression),
        short(262, BLACK_IS_ZERO),
        tag(273, *places),
        short(277, 1),
        tag(278, heights[0]),
        tag(279, *(length for _, length in chunks)),
    )
    struct.pack_into("<I", file, 4, write_directory(file, 0, tags, "<"))
    rows: Bytes = to_codes(open_data(file, "tiffload"))
    return rows


def _to_samples(raw: Bytes, layout: TiffLayout, width: int, samples: int) -> Codes:
    """Convert the bytes of rows to rows x `width` x `samples`, with the predictor undone."""
    if layout.bits < 8:
        per_byte = 8 // layout.bits
        shifts = np.arange(8 - layout.bits, -1, -layout.bits, dtype=np.uint8)
        values = (raw[..., None] >> shifts & (2**layout.bits - 1)).reshape(len(raw), raw.shape[1] * per_byte)
        pixels: Codes = values[:, : width * samples].reshape(len(raw), width, samples)
        return pixels
    size = layout.bits // 8
    if layout.predictor == 3:
        return _undo_float_predictor(raw, width, samples, layout.kind, size)
    if layout.predictor == 2:
        integers = _native(raw, f"u{size}", layout.order).reshape(len(raw), width, samples)
        for sample in range(samples):
            line: NDArray[Any] = integers[..., sample]
            np.cumsum(line, axis=1, dtype=line.dtype, out=line)
        return integers.view(f"{layout.kind}{size}")
    return _native(raw, f"{layout.kind}{size}", layout.order).reshape(len(raw), width, samples)


def _native(raw: Bytes, kind: str, order: Order) -> Codes:
    values = raw.view(np.dtype(kind).newbyteorder(order))
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _undo_float_predictor(raw: Bytes, width: int, samples: int, kind: str, size: int) -> Codes:
    """Undo the differences of bytes; a row has first the highest byte of all its values, then the next, and so on."""
    rows = raw.reshape(len(raw), width * size, samples)
    for sample in range(samples):
        line = rows[..., sample]
        np.cumsum(line, axis=1, dtype=np.uint8, out=line)
    planes = rows.reshape(len(raw), size, width * samples)
    values = np.ascontiguousarray(planes.swapaxes(1, 2)).view(f">{kind}{size}")
    return values.astype(f"{kind}{size}").reshape(len(raw), width, samples)
