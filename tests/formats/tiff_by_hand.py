"""Write TIFF byte by byte, in every arrangement of the standard; knows nothing of the package or of libraries."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
WHITE, BLACK, RGB, PALETTE, MASK, CMYK, YCBCR, LAB = 0, 1, 2, 3, 4, 5, 6, 8

_LETTERS = {
    1: "B",
    2: "B",
    3: "H",
    4: "I",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    16: "Q",
    18: "Q",
}


@dataclass
class Page:
    """One directory with its pixels."""

    pixels: Array
    """H x W x samples, of an unsigned, signed or float type."""
    photometric: int | None = RGB
    compression: int = NONE
    predictor: int = 1
    planar: bool = False
    tile: tuple[int, int] | None = None
    """Height and width of a tile; None for strips."""
    rows: int = 16
    """Rows of a strip."""
    bits: int | None = None
    """Bits of a sample if fewer than those of the type."""
    extra: tuple[int, ...] = ()
    """Kinds of the samples beyond gray or RGB: 0 unspecified, 1 premultiplied, 2 straight alpha."""
    tags: list[tuple[int, int, Any]] = field(default_factory=list)
    """Number, type and values of further tags; bytes as they are, numbers in the file's order, rationals as pairs."""
    leave_out: tuple[int, ...] = ()
    """Tags that are not written."""
    exif: list[tuple[int, int, Any]] = field(default_factory=list)
    gps: list[tuple[int, int, Any]] = field(default_factory=list)
    sub: list[Page] = field(default_factory=list)
    """Pages of its SubIFDs."""


def tiff(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """Return the contents of a TIFF file."""
    file = bytearray(b"II" if order == "<" else b"MM")
    file += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 0) if big else (42, 0)))
    link, word = len(file) - (8 if big else 4), "Q" if big else "I"
    for page in pages:
        start, link_after = _write_page(file, page, order, big)
        struct.pack_into(order + word, file, link, start)
        link = link_after
    return bytes(file)


def _write_page(file: bytearray, page: Page, order: str, big: bool) -> tuple[int, int]:
    height, width, samples = page.pixels.shape
    kind = page.pixels.dtype
    chunks, places = _chunks(page, order), []
    for chunk in chunks:
        file.extend(bytes(len(file) % 2))
        places.append(len(file))
        file.extend(chunk)
    long = 16 if big else 4
    tags: dict[int, tuple[int, Any]] = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [page.bits or 8 * kind.itemsize] * samples),
        259: (3, [page.compression]),
        277: (3, [samples]),
        284: (3, [2 if page.planar else 1]),
        339: (3, [{"u": 1, "i": 2, "f": 3, "b": 1}[kind.kind]] * samples),
    }
    if page.photometric is not None:
        tags[262] = (3, [page.photometric])
    if page.predictor != 1:
        tags[317] = (3, [page.predictor])
    if page.extra:
        tags[338] = (3, list(page.extra))
    if page.tile:
        tags |= {322: (4, [page.tile[1]]), 323: (4, [page.tile[0]])}
        tags |= {324: (long, places), 325: (long, [len(chunk) for chunk in chunks])}
    else:
        tags |= {278: (4, [page.rows])}
        tags |= {273: (long, places), 279: (long, [len(chunk) for chunk in chunks])}
    if page.exif:
        tags[34665] = (4, [_write_directory(file, {t: (k, v) for t, k, v in page.exif}, order, big)[0]])
    if page.gps:
        tags[34853] = (4, [_write_directory(file, {t: (k, v) for t, k, v in page.gps}, order, big)[0]])
    if page.sub:
        tags[330] = (4, [_write_page(file, sub, order, big)[0] for sub in page.sub])
    tags |= {number: (kind_, values) for number, kind_, values in page.tags}
    return _write_directory(file, {t: v for t, v in tags.items() if t not in page.leave_out}, order, big)


def _write_directory(
    file: bytearray, tags: dict[int, tuple[int, Any]], order: str, big: bool
) -> tuple[int, int]:
    word, room = ("Q", 8) if big else ("I", 4)
    body = struct.pack(order + ("Q" if big else "H"), len(tags))
    for number, (kind, values) in sorted(tags.items()):
        if isinstance(values, bytes):
            data, count = values, len(values) // {3: 2, 4: 4, 5: 8, 10: 8}.get(kind, 1)
        elif kind in (5, 10):
            data = b"".join(struct.pack(order + ("II" if kind == 5 else "ii"), *pair) for pair in values)
            count = len(values)
        else:
            data, count = struct.pack(f"{order}{len(values)}{_LETTERS[kind]}", *values), len(values)
        body += struct.pack(f"{order}HH{word}", number, kind, count)
        if len(data) > room:
            file.extend(bytes(len(file) % 2))
            body += struct.pack(order + word, len(file))
            file.extend(data)
        else:
            body += data.ljust(room, b"\0")
    file.extend(bytes(len(file) % 2))
    start = len(file)
    file.extend(body + bytes(room))
    return start, len(file) - room


def _chunks(page: Page, order: str) -> list[bytes]:
    pixels = page.pixels
    planes = [pixels[..., i : i + 1] for i in range(pixels.shape[2])] if page.planar else [pixels]
    blocks = []
    for plane in planes:
        if not page.tile:
            blocks += [plane[top : top + page.rows] for top in range(0, len(plane), page.rows)]
            continue
        high, wide = page.tile
        padded = np.pad(plane, ((0, -len(plane) % high), (0, -plane.shape[1] % wide), (0, 0)), mode="edge")
        for top in range(0, len(padded), high):
            for left in range(0, padded.shape[1], wide):
                blocks.append(padded[top : top + high, left : left + wide])
    return [_encode(block, page, order) for block in blocks]


def _encode(block: Array, page: Page, order: str) -> bytes:
    rows, samples = len(block), block.shape[2]
    if page.bits and page.bits < 8 * block.dtype.itemsize:
        numbers = block.reshape(rows, -1).astype(np.uint32)
        places = np.arange(page.bits - 1, -1, -1, dtype=np.uint32)
        bits = (numbers[..., None] >> places & 1).astype(np.uint8).reshape(rows, -1)
        data = np.packbits(bits, axis=1).tobytes()  # each row starts at a byte
    elif page.predictor == 3:
        size = block.dtype.itemsize
        raw = block.astype(block.dtype.newbyteorder(">")).reshape(rows, -1)
        planes = raw.view(np.uint8).reshape(rows, -1, size).swapaxes(1, 2).reshape(rows, -1)
        differences = np.concatenate(
            [planes[:, :samples], planes[:, samples:] - planes[:, :-samples]], axis=1
        )
        data = differences.astype(np.uint8).tobytes()
    else:
        if page.predictor == 2:
            block = np.ascontiguousarray(block).view(f"u{block.dtype.itemsize}")
            block = np.concatenate([block[:, :1], block[:, 1:] - block[:, :-1]], axis=1)
        data = (block if order == "<" else block.byteswap()).tobytes()  # on a little-endian machine
    if page.compression in (DEFLATE, OLD_DEFLATE):
        return zlib.compress(data)
    if page.compression == LZW:
        return _lzw(data)
    if page.compression == PACKBITS:
        width = len(data) // rows
        return b"".join(_packbits(data[at : at + width]) for at in range(0, len(data), width))
    return data


def _lzw(data: bytes) -> bytes:
    """TIFF 6.0, section 13: codes of 9 to 12 bits, most significant bit first, widths change one code early."""
    out, bits = 0, 0

    def put(code: int, width: int) -> None:
        nonlocal out, bits
        out, bits = out << width | code, bits + width

    table, width, prefix = {bytes([i]): i for i in range(256)}, 9, b""
    following = 258
    put(256, 9)
    for at in range(len(data)):
        longer = prefix + data[at : at + 1]
        if longer in table:
            prefix = longer
            continue
        put(table[prefix], width)
        table[longer] = following
        if following == 4094:
            put(256, width)
            table, width, following = {bytes([i]): i for i in range(256)}, 9, 257
        elif following in (511, 1023, 2047):
            width += 1
        following += 1
        prefix = data[at : at + 1]
    put(table[prefix], width)
    if following in (511, 1023, 2047):
        width += 1
    put(257, width)
    out <<= -bits % 8
    return out.to_bytes((bits + 7) // 8, "big")


def _packbits(row: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(row):
        run = 1
        while at + run < len(row) and row[at + run] == row[at] and run < 128:
            run += 1
        if run > 1:
            out += bytes([257 - run, row[at]])
            at += run
            continue
        start = at
        while at < len(row) and at - start < 128 and (at + 1 >= len(row) or row[at] != row[at + 1]):
            at += 1
        out += bytes([at - start - 1]) + row[start:at]
    return bytes(out)
