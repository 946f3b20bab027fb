"""Read and write PNG, 8 and 16 bit, with its metadata."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from dpanet.containers.decoded_image import CodeRows, Codes, DecodedImage
from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.containers.png_chunks import (
    SIGNATURE,
    Chunk,
    PngHeader,
    has_transparency,
    is_sound,
    list_chunks,
    make_chunk,
    parse_header,
)
from dpanet.containers.png_metadata import TEXTS, exif_of_text, make_chunks, parse_metadata
from dpanet.containers.vips import open_reader, read_strips, to_codes_and_alpha
from dpanet.errors import ImageWarning, UnreadableImageError, shown
from dpanet.formats.deflate import FAST, THREADS, compress_parts
from dpanet.formats.limits import check_size
from dpanet.formats.png_filters import filter_rows
from dpanet.formats.row_stream import RowStream, StreamedImage, Strips

if TYPE_CHECKING:
    import pyvips

_EARLY = (b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP", b"tRNS", b"pHYs")
"""Auxiliary chunks that count only before the pixels."""

_STRIP_BYTES = 2**20
"""Of the rows that a thread compresses."""


_MOST_RATIO = 1032
"""Bytes that one byte of deflate can become at most."""


def decode_png(path: Path) -> DecodedImage:
    """Decode a PNG; 1, 2 and 4 bit become 8, a palette becomes RGB, a transparent color or palette becomes alpha.

    The EXIF orientation is not applied: the two views differ along the sensor's rows, which must stay rows. Auxiliary
    chunks that are damaged are dropped with an ImageWarning.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if its pixels are damaged or cut, or it states an encoding that is neither linear nor a
            display's.
    """
    _, chunks, fields = _examine(path)
    with _opened(path, chunks) as image:
        codes, alpha = to_codes_and_alpha(image)
    return DecodedImage(path, codes, alpha, **fields)


def open_png(path: Path) -> DecodedImage | StreamedImage:
    """Open a PNG as `decode_png` decodes it, but decode its rows when they are sliced.

    One with alpha, or interlaced, is decoded at once.

    Raises:
        OSError: as `decode_png`, also when rows are sliced.
        UnreadableImageError: likewise.
    """
    header, chunks, fields = _examine(path)
    shape = (header.height, header.width) if header.gray else (header.height, header.width, 3)
    if header.interlaced or header.color >= 4 or any(chunk.name == b"tRNS" for chunk in chunks):
        with _opened(path, chunks) as image:
            codes, alpha = to_codes_and_alpha(image)
        return DecodedImage(path, codes, alpha, **fields)

    def decode() -> Strips:
        with _opened(path, chunks) as image:
            for rows in read_strips(image):
                yield rows[..., 0] if header.gray else rows

    stream = RowStream(shape, np.uint16 if header.depth == 16 else np.uint8, decode)
    return StreamedImage(path, stream, **fields)


def _examine(path: Path) -> tuple[PngHeader, list[Chunk], dict[str, Any]]:
    """Check all but the pixels of a PNG; return its header, the chunks to decode and the fields of the image."""
    with path.open("rb") as file:
        chunks = list_chunks(file, os.fstat(file.fileno()).st_size, path)
        file.seek(chunks[0].start)
        header = parse_header(chunks, file.read(chunks[0].length), path)
        auxiliary, transparency = _check_chunks(chunks, file, header, path)
    check_size(path, header.width, header.height)
    _check_length(chunks, header, path)
    fields = parse_metadata(header, auxiliary, path)
    return header, [chunk for chunk in chunks if chunk.critical or chunk is transparency], fields


@contextmanager
def _opened(path: Path, chunks: list[Chunk]) -> Iterator[pyvips.Image]:
    """Open these chunks of a file for libvips, which might stumble over the others."""
    import pyvips

    parts = [(0, len(SIGNATURE)), *((chunk.start - 8, chunk.start + chunk.length + 4) for chunk in chunks)]
    with path.open("rb") as file:

        def read(size: int) -> bytes:
            while parts and parts[0][0] == parts[0][1]:
                del parts[0]
            if not parts:
                return b""
            start, end = parts[0]
            try:
                file.seek(start)
                data = file.read(min(size, end - start))
            except OSError:  # the decoder then misses the rest
                return b""
            parts[0] = (start + len(data), end)
            return data

        try:
            with open_reader(read, "pngload", unlimited=True) as image:
                yield image
        except pyvips.Error as error:
            raise UnreadableImageError(f"{shown(path)} is a damaged PNG; export or copy it again") from error


def _check_length(chunks: list[Chunk], header: PngHeader, path: Path) -> None:
    """Check that the compressed pixels can be those of so large a picture, before memory is taken for it.

    Raises:
        UnreadableImageError: if they are too few.
    """
    compressed = sum(chunk.length for chunk in chunks if chunk.name == b"IDAT")
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.color]
    needed = header.height * (header.width * samples * header.depth // 8)
    if needed > compressed * _MOST_RATIO:
        raise UnreadableImageError(
            f"{shown(path)} is a damaged PNG with less data than its size needs; export or copy it again"
        )


def read_png_header(path: Path) -> Header:
    """Return the size, depth, channels and orientation of a PNG as `decode_png` would decode it, without its pixels.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is cut, or its first part is damaged.
    """
    with path.open("rb") as file:
        chunks = list_chunks(file, os.fstat(file.fileno()).st_size, path)
        parts: dict[bytes, bytes] = {}
        exif: bytes | None = None
        palette, early, transparent = 0, True, False
        for chunk in chunks:
            palette += chunk.length if chunk.name == b"PLTE" else 0
            early &= chunk.name != b"IDAT"
            if chunk.name not in (b"IHDR", b"tRNS", b"eXIf", *TEXTS):
                continue
            file.seek(chunk.start - 4)
            part = file.read(chunk.length + 8)
            sound = zlib.crc32(part[:-4]) == int.from_bytes(part[-4:], "big")
            if sound and chunk.name in TEXTS:
                exif = exif or exif_of_text(chunk.name, part[4:-4])
            elif sound and chunk.name != b"tRNS":
                parts.setdefault(chunk.name, part[4:-4])
            elif sound and early and b"IHDR" in parts:
                transparent |= has_transparency(
                    parse_header(chunks, parts[b"IHDR"], path), chunk.length, palette
                )
    header = parse_header(chunks, parts.get(b"IHDR", b""), path)
    check_size(path, header.width, header.height)
    return Header(
        width=header.width,
        height=header.height,
        bits=16 if header.depth == 16 else 8,
        channels=(1 if header.gray else 3) + (transparent or header.color >= 4),
        orientation=orientation(parts.get(b"eXIf", exif)),
    )


def encode_png(
    codes: CodeRows, alpha: Codes | None = None, metadata: Mapping[str, Any] | None = None
) -> bytes:
    """Encode an image as the contents of a PNG file.

    Args:
        codes: H x W (gray) or H x W x 3 (RGB), uint8 or uint16.
        alpha: H x W, of the same type, if any.
        metadata: of a `Picture`, if any: profiles and other chunks.
    """
    return b"".join(_encode(codes, alpha, metadata or {}))


def write_png(
    path: Path, codes: CodeRows, alpha: Codes | None, metadata: Mapping[str, Any], compression: int = FAST
) -> None:
    """Write an image as `encode_png` does, but in threads; `compression` is one of `LEVELS`."""
    with path.open("wb") as file:
        file.writelines(_encode(codes, alpha, metadata, compression, THREADS))


def _encode(
    codes: CodeRows,
    alpha: Codes | None,
    metadata: Mapping[str, Any],
    compression: int = FAST,
    threads: int = 1,
) -> Iterator[bytes]:
    """Yield the parts of a file.

    The encoder of libvips is not used: its threads do not survive a fork, and its files are larger.
    """
    height, width = codes.shape[:2]
    channels, depth = (1 if codes.ndim == 2 else 3) + (alpha is not None), 8 * codes.dtype.itemsize
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    yield SIGNATURE + make_chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, color, 0, 0, 0))
    yield make_chunks(metadata, channels, depth)
    step = channels * depth // 8
    strip = max(1, _STRIP_BYTES // (width * step))

    def filtered() -> Iterator[memoryview]:
        above = np.zeros((1, width * step), np.uint8)
        for top in range(0, height, strip):
            rows = codes[top : top + strip]
            if alpha is not None:
                rows = np.dstack([rows, alpha[top : top + strip]])
            data = (
                np.ascontiguousarray(rows, rows.dtype.newbyteorder(">")).view(np.uint8).reshape(len(rows), -1)
            )
            yield filter_rows(data, above, step, fast=compression <= FAST).data
            above = data[-1:].copy()

    for part in compress_parts(filtered(), compression, threads):
        yield make_chunk(b"IDAT", part)
    yield make_chunk(b"IEND", b"")


def _check_chunks(
    chunks: list[Chunk], file: BinaryIO, header: PngHeader, path: Path
) -> tuple[list[tuple[bytes, bytes]], Chunk | None]:
    """Return name and data of the auxiliary chunks that are sound and in place, and the chunk of transparency.

    Raises:
        UnreadableImageError: if a critical chunk is damaged or missing.
    """
    auxiliary, pixels, palette = [], False, 0
    transparency = None
    for chunk in chunks:
        sound = is_sound(chunk, file)
        if chunk.critical:
            if not sound:
                raise UnreadableImageError(f"{shown(path)} is a damaged PNG; export or copy it again")
            pixels |= chunk.name == b"IDAT"
            palette += chunk.length if chunk.name == b"PLTE" else 0
            continue
        file.seek(chunk.start)
        part = file.read(chunk.length)
        if chunk.name == b"tRNS":
            sound &= has_transparency(header, len(part), palette) and transparency is None
        if not sound or (pixels and chunk.name in _EARLY):
            _warn(path, f"has a damaged {chunk.name.decode()} chunk; it is not used")
        elif chunk.name == b"acTL" and (count := int.from_bytes(part[:4], "big")) > 1:
            _warn(path, f"is an animation of {count} pictures; only the first is read")
        elif chunk.name == b"tRNS":
            transparency = chunk
        else:
            auxiliary.append((chunk.name, part))
    if not pixels:
        raise UnreadableImageError(f"{shown(path)} is a PNG without pixels; export or copy it again")
    return auxiliary, transparency


def _warn(path: Path, text: str) -> None:
    warnings.warn(f"{shown(path)} {text}", ImageWarning, stacklevel=3)
