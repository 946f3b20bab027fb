"""Parse and write EXIF at the level of bytes: types, counts and raw values, so that every text and number survives.

EXIF is the structure of TIFF: directories (IFD0, Exif, GPS, Interop) of tags. Values stay as the bytes of the file;
nothing is decoded, so text that is not ASCII, rationals and unknown tags are written as they were.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from mmap import mmap
from os import PathLike

from dpanet.containers.tiff_structure import (
    BrokenStructureError,
    Order,
    Tag,
    parse_directory,
    parse_header,
    pointer_to,
    write_directory,
)
from dpanet.errors import ImageWarning, shown

PHOTO, GPS, INTEROP = 34665, 34853, 40965
"""Tags that point to the directories Exif, GPS and Interop."""

PIXEL_WIDTH, PIXEL_HEIGHT = 40962, 40963
"""Tags of the Exif directory with the size of the picture in px."""

ORIENTATION, MAKE, MODEL, DESCRIPTION, MAKER_NOTE = 274, 271, 272, 270, 37500

_FARTHEST = 1 << 16
"""Largest offset of a maker note at which it is written again; the EXIF of a JPEG is no longer."""

_STORAGE = frozenset(
    {
        # kind of page, size, bits, compression, photometric, thresholds
        *range(254, 269),
        # strips, planes, position, gray, fax, page number
        *(273, 284, 297, *range(277, 282), *range(286, 294)),
        # curves, colormap, tiles, SubIFDs, inks
        *(301, 317, *range(320, 348), *range(351, 366), *range(400, 437)),
        # old JPEG (the thumbnail's place), YCbCr
        *(559, *range(512, 533)),
        # XMP, IPTC, Photoshop and ICC, which are read and written apart
        *(700, 33723, 34377, 34675, 37724),
        # pointers; mosaic of a raw file
        *(PHOTO, GPS, INTEROP, 33421, 33422),
        # compression of others
        *range(50674, 50679),
        # DNG, as a written picture must not claim to be one; ImageJ
        *(*range(50706, 50840), *range(50879, 51200), *range(52500, 52600)),
    }
)
"""Tags of IFD0 that describe how the pixels of that file are stored; never copied to another file."""

_LAYOUTS = (b"ImageJ=", b'{"shape"', b"<OME", b"<?xml")
"""Starts of an ImageDescription that says how the pages of that file are arranged."""


@dataclass(frozen=True)
class Exif:
    """The directories of a structure; pointers between them are not among the tags."""

    order: Order
    main: tuple[Tag, ...] = ()
    """IFD0."""
    photo: tuple[Tag, ...] = ()
    """The Exif directory: exposure, lens, maker note."""
    gps: tuple[Tag, ...] = ()
    interop: tuple[Tag, ...] = ()
    lost: tuple[str, ...] = ()
    """What lies outside of the structure, one phrase each."""
    following: int = 0
    """Offset of the second directory (in EXIF the thumbnail), 0 for none."""

    def tag(self, number: int) -> Tag | None:
        """Return a tag of IFD0."""
        return next((tag for tag in self.main if tag.number == number), None)

    def numbers(self, number: int) -> tuple[int, ...]:
        """Return the values of a tag of IFD0 of an integer type (a rational has two); empty without it."""
        tag = self.tag(number)
        return tag.numbers(self.order) if tag else ()

    @property
    def orientation(self) -> int:
        """1 to 8; 1 (upright) if none is stated."""
        values = self.numbers(ORIENTATION)
        return values[0] if values and 1 <= values[0] <= 8 else 1


def parse_exif(data: bytes | mmap) -> Exif:
    """Parse a bare TIFF or BigTIFF structure, such as the data of EXIF or a whole TIFF file.

    Tags whose value lies outside of the data are left out and named in ``lost``.

    Raises:
        BrokenStructureError: if the header or IFD0 is damaged.
    """
    order, big, start = parse_header(data)
    lost: list[str] = []
    main, following = parse_directory(data, start, order, big, lost)
    seen = {start}

    def follow(tags: tuple[Tag, ...], pointer: int, name: str) -> tuple[Tag, ...]:
        offset = next((tag.numbers(order)[:1] for tag in tags if tag.number == pointer), ())
        if offset in ((), (0,)):  # some writers point nowhere
            return ()
        try:
            if offset[0] in seen:
                raise BrokenStructureError("directories point at each other")
            seen.add(offset[0])
            return parse_directory(data, offset[0], order, big, lost)[0]
        except BrokenStructureError:
            lost.append(f"the {name} directory")
            return ()

    photo = follow(main, PHOTO, "Exif")
    gps = follow(main, GPS, "GPS")
    interop = follow(photo, INTEROP, "Interop")
    main = tuple(tag for tag in main if tag.number not in (PHOTO, GPS))
    photo = tuple(tag for tag in photo if tag.number != INTEROP)
    return Exif(order, main, photo, gps, interop, tuple(lost), following)


def drop_storage(exif: Exif) -> Exif:
    """Leave out what describes the storage of pixels in the file it came from, and the thumbnail."""

    def kept(tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
        return tuple(tag for tag in tags if tag.kind not in (16, 17, 18))  # BigTIFF's, which EXIF cannot hold

    main = (
        tag
        for tag in kept(exif.main)
        if tag.number not in _STORAGE
        and not (tag.number == DESCRIPTION and tag.data.lstrip().startswith(_LAYOUTS))
    )
    return replace(
        exif,
        main=tuple(main),
        photo=kept(exif.photo),
        gps=kept(exif.gps),
        interop=kept(exif.interop),
        following=0,
    )


def serialize_exif(exif: Exif) -> bytes:
    """Write the bare TIFF structure, without the prefix of JPEG; empty if there is no tag."""
    if not (exif.main or exif.photo or exif.gps or exif.interop):
        return b""
    body = bytearray()
    written = write_maker_note(body, 8, exif)
    start = write_directories(body, 8, exif, written=written)
    return (b"II" if exif.order == "<" else b"MM") + struct.pack(f"{exif.order}HI", 42, start) + body


def write_maker_note(body: bytearray, base: int, exif: Exif) -> dict[int, int]:
    """Append the maker note at the offset that it had, as it may contain offsets of the structure.

    Args:
        body: grows; the structure from offset `base` on.
        base: offset of `body` in the structure.
        exif: with the maker note, if it has one.

    Returns:
        Its offset by its tag, for `write_directories`; empty if it has none, or it was too far behind.
    """
    note = next((tag for tag in exif.photo if tag.number == MAKER_NOTE), None)
    if note is None or not base + len(body) <= note.place <= _FARTHEST or len(note.data) <= 8:
        return {}
    body.extend(bytes(note.place - base - len(body)) + note.data)
    return {MAKER_NOTE: note.place}


def write_directories(
    body: bytearray, base: int, exif: Exif, big: bool = False, written: Mapping[int, int] | None = None
) -> int:
    """Append the directories to a structure, of which `body` is the part from offset `base` on.

    Args:
        body: grows.
        base: offset of `body` in the structure.
        exif: what is written.
        big: whether it is a BigTIFF.
        written: offsets of values that the structure contains already, by tag of the Exif directory.

    Returns:
        The offset of IFD0 in the structure.
    """

    def add(tags: tuple[Tag, ...], pointer: int, written: Mapping[int, int] | None = None) -> tuple[Tag, ...]:
        if not tags:
            return ()
        start = write_directory(body, base, tags, exif.order, big, written)
        return (pointer_to(pointer, start, exif.order, big),)

    photo = exif.photo + add(exif.interop, INTEROP)
    main = exif.main + add(photo, PHOTO, written) + add(exif.gps, GPS)
    return write_directory(body, base, main, exif.order, big)


def check_exif(data: bytes, path: str | PathLike[str] | None = None) -> bytes | None:
    """Return the EXIF data that another file may carry: the bare TIFF structure without thumbnail.

    Data in order is returned with each value at its place, because maker notes contain offsets. Parts that cannot be
    read are left out, with a warning that names `path`, if given.

    Args:
        data: EXIF data, with or without the prefix of JPEG.
        path: the file it is from.

    Returns:
        The data, empty if nothing remains; None if it is broken as a whole (the caller warns).
    """
    data = data.removeprefix(b"Exif\0\0")
    try:
        exif = parse_exif(data)
    except BrokenStructureError:
        return None
    if path is not None:
        warn_of_lost(exif, path)
    sound = drop_storage(exif)
    if replace(sound, following=exif.following) == exif and not exif.lost:
        return _without_thumbnail(data, exif)
    return serialize_exif(sound)


def warn_of_lost(exif: Exif, path: str | PathLike[str]) -> None:
    """Warn, naming the file, of the tags that could not be read."""
    if exif.lost:
        names = ", ".join(exif.lost[:3]) + (" and more" if len(exif.lost) > 3 else "")
        warnings.warn(
            f"{shown(path)} has damaged EXIF; {names} cannot be read and will not be written",
            ImageWarning,
            stacklevel=3,
        )


def _without_thumbnail(data: bytes, exif: Exif) -> bytes:
    """End the chain of directories after IFD0; all values stay at their offsets."""
    if not exif.following:
        return data
    order, big, start = parse_header(data)
    if big:
        return serialize_exif(exif)
    number = struct.unpack_from(f"{order}H", data, start)[0]
    link = start + 2 + 12 * number
    return data[:link] + bytes(4) + data[link + 4 :]


def orientation(exif: bytes | None) -> int:
    """Return the orientation that the EXIF data states, 1 to 8; 1 (upright) if it states none."""
    parsed = _parsed(exif)
    return parsed.orientation if parsed else 1


def camera(exif: bytes | None) -> tuple[str, str]:
    """Return the make and the model of the camera; empty texts if the EXIF data states none."""
    parsed = _parsed(exif)
    if parsed is None:
        return "", ""
    make, model = (tag.data if (tag := parsed.tag(number)) else b"" for number in (MAKE, MODEL))
    return _text(make), _text(model)


def _parsed(exif: bytes | None) -> Exif | None:
    try:
        return parse_exif(exif.removeprefix(b"Exif\0\0")) if exif else None
    except BrokenStructureError:
        return None


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode("utf-8", "replace").strip()
