"""Tell raw files of cameras from pictures, by their content."""

from __future__ import annotations

import mmap
import os
import struct

from dpanet.containers.tiff_structure import BrokenStructureError, Order, Tag, parse_directory, parse_header

PathName = str | os.PathLike[str]

_HEADS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
"""First bytes of the raw files of Fujifilm, Olympus, Panasonic, Sigma and Minolta."""

_DNG_VERSION, _SONY_PRIVATE, _NEXT_SUB, _PHOTOMETRIC, _COMPRESSION = 50706, 50740, 330, 262, 259
_MOSAIC, _LINEAR_RAW = 32803, 34892
"""Photometric interpretations of sensor values: one color a pixel, all colors a pixel."""

_CODECS = {32767, 32769, 32770, 32867, 34713, 65000, 65535}
"""Compressions that raw files alone have: of Sony, Epson, Samsung, Kodak, Nikon and Pentax."""

_LARGEST_CHAIN = 16
"""Directories of a TIFF that are looked at."""


def is_raw_file(path: PathName) -> bool:
    """Return whether a file is the raw file of a camera (CR2, CR3, DNG, NEF and others), whatever its name.

    Reads the directories of the file and no pixels. A file that cannot be read is none; its reader says why.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  a path of bytes or text
            head = file.read(16)
            if is_cr3(head) or head.startswith(_HEADS) or head[6:14] == b"HEAPCCDR":
                return True
            if head[:2] not in (b"II", b"MM") or len(head) < 16:
                return False
            if head[8:10] == b"CR":
                return True
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _has_sensor_values(data)
    except (OSError, ValueError, BrokenStructureError):
        return False


def is_cr3(head: bytes) -> bool:
    """Return whether these first bytes of a file are those of a CR3."""
    return head[4:12] == b"ftypcrx "


def _has_sensor_values(data: mmap.mmap) -> bool:
    """Return whether a TIFF is a DNG, or has a directory of sensor values."""
    order, big, start = parse_header(data)
    waiting, seen = [start], set[int]()
    while waiting and len(seen) < _LARGEST_CHAIN:
        place = waiting.pop(0)
        if place in seen or place == 0:
            continue
        seen.add(place)
        try:
            tags, following = parse_directory(data, place, order, big, [])
        except (BrokenStructureError, struct.error):
            continue
        if any(tag.number in (_DNG_VERSION, _SONY_PRIVATE) for tag in tags):
            return True
        if set(_numbers(tags, _PHOTOMETRIC, order)) & {_MOSAIC, _LINEAR_RAW}:
            return True
        if set(_numbers(tags, _COMPRESSION, order)) & _CODECS:
            return True
        waiting += [following, *_numbers(tags, _NEXT_SUB, order)]
    return False


def _numbers(tags: tuple[Tag, ...], number: int, order: Order) -> tuple[int, ...]:
    return next((tag.numbers(order) for tag in tags if tag.number == number), ())
