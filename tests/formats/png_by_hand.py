"""Write PNG files independently of the package: pixels by pypng, other chunks and ICC profiles by hand."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import png
from numpy.typing import NDArray

Chunk = tuple[bytes, bytes]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encode(samples: NDArray[Any], **options: Any) -> bytes:
    """Encode samples, H x W x planes, with the options of pypng's Writer."""
    file = io.BytesIO()
    writer = png.Writer(samples.shape[1], samples.shape[0], **options)
    rows = samples.reshape(len(samples), -1).tolist()
    writer.write(file, rows)
    return file.getvalue()


def split(data: bytes) -> list[Chunk]:
    """Return name and data of each chunk."""
    at, chunks = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def insert(data: bytes, added: Sequence[Chunk], before: bytes = b"IDAT") -> bytes:
    """Put chunks before the first chunk of a name; PLTE, too, is a border."""
    chunks = split(data)
    at = next(place for place, (name, _) in enumerate(chunks) if name in (before, b"PLTE"))
    if before == b"IEND":
        at = len(chunks) - 1
    return data[:8] + b"".join(chunk(*part) for part in [*chunks[:at], *added, *chunks[at:]])


def gamma(exponent: float) -> Chunk:
    return b"gAMA", struct.pack(">I", round(100000 * exponent))


def cicp(transfer: int, primaries: int = 1, matrix: int = 0, full: int = 1) -> Chunk:
    return b"cICP", bytes([primaries, transfer, matrix, full])


def iccp(profile: bytes, name: bytes = b"a profile") -> Chunk:
    return b"iCCP", name + b"\0\0" + zlib.compress(profile)


def curv(*values: int) -> bytes:
    """A tone curve of 16-bit values; one is a gamma of 8.8 bits, none is linear."""
    return b"curv" + bytes(4) + struct.pack(f">I{len(values)}H", len(values), *values)


def sampled(curve: Callable[[float], float], count: int = 256) -> bytes:
    return curv(*(round(65535 * min(max(curve(k / (count - 1)), 0), 1)) for k in range(count)))


def para(kind: int, *values: float) -> bytes:
    return (
        b"para"
        + bytes(4)
        + struct.pack(">HH", kind, 0)
        + struct.pack(f">{len(values)}i", *(round(65536 * v) for v in values))
    )


def profile(*curves: bytes, space: bytes = b"RGB ", extra: dict[bytes, bytes] | None = None) -> bytes:
    """An ICC profile with one curve for all channels, or one for each."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * v) for v in (x, y, z)))

    tags = {
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"cprt": b"text\0\0\0\0none\0",
        b"desc": b"desc\0\0\0\0\0\0\0\2a\0" + bytes(78),
    }
    names = (b"kTRC",) if space == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC")
    if space == b"RGB ":
        tags |= {
            b"rXYZ": xyz(0.436, 0.222, 0.014),
            b"gXYZ": xyz(0.385, 0.717, 0.097),
            b"bXYZ": xyz(0.143, 0.061, 0.714),
        }
    if curves:
        tags |= {name: curves[place % len(curves)] for place, name in enumerate(names)}
    tags |= extra or {}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI", size, b"test", 0x04400000) + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def exif(order: str = "<", text: bytes = b"J\xc3\xbcrgen", orientation: int = 6) -> bytes:
    """A bare TIFF structure with an artist that is not ASCII, and an orientation."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    value = text + b"\0"
    entries = struct.pack(order + "HHIHH", 274, 3, 1, orientation, 0)
    entries += struct.pack(order + "HHII", 315, 2, len(value), 8 + 2 + 24 + 4)
    return head + struct.pack(order + "H", 2) + entries + bytes(4) + value


def raw_profile(name: str, data: bytes, kind: bytes = b"zTXt") -> Chunk:
    """A text as old versions of ImageMagick write a profile."""
    digits = data.hex()
    text = (
        f"\n{name}\n{len(data):8}\n" + "\n".join(digits[k : k + 72] for k in range(0, len(digits), 72)) + "\n"
    )
    keyword = b"Raw profile type " + name.encode() + b"\0"
    if kind == b"tEXt":
        return kind, keyword + text.encode()
    if kind == b"iTXt":
        return kind, keyword + bytes(4) + text.encode()
    return kind, keyword + b"\0" + zlib.compress(text.encode())


def write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)
