"""Find in the boxes of a HEIF file what describes its main picture (ISO/IEC 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.containers.decoded_image import Codes
from dpanet.errors import UnreadableImageError, shown

_CODED = {
    b"av01": "AV1",
    b"hvc1": "HEVC",
    b"hev1": "HEVC",
    b"lhv1": "HEVC",
    b"avc1": "AVC",
    b"vvc1": "VVC",
    b"evc1": "EVC",
    b"jpeg": "JPEG in HEIF",
    b"j2k1": "JPEG 2000 in HEIF",
    b"unci": "uncompressed HEIF",
}
"""Types of items that are coded pictures, and the names of their codecs."""


@dataclass(frozen=True)
class HeifPicture:
    """The main picture of a file."""

    codec: str
    """``AV1`` or another name."""
    properties: tuple[tuple[bytes, bytes], ...]
    """Name and data of each property, in the order in which they apply."""
    alpha: bool
    """Whether there is an alpha channel."""
    premultiplied: bool
    """Whether the colors are multiplied by it."""

    def find(self, name: bytes) -> bytes | None:
        """Return the data of the first property of this name."""
        return next((data for found, data in self.properties if found == name), None)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, in px."""
        clap, ispe = self.find(b"clap"), self.find(b"ispe") or bytes(12)
        if clap is not None and len(clap) >= 16:
            numbers = [int.from_bytes(clap[at : at + 4], "big") for at in range(0, 16, 4)]
            if numbers[1] and numbers[3]:
                return numbers[0] // numbers[1], numbers[2] // numbers[3]
        return int.from_bytes(ispe[4:8], "big"), int.from_bytes(ispe[8:12], "big")

    @property
    def bits(self) -> int:
        """Bits of a channel: 8, 10 or 12."""
        flags = (self.find(b"av1C") or bytes(4))[2]
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10

    @property
    def gray(self) -> bool:
        """Whether it has one channel of color."""
        return bool((self.find(b"av1C") or bytes(4))[2] & 0x10)

    @property
    def video_code(self) -> tuple[int, int] | None:
        """The color primaries and the transfer function that it states, codes of ITU-T H.273."""
        for name, data in self.properties:
            if name == b"colr" and data[:4] == b"nclx" and len(data) >= 8:
                return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
        return None

    def turn(self, pixels: Codes) -> Codes:
        """Turn stored pixels as they are to be seen."""
        for name, data in self.properties:
            if name == b"irot":
                pixels = np.rot90(pixels, data[0] & 3)
            elif name == b"imir":
                pixels = np.flip(pixels, data[0] & 1)
        return pixels

    def turn_back(self, pixels: Codes) -> Codes:
        """Do the reverse of `turn`."""
        for name, data in reversed(self.properties):
            if name == b"irot":
                pixels = np.rot90(pixels, -(data[0] & 3))
            elif name == b"imir":
                pixels = np.flip(pixels, data[0] & 1)
        return pixels

    @property
    def orientation(self) -> int:
        """The same turn as a value of EXIF."""
        probe = np.arange(6).reshape(2, 3)
        seen = self.turn(probe).tolist()
        ways = (
            probe,
            probe[:, ::-1],
            probe[::-1, ::-1],
            probe[::-1],
            probe.T,
            np.rot90(probe, -1),
            probe[::-1, ::-1].T,
            np.rot90(probe),
        )
        return 1 + [way.tolist() for way in ways].index(seen)


def find_picture(data: bytes, path: Path) -> HeifPicture:
    """Find the main picture of a file.

    Raises:
        UnreadableImageError: if there is none, or the boxes are damaged.
    """
    try:
        return _find_picture(data)
    except (IndexError, KeyError, StopIteration, ValueError) as error:
        raise UnreadableImageError(
            f"{shown(path)} is a truncated or damaged HEIF or AVIF without a still picture; export it again"
        ) from error


def _find_picture(data: bytes) -> HeifPicture:
    meta = dict(_boxes(data))[b"meta"][4:]
    boxes = dict(_boxes(meta))
    main = _number(boxes[b"pitm"][4:], 2 if boxes[b"pitm"][0] == 0 else 4)
    types = dict(_items(boxes[b"iinf"]))
    iprp = list(_boxes(boxes[b"iprp"]))
    stock = list(_boxes(dict(iprp)[b"ipco"]))
    places: dict[int, list[int]] = {}
    for name, body in iprp:
        if name == b"ipma":
            places.update(_associations(body))
    properties = [stock[index - 1] for index in places.get(main, ()) if 0 < index <= len(stock)]
    codec = types[main]
    if codec not in _CODED:  # a grid or another derivation of coded pictures
        codec = next(kind for kind in types.values() if kind in _CODED)
        properties += [one for one in stock if one[0] in (b"av1C", b"colr")]
    references = [name for name, _ in _boxes(boxes.get(b"iref", bytes(4))[4:])]
    return HeifPicture(
        _CODED[codec],
        tuple(properties),
        any(name == b"auxC" and b"alpha" in body for name, body in stock),
        b"prem" in references,
    )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and contents of each box."""
    at = 0
    while at + 8 <= len(data):
        size, head = _number(data[at:], 4), 8
        if size == 1:
            size, head = _number(data[at + 8 :], 8), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            raise ValueError("a box is shorter than its header")
        yield data[at + 4 : at + 8], data[at + head : at + size]
        at += size


def _items(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and type of each item."""
    for name, body in _boxes(iinf[6 if iinf[0] == 0 else 8 :]):
        if name == b"infe" and body[0] in (2, 3):
            wide = 2 if body[0] == 2 else 4
            yield _number(body[4:], wide), body[6 + wide : 10 + wide]


def _associations(ipma: bytes) -> Iterator[tuple[int, list[int]]]:
    """Yield the number of each item with the numbers of its properties, from 1."""
    wide_item, wide_index, at = 4 if ipma[0] else 2, 2 if ipma[3] & 1 else 1, 8
    for _ in range(_number(ipma[4:], 4)):
        item, count = _number(ipma[at:], wide_item), ipma[at + wide_item]
        at += wide_item + 1
        mask = 0x7FFF if wide_index == 2 else 0x7F
        yield item, [_number(ipma[at + n * wide_index :], wide_index) & mask for n in range(count)]
        at += count * wide_index


def _number(data: bytes, size: int) -> int:
    if len(data) < size:
        raise ValueError("a number is cut")
    return int.from_bytes(data[:size], "big")
