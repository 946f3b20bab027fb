"""The chunks of a PNG: where they are, whether they are sound, and how new ones are made.

Source: PNG, third edition (W3C, 2025).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dpanet.errors import UnreadableImageError, shown

SIGNATURE = b"\x89PNG\r\n\x1a\n"

CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""Chunks without which nothing can be shown; a reader has to know every critical one."""

LARGEST_TEXT = 2**26
"""Bytes that a compressed chunk may unpack to."""

_PART = 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Chunk:
    """A part of the file."""

    name: bytes
    """Four letters; the first is a capital if it is critical."""
    start: int
    """Offset of its data in the file."""
    length: int
    """Bytes of its data."""

    @property
    def critical(self) -> bool:
        """Whether a reader that does not know it must give up."""
        return not self.name[0] & 0x20


@dataclass(frozen=True)
class PngHeader:
    """The first chunk."""

    width: int
    height: int
    depth: int
    """Bits of a sample: 1, 2, 4, 8 or 16."""
    color: int
    """0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha."""
    interlaced: bool = False
    """Whether every eighth pixel comes first, then others between them."""

    @property
    def gray(self) -> bool:
        """Whether it has one channel of color."""
        return self.color in (0, 4)


def list_chunks(file: BinaryIO, size: int, path: Path) -> list[Chunk]:
    """List the chunks from the first to IEND; what follows it is not looked at.

    Args:
        file: opened for reading.
        size: bytes of it.
        path: of it, for errors.

    Raises:
        UnreadableImageError: if the file is cut, or has a critical chunk that is not known.
    """
    chunks: list[Chunk] = []
    at = len(SIGNATURE)
    while at + 12 <= size:
        file.seek(at)
        start = file.read(8)
        chunk = Chunk(start[4:], at + 8, int.from_bytes(start[:4], "big"))
        at += 12 + chunk.length
        if not (chunk.name.isalpha() and chunk.name.isascii()):
            raise UnreadableImageError(f"{shown(path)} is a damaged PNG; export or copy it again")
        if at > size:
            break
        if chunk.critical and chunk.name not in CRITICAL:
            raise UnreadableImageError(
                f"{shown(path)} has a critical chunk {chunk.name.decode()}, which no PNG may have; export it again"
            )
        chunks.append(chunk)
        if chunk.name == b"IEND":
            return chunks
    raise UnreadableImageError(f"{shown(path)} is a truncated PNG (it has no end); export or copy it again")


def parse_header(chunks: list[Chunk], data: bytes | bytearray, path: Path) -> PngHeader:
    """Parse the data of the first chunk, IHDR.

    Raises:
        UnreadableImageError: if it is damaged.
    """
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    if not chunks or chunks[0].name != b"IHDR" or len(data) != 13 or data[8] not in depths.get(data[9], ()):
        raise UnreadableImageError(f"{shown(path)} is a damaged PNG; export or copy it again")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (0, 4))
    return PngHeader(width, height, data[8], data[9], interlaced=data[12] != 0)


def has_transparency(header: PngHeader, length: int, palette: int) -> bool:
    """Return whether a tRNS chunk of this length is valid.

    Args:
        header: of the file.
        length: bytes of its data.
        palette: bytes of the palette before it.
    """
    if header.color == 3:
        return 0 < length <= palette // 3
    return length == {0: 2, 2: 6}.get(header.color)


def make_chunk(name: bytes, data: bytes) -> bytes:
    """Return a whole chunk: length, name, data and checksum."""
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def is_sound(chunk: Chunk, file: BinaryIO) -> bool:
    """Return whether the checksum of a chunk is right."""
    file.seek(chunk.start - 4)
    left, checksum = chunk.length + 4, 0
    while left and (part := file.read(min(left, _PART))):
        checksum = zlib.crc32(part, checksum)
        left -= len(part)
    return checksum == int.from_bytes(file.read(4), "big")


def unpack(data: bytes) -> bytes | None:
    """Decompress zlib data; None if they are damaged, cut or unreasonably large."""
    try:
        decoder = zlib.decompressobj()
        text = decoder.decompress(data, LARGEST_TEXT)
    except zlib.error:
        return None
    return text if decoder.eof else None


def parse_text(name: bytes, data: bytes) -> tuple[str, bytes] | None:
    """Return the keyword and the text of a tEXt, zTXt or iTXt chunk; None if it is damaged."""
    keyword, _, rest = data.partition(b"\0")
    if not 1 <= len(keyword) <= 79 or b"\0" not in data:
        return None
    text: bytes | None = rest
    if name == b"zTXt":
        text = unpack(rest[1:]) if rest[:1] == b"\0" else None
    elif name == b"iTXt":
        parts = rest[2:].split(b"\0", 2)
        if len(rest) < 2 or len(parts) != 3 or rest[0] > 1 or rest[1]:
            return None
        text = unpack(parts[2]) if rest[0] else parts[2]
    return None if text is None else (keyword.decode("latin-1"), text)


def make_comments(texts: Iterable[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Return comments of a file of another format as name and data of chunks with the keyword Comment."""
    chunks = []
    for comment in texts:
        text = comment.strip(b"\0 ").replace(b"\0", b" ")
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            latin = True
        else:
            latin = text.isascii()
        if text:
            chunks.append(
                (b"tEXt", b"Comment\0" + text) if latin else (b"iTXt", b"Comment" + bytes(5) + text)
            )
    return tuple(chunks)


def parse_raw_profile(text: bytes) -> bytes | None:
    """Return the data of a text that ImageMagick wrote: name, length and hexadecimal digits; None if damaged."""
    lines = text.strip().split(b"\n", 2)
    try:
        data = bytes.fromhex(lines[2].decode("ascii"))
        return data if len(data) == int(lines[1]) else None
    except (IndexError, ValueError):
        return None


def make_raw_profile(name: str, data: bytes) -> bytes:
    """Return a zTXt chunk as ImageMagick writes it and ExifTool reads it."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\n{name}\n{len(data):8}\n{lines}\n".encode("ascii")
    return make_chunk(b"zTXt", f"Raw profile type {name}\0\0".encode("latin-1") + zlib.compress(text))
