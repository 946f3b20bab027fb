"""Write TIFF, 8 and 16 bit and float, with all metadata of a picture.

Strips are compressed with zlib: the encoder of libvips is slower, its files are larger, and its threads end with a
fork.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.containers.decoded_image import CodeRows, Codes
from dpanet.containers.exif import write_directories, write_maker_note
from dpanet.containers.tiff_structure import Order, Tag
from dpanet.formats.deflate import FAST, THREADS, compress, map_in_order
from dpanet.formats.tiff_layout import BLACK_IS_ZERO, DEFLATE, RGB, STRAIGHT
from dpanet.formats.tiff_metadata import make_exif

_STRIP_BYTES = 1 << 20
"""Of a strip before compression."""

_MOST_CLASSIC = 0xF0000000
"""Bytes of the largest file whose offsets have 32 bits; a larger one is a BigTIFF."""


def write_tiff(
    path: Path,
    codes: CodeRows,
    alpha: Codes | None = None,
    metadata: Mapping[str, Any] | None = None,
    compression: int = FAST,
) -> None:
    """Write a picture as TIFF, compressed with deflate, in the byte order of its EXIF, which maker notes rely on.

    Args:
        path: of the file.
        codes: H x W (gray) or H x W x 3 (RGB), uint8, uint16 or float32.
        alpha: H x W, of the same type, straight, if any.
        metadata: of a `Picture`: ``icc``, ``exif``, ``xmp``, ``iptc`` and ``resolution`` are written.
        compression: one of `LEVELS`.
    """
    exif = make_exif(metadata or {})
    order = exif.order
    height, width = codes.shape[:2]
    samples = (1 if codes.ndim == 2 else codes.shape[2]) + (alpha is not None)
    size = codes.dtype.itemsize
    total = height * width * samples * size
    held = sum(len(tag.data) for tags in (exif.main, exif.photo, exif.gps, exif.interop) for tag in tags)
    big = total * 1.01 + held > _MOST_CLASSIC
    rows = max(1, min(height, _STRIP_BYTES // (width * samples * size)))
    places, lengths = [], []
    with path.open("wb") as file:
        body = bytearray(b"II" if order == "<" else b"MM")
        body += struct.pack(f"{order}3HQ", 43, 8, 0, 0) if big else struct.pack(f"{order}HI", 42, 0)
        written = write_maker_note(body, 0, exif)
        file.write(body + bytes(len(body) % 2))

        def strips() -> Iterator[Codes]:
            for top in range(0, height, rows):
                strip = codes[top : top + rows].reshape(-1, width, codes.shape[2] if codes.ndim == 3 else 1)
                if alpha is not None:
                    strip = np.concatenate([strip, alpha[top : top + rows, :, None]], axis=2)
                yield strip

        for data in map_in_order(partial(_compress, order=order, level=compression), strips(), THREADS):
            places.append(file.tell())
            lengths.append(len(data))
            file.write(data + bytes(len(data) % 2))
        structure = (
            _tag(order, 256, 4, width),
            _tag(order, 257, 4, height),
            _tag(order, 258, 3, *[8 * size] * samples),
            _tag(order, 259, 3, DEFLATE[0]),
            _tag(order, 262, 3, BLACK_IS_ZERO if codes.ndim == 2 else RGB),
            _tag(order, 273, 16 if big else 4, *places),
            _tag(order, 277, 3, samples),
            _tag(order, 278, 4, rows),
            _tag(order, 279, 16 if big else 4, *lengths),
            _tag(order, 284, 3, 1),
            _tag(order, 317, 3, 1 if codes.dtype.kind == "f" else 2),
            _tag(order, 339, 3, *[3 if codes.dtype.kind == "f" else 1] * samples),
            *((_tag(order, 338, 3, STRAIGHT),) if alpha is not None else ()),
        )
        body, base = bytearray(), file.tell()
        start = write_directories(body, base, replace(exif, main=exif.main + structure), big, written)
        file.write(body)
        file.seek(8 if big else 4)
        file.write(struct.pack(f"{order}{'Q' if big else 'I'}", start))


def _tag(order: Order, number: int, kind: int, *values: int) -> Tag:
    letter = {3: "H", 4: "I", 16: "Q"}[kind]
    return Tag(number, kind, len(values), struct.pack(f"{order}{len(values)}{letter}", *values))


def _compress(strip: Codes, order: Order, level: int) -> bytes:
    """Compress rows x width x samples; integers as differences from the pixel on the left."""
    values = np.ascontiguousarray(strip, strip.dtype.newbyteorder(order))
    if strip.dtype.kind == "u":
        differences = values.copy()
        np.subtract(strip[:, 1:], strip[:, :-1], out=differences[:, 1:])
        values = differences
    return compress(values.data.cast("B"), level)
