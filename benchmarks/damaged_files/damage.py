"""Ways to damage a file: its bytes, and the parts of its format."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from random import Random

Damage = Callable[[bytes, Random], bytes]

_NUMBERS: tuple[int, ...] = (
    0,
    1,
    2,
    3,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 2,
    2**32 - 1,
)
_TYPES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_SHAPE_TAGS = (*range(254, 260), 262, 266, 273, 274, 277, 278, 279, 284, 317, *range(320, 326), 338, 339, 347)
_OTHER_TAGS = (
    269,
    282,
    296,
    301,
    330,
    530,
    532,
    700,
    33421,
    33422,
    33723,
    34377,
    34665,
    34675,
    34853,
    50706,
    50717,
)
_TAGS = _SHAPE_TAGS + _OTHER_TAGS
_COLOR_CHUNKS = b"iCCP cICP gAMA cHRM sRGB sBIT tRNS PLTE mDCV cLLI".split()
_CHUNKS = [*_COLOR_CHUNKS, *b"IHDR IDAT eXIf pHYs iTXt zTXt tEXt acTL noNe CriT".split()]


def damage(name: str, data: bytes, other: bytes, random: Random) -> tuple[str, bytes]:
    """Damage a file once to three times, in ways that suit its format.

    Args:
        name: of the sound file; its suffix is the format.
        data: contents of the sound file.
        other: contents of another one, whose parts may be put in.
        random: chooses.

    Returns:
        the ways, such as ``cut+flip``; the contents.
    """
    ways = dict(_BYTES)
    ways["splice"] = lambda data, random: splice(data, other, random)
    ways |= _PARTS.get(name.rpartition(".")[2], {})
    chosen = [random.choice(sorted(ways)) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    for way in chosen:
        data = ways[way](data, random) if data else data
    return "+".join(chosen), data


def _place(data: bytes, random: Random, size: int = 1) -> int:
    """Return a place in the file, often near its start, where the headers are."""
    end = max(1, len(data) - size + 1)
    return random.randrange(min(end, random.choice((32, 256, end, end))))


def _slice(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, min(len(data), start + random.choice((1, 2, 4, 8, 12, 60, 600, len(data))))


def flip(data: bytes, random: Random) -> bytes:
    """Change one to eight bits."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[_place(data, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(data: bytes, random: Random) -> bytes:
    """Cut the end off."""
    return data[: random.choice((_place(data, random), random.randrange(len(data)), len(data) - 1))]


def remove(data: bytes, random: Random) -> bytes:
    """Remove a part from the middle."""
    start, end = _slice(data, random)
    return data[:start] + data[end:]


def repeat(data: bytes, random: Random) -> bytes:
    """Write a part twice."""
    start, end = _slice(data, random)
    return data[:end] + data[start:]


def swap(data: bytes, random: Random) -> bytes:
    """Exchange two parts."""
    a, b, c, d = sorted(random.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def overwrite(data: bytes, random: Random) -> bytes:
    """Fill a part with one value, or with noise."""
    start, end = _slice(data, random)
    end = min(end, start + 600)
    filling = random.choice((b"\0", b"\xff", None))
    return data[:start] + (filling * (end - start) if filling else random.randbytes(end - start)) + data[end:]


def number(data: bytes, random: Random) -> bytes:
    """Write a number that is often forgotten, of 1 to 8 bytes in either byte order."""
    size = random.choice((1, 2, 4, 4, 8))
    value = random.choice(_NUMBERS) % (1 << 8 * size)
    start = _place(data, random, size)
    return data[:start] + value.to_bytes(size, random.choice(("big", "little"))) + data[start + size :]


def append(data: bytes, random: Random) -> bytes:
    """Append noise, or a part of the file itself."""
    return b"".join((data, random.choice((random.randbytes(50), data[: len(data) // 2], b"\0" * 2000))))


def splice(data: bytes, other: bytes, random: Random) -> bytes:
    """Continue as another file."""
    return data[: _place(data, random)] + other[_place(other, random) :]


def split_chunks(data: bytes) -> list[bytes]:
    """Return the signature and each chunk of a PNG, its length and checksum included."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at:end])
        at = end
    return parts


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def arrange_parts(split: Callable[[bytes], list[bytes]]) -> Damage:
    """Return a damage that repeats, removes or moves a part of a file."""

    def arrange(data: bytes, random: Random) -> bytes:
        parts = split(data)
        at, to = random.randrange(len(parts)), random.randrange(len(parts))
        action = random.choice(("repeat", "remove", "move", "many"))
        part = parts[at] if action in ("repeat", "many") else parts.pop(at)
        if action != "remove":
            parts.insert(to, part * (300 if action == "many" else 1))
        return b"".join(parts)

    return arrange


def valid_chunk(data: bytes, random: Random) -> bytes:
    """Change the contents of a PNG's chunk and make its checksum right."""
    parts = split_chunks(data)
    if len(parts) < 2:
        return data
    at = random.choice((1, random.randrange(1, len(parts))))
    name, contents = parts[at][4:8], parts[at][8:-4]
    change = random.choice((flip, number, cut, overwrite, repeat))
    parts[at] = _chunk(name, change(contents, random) if contents else random.randbytes(5))
    return b"".join(parts)


def new_chunk(data: bytes, random: Random) -> bytes:
    """Put a chunk with noise, or one that unpacks to much, into a PNG."""
    parts = split_chunks(data)
    name = random.choice(_CHUNKS)
    bomb = b"name\0\0" + zlib.compress(bytes(2**23))
    contents = random.choice((b"", random.randbytes(random.randrange(40)), bytes(random.randrange(40)), bomb))
    parts.insert(random.randrange(1, len(parts) + 1), _chunk(name, contents))
    return b"".join(parts)


def tag(data: bytes, random: Random) -> bytes:
    """Change the type, the count or the value of a TIFF's tag, its number, or the offset of a directory."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:3] == b"+" or data[3:4] == b"+"
    numbers = re.compile(b"|".join(re.escape(struct.pack(f"{order}H", one)) for one in _TAGS), re.DOTALL)
    places = [
        found.start()
        for found in numbers.finditer(data)
        if struct.unpack_from(f"{order}H", data.ljust(found.start() + 4), found.start() + 2)[0] in _TYPES
    ]
    if not places:
        return number(data, random)
    at, size = random.choice(places), 8 if big else 4
    value = random.choice((*_NUMBERS, len(data), len(data) - 1, at, at - 2, 8, random.randrange(70000)))
    field = random.choice(("type", "count", "value", "value", "number"))
    if field in ("type", "number"):
        start = at if field == "number" else at + 2
        contents = struct.pack(f"{order}H", random.choice(sorted(_TYPES) if field == "type" else _TAGS))
    else:
        start = at + 4 if field == "count" else at + 4 + size
        contents = struct.pack(order + ("Q" if big else "I"), value % 2**32)
        if field == "value" and struct.unpack_from(f"{order}H", data, at + 2)[0] == 3:
            contents = struct.pack(f"{order}H", value % 2**16)
    return data[:start] + contents + data[start + len(contents) :]


def split_segments(data: bytes) -> list[bytes]:
    """Return the segments of a JPEG, cut at its markers."""
    places = [
        0,
        *(found.start() for found in re.finditer(rb"\xff[\xc0-\xfe]", data) if found.start()),
        len(data),
    ]
    return [data[start:end] for start, end in pairwise(places)]


def split_boxes(data: bytes) -> list[bytes]:
    """Return the parts of a RIFF or HEIF file, cut at the names of its boxes."""
    names = rb"(?:ftyp|meta|hdlr|pitm|iloc|iinf|iprp|ipco|ipma|ispe|pixi|av1C|colr|auxC|irot|imir|iref|mdat)"
    chunks = rb"(?:VP8 |VP8L|VP8X|ALPH|ANIM|ANMF|ICCP|EXIF|XMP )"
    before = {found.start() - 4 for found in re.finditer(names, data)}
    places = sorted({0, len(data), *(found.start() for found in re.finditer(chunks, data)), *before})
    return [data[start:end] for start, end in pairwise(places) if start >= 0]


def word(data: bytes, random: Random) -> bytes:
    """Change a number of a PGM's header."""
    value = random.choice(
        (*map(str, _NUMBERS), "-1", "9" * 30, "9" * 5000, "1e9", "0x10", "", "#", "٣")
    ).encode()
    found = list(re.finditer(rb"\d+", data[:40]))
    if not found:
        return value + data
    place = random.choice(found)
    return data[: place.start()] + value + data[place.end() :]


_BYTES: dict[str, Damage] = {
    one.__name__: one for one in (flip, cut, remove, repeat, swap, overwrite, number, append)
}
_TIFF: dict[str, Damage] = {"tag": tag, "another_tag": tag, "third_tag": tag}
_PARTS: dict[str, dict[str, Damage]] = {
    "png": {"chunks": arrange_parts(split_chunks), "valid_chunk": valid_chunk, "new_chunk": new_chunk},
    "tif": _TIFF,
    "dng": _TIFF,
    "jpg": {"segments": arrange_parts(split_segments), "tag": tag},
    "webp": {"boxes": arrange_parts(split_boxes)},
    "avif": {"boxes": arrange_parts(split_boxes)},
    "pgm": {"word": word, "more_words": word},
    "ppm": {"word": word},
}
