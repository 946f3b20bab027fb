"""Take from a raw file the EXIF that its developed picture carries, and the levels that a DNG states."""

from __future__ import annotations

import mmap
import struct
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.exif import ORIENTATION, Exif, drop_storage, parse_exif, serialize_exif
from dpanet.containers.raw_file import is_cr3
from dpanet.containers.tiff_structure import BrokenStructureError, Tag, parse_directory, parse_header
from dpanet.errors import ImageWarning, shown

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
"""Name of the box of a CR3 that holds its metadata."""

_DROPPED = (37500, 40962, 40963, 40965)
"""Maker note (its offsets count from the start of the raw file), width and height of another picture."""

_COLOR_SPACE = 40961
_TURNS = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's flip -> EXIF's orientation."""

_SAMPLES, _SUB, _REPEAT, _BLACK = 277, 330, 50713, 50714


def read_exif(path: Path, flip: int) -> bytes | None:
    """Return the EXIF of the picture that is developed from a raw file, as a bare TIFF structure.

    It has the camera's description of the exposure, says sRGB, and states an orientation: that of the file, or the
    one of `flip` where it states none. It has no maker note. Unreadable EXIF is left out, with a warning.

    Args:
        path: of the raw file.
        flip: of `OpenFile`.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            exif = _parse_cr3(data) if is_cr3(data[:12]) else parse_exif(data)
    except (OSError, ValueError, struct.error):  # BrokenStructureError is a ValueError
        warnings.warn(
            f"{shown(path)} has EXIF that cannot be read; the picture will have none",
            ImageWarning,
            stacklevel=2,
        )
        exif = Exif("<")
    exif = drop_storage(exif)
    order = exif.order
    photo = tuple(tag for tag in exif.photo if tag.number not in (*_DROPPED, _COLOR_SPACE))
    main = exif.main
    if not exif.numbers(ORIENTATION) and flip in _TURNS:
        main = (*main, Tag(ORIENTATION, 3, 1, struct.pack(f"{order}H", _TURNS[flip])))
    if photo:
        photo = (*photo, Tag(_COLOR_SPACE, 3, 1, struct.pack(f"{order}H", 1)))
    return serialize_exif(replace(exif, main=main, photo=photo, interop=())) or None


def read_black_levels(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the black levels of each frame of a DNG that has its frames as samples of one pixel, each 2 x 2.

    LibRaw takes these levels for those of colors. None for any other file, or where the file states none.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            order, big, start = parse_header(data)
            directory, following = parse_directory(data, start, order, big, [])
            subs = next((tag.numbers(order) for tag in directory if tag.number == _SUB), ())
            for place in (0, *subs, following):
                tags = parse_directory(data, place, order, big, [])[0] if place else directory
                exif = Exif(order, tags)
                samples = exif.numbers(_SAMPLES)
                if samples == (2,) and (levels := _levels(exif)) is not None:
                    first, second = (np.tile(levels[..., index], (2, 2))[:2, :2] for index in (0, 1))
                    return first, second
    except (OSError, ValueError, struct.error):
        pass
    return None


def _levels(exif: Exif) -> NDArray[np.float64] | None:
    """Return BlackLevel as rows x columns x 2 samples, as the standard orders it; None if it has another count."""
    tag = exif.tag(_BLACK)
    if tag is None:
        return None
    values = np.asarray(tag.numbers(exif.order), np.float64)
    if tag.kind == 5:  # a rational is two numbers
        values = values[0::2] / values[1::2]
    rows, columns = exif.numbers(_REPEAT) or (1, 1)
    if rows > 2 or columns > 2 or len(values) != rows * columns * 2:
        return None
    return values.reshape(rows, columns, 2)


def _parse_cr3(data: mmap.mmap) -> Exif:
    """Join the directories of a CR3, each of which is a TIFF structure of its own.

    Raises:
        BrokenStructureError: if it has no readable IFD0.
    """
    parts = _boxes(data, *_inside(data, _inside_moov(data), _CANON))
    if b"CMT1" not in parts:
        raise BrokenStructureError("it has no box CMT1")
    exif = parse_exif(data[slice(*parts[b"CMT1"])])
    parsed = {box: parse_exif(data[slice(*parts[box])]) for box in (b"CMT2", b"CMT4") if box in parts}
    same = {box: part.main for box, part in parsed.items() if part.order == exif.order}
    return replace(exif, photo=same.get(b"CMT2", ()), gps=same.get(b"CMT4", ()))


def _inside_moov(data: mmap.mmap) -> tuple[int, int]:
    return _boxes(data, 0, len(data)).get(b"moov", (0, 0))


def _inside(data: mmap.mmap, bounds: tuple[int, int], identity: bytes) -> tuple[int, int]:
    """Return the bounds of the contents of the box ``uuid`` with this identity."""
    return _boxes(data, *bounds).get(b"uuid" + identity, (0, 0))


def _boxes(data: mmap.mmap, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Return name -> bounds of the contents of the boxes in a part of a file; of equal names the first."""
    found: dict[bytes, tuple[int, int]] = {}
    while start + 8 <= end:
        length, name, head = *struct.unpack_from(">I4s", data, start), 8
        if length == 1 and start + 16 <= end:
            length, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if length == 0:
            length = end - start
        if length < head or start + length > end:
            break
        if name == b"uuid":
            name += bytes(data[start + head : start + head + 16])
            head += 16
        found.setdefault(name, (start + head, start + length))
        start += length
    return found
