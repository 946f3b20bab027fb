"""Parse and write the directories of a TIFF structure at the level of bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from mmap import mmap
from typing import Literal

Order = Literal["<", ">"]
"""Byte order as in `struct`: little (``II``) or big (``MM``)."""

SIZES = {
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
    129: 1,
}
"""Type of TIFF -> bytes of one value. 16 to 18 occur in BigTIFF alone; 129 is UTF-8 text of EXIF 3.0."""

_LETTERS = {
    1: "B",
    3: "H",
    4: "I",
    5: "I",
    6: "b",
    8: "h",
    9: "i",
    10: "i",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}

LARGEST = 1 << 20
"""Bytes of a tag's value; a larger one is no description of a photograph and is not read, but for `_LARGE`."""

_LARGE = (273, 279, 324, 325, 700, 33723, 34377, 34675)
"""Places of strips and tiles, XMP, IPTC, Photoshop's resources and ICC profile, which may be large."""


_SKIPPED = (270, 37724, 50839)
"""Descriptions of the pages, Photoshop's layers and what ImageJ adds, which are large and not carried over."""


class BrokenStructureError(ValueError):
    """The bytes are no TIFF structure."""


@dataclass(frozen=True)
class Tag:
    """One entry of a directory."""

    number: int
    kind: int
    """Type of TIFF, a key of `SIZES`."""
    count: int
    data: bytes
    """The raw values in the byte order of the structure."""
    place: int = field(default=0, compare=False)
    """Offset of the values in the structure that was parsed; 0 if unknown."""

    def numbers(self, order: Order) -> tuple[int, ...]:
        """Return the values of an integer type (a rational gives two); empty for other types."""
        letter = _LETTERS.get(self.kind)
        if letter is None:
            return ()
        return struct.unpack(f"{order}{len(self.data) // struct.calcsize(f'={letter}')}{letter}", self.data)


def parse_header(data: bytes | mmap) -> tuple[Order, bool, int]:
    """Return the byte order, whether it is a BigTIFF, and the offset of the first directory.

    Raises:
        BrokenStructureError: if it is no TIFF structure.
    """
    orders: dict[bytes, Order] = {b"II": "<", b"MM": ">"}
    order = orders.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        raise BrokenStructureError("it does not start with II or MM")
    version = struct.unpack_from(f"{order}H", data, 2)[0]
    if version not in (42, 43) or (version == 43 and len(data) < 16):
        raise BrokenStructureError(f"its version is {version}, not 42")
    big = version == 43
    return order, big, struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]


def parse_directory(
    data: bytes | mmap, start: int, order: Order, big: bool, lost: list[str]
) -> tuple[tuple[Tag, ...], int]:
    """Parse one directory.

    Args:
        data: the whole structure.
        start: offset of the directory.
        order: byte order.
        big: whether it is a BigTIFF.
        lost: receives a phrase for each tag that lies outside of the data.

    Returns:
        Its tags, and the offset of the next directory (0 for none).

    Raises:
        BrokenStructureError: if the directory itself lies outside of the data.
    """
    counter, entry, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    width, inline = struct.calcsize(f"={counter}"), struct.calcsize(f"={word}")
    if start < 8 or start + width > len(data):
        raise BrokenStructureError("a directory lies outside of the data")
    number = struct.unpack_from(order + counter, data, start)[0]
    end = start + width + number * entry
    if end > len(data):
        raise BrokenStructureError("a directory lies outside of the data")
    tags = []
    budget = len(data) + LARGEST  # the values of a sound file hardly overlap, so they fit in it together
    for at in range(start + width, end, entry):
        name, kind, count = struct.unpack_from(f"{order}HH{word}", data, at)
        length = SIZES.get(kind, 0) * count
        place = at + 4 + inline
        if length > inline:
            place = struct.unpack_from(order + word, data, place)[0]
        if kind not in SIZES:  # the standard: skip types that are unknown
            if kind and count:  # else it is padding
                lost.append(f"tag {name} (of the unknown type {kind})")
            continue
        if place + length > len(data):
            lost.append(f"tag {name}")
        elif length <= LARGEST or name in _LARGE:
            budget -= length
            if budget < 0:
                raise BrokenStructureError("the values of its tags overlap")
            tags.append(Tag(name, kind, count, bytes(data[place : place + length]), place))
        elif name not in _SKIPPED:
            lost.append(f"tag {name} (of {length} bytes)")
    following = struct.unpack_from(order + word, data, end)[0] if end + inline <= len(data) else 0
    return tuple(tags), following


def entry_numbers(data: bytes | mmap, start: int, order: Order, big: bool) -> set[int]:
    """Return the numbers of all tags of a directory that `parse_directory` parses, of those without a value, too."""
    counter, entry = ("Q", 20) if big else ("H", 12)
    first = start + struct.calcsize(f"={counter}")
    end = first + entry * struct.unpack_from(order + counter, data, start)[0]
    return {struct.unpack_from(f"{order}H", data, at)[0] for at in range(first, end, entry)}


def write_directory(
    body: bytearray,
    base: int,
    tags: tuple[Tag, ...],
    order: Order,
    big: bool = False,
    written: Mapping[int, int] | None = None,
) -> int:
    """Append the values of tags and then their directory, as the last one of a structure.

    Args:
        body: grows; the structure from offset `base` on.
        base: offset of `body` in the structure.
        tags: with values in `order`.
        order: byte order.
        big: whether it is a BigTIFF.
        written: offsets in the structure of values that it contains already, by tag.

    Returns:
        The offset of the directory in the structure.
    """
    counter, word = ("Q", "Q") if big else ("H", "I")
    inline = struct.calcsize(f"={word}")
    body.extend(bytes((base + len(body)) % 2))
    directory = bytearray(struct.pack(order + counter, len(tags)))
    for tag in sorted(tags, key=lambda tag: tag.number):  # the standard: in rising order
        value = tag.data.ljust(inline, b"\0")
        if len(tag.data) > inline:
            place = (written or {}).get(tag.number)
            value = struct.pack(order + word, base + len(body) if place is None else place)
            if place is None:
                body.extend(tag.data + bytes(len(tag.data) % 2))
        directory += struct.pack(f"{order}HH{word}", tag.number, tag.kind, tag.count) + value
    start = base + len(body)
    body.extend(directory + bytes(inline))
    return start


def pointer_to(number: int, offset: int, order: Order, big: bool = False) -> Tag:
    """Return a tag that points at the directory at `offset`."""
    return Tag(number, 18 if big else 4, 1, struct.pack(f"{order}{'Q' if big else 'I'}", offset))
