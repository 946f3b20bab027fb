"""Read the metadata of a TIFF page and write those of a picture as tags."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.containers.exif import (
    Exif,
    drop_storage,
    parse_exif,
    serialize_exif,
    warn_of_lost,
)
from dpanet.containers.photoshop_resources import iptc_of_photoshop, warn_of_paths
from dpanet.containers.sound_metadata import sound_xmp
from dpanet.containers.stated_encoding import encoding_of_table
from dpanet.containers.tiff_structure import BrokenStructureError, Order, Tag
from dpanet.formats.tiff_layout import BLACK_IS_ZERO, RGB, TiffLayout
from dpanet.pair import Encoding

XMP, IPTC, PHOTOSHOP, ICC, TRANSFER = 700, 33723, 34377, 34675, 301
X_RESOLUTION, Y_RESOLUTION, UNIT = 282, 283, 296

_CM = 2.54
"""Centimeters of an inch."""


def parse_metadata(data: mmap, layout: TiffLayout, tags: tuple[Tag, ...], path: Path) -> dict[str, Any]:
    """Return the fields of a decoded image: ``icc``, ``exif``, ``xmp``, ``iptc`` and ``resolution``.

    EXIF consists of the descriptive tags of the page and its directories Exif, GPS and Interop. Damaged tags are left
    out with an ImageWarning.
    """
    by_number = {tag.number: tag for tag in tags}

    def raw(number: int) -> bytes | None:
        tag = by_number.get(number)
        return tag.data if tag and tag.data else None

    exif = parse_exif(data)
    warn_of_lost(exif, path)
    if layout.index:
        exif = replace(exif, main=tags)
    exif = drop_storage(exif)
    resolution = _resolution(by_number, layout)
    moved = () if resolution is None else (X_RESOLUTION, Y_RESOLUTION, UNIT)
    main = tuple(tag for tag in exif.main if tag.number not in moved)
    iptc = raw(IPTC) or iptc_of_photoshop(raw(PHOTOSHOP) or b"")
    warn_of_paths(raw(PHOTOSHOP) or b"", path)
    if iptc and IPTC in by_number and by_number[IPTC].kind == 4:
        iptc = _in_order(iptc)
    return {
        "icc": raw(ICC),
        "exif": serialize_exif(replace(exif, main=main)) or None,
        "xmp": sound_xmp(raw(XMP), path),
        "iptc": iptc,
        "resolution": resolution,
    }


def encoding_of_tags(layout: TiffLayout, tags: tuple[Tag, ...], path: Path) -> Encoding | None:
    """Return the encoding that the tag TransferFunction states, which old programs wrote in place of a profile.

    Raises:
        UnreadableImageError: if it is neither linear nor a display's.
    """
    values = next((tag.numbers(layout.order) for tag in tags if tag.number == TRANSFER), ())
    size = 2**layout.bits if layout.kind == "u" else 0
    if not size or len(values) not in (size, 3 * size) or layout.photometric not in (BLACK_IS_ZERO, RGB):
        return None
    return encoding_of_table(list(np.array(values).reshape(-1, size) / 65535), path)


def _resolution(tags: dict[int, Tag], layout: TiffLayout) -> tuple[float, float] | None:
    unit = tags[UNIT].numbers(layout.order)[:1] if UNIT in tags else (2,)
    values = []
    for number in (X_RESOLUTION, Y_RESOLUTION):
        tag = tags.get(number)
        pair = tag.numbers(layout.order)[:2] if tag else ()
        if tag and tag.kind in (3, 4):  # against the standard, which has rationals
            pair = (*pair[:1], 1)
        if len(pair) < 2 or 0 in pair or unit not in ((2,), (3,)):
            return None
        values.append(pair[0] / pair[1] * (_CM if unit == (3,) else 1))
    return values[0], values[1]


def _in_order(iptc: bytes) -> bytes:
    """Undo the reversal of each four bytes that old writers made; records start with the byte 28."""
    if iptc[0] != 28 and iptc[3:4] == b"\x1c":
        return b"".join(iptc[at : at + 4][::-1] for at in range(0, len(iptc), 4))
    return iptc


def make_exif(metadata: Mapping[str, Any]) -> Exif:
    """Return the EXIF of a picture's metadata, with the other metadata as tags of IFD0."""
    exif = Exif("<")
    if metadata.get("exif"):
        with suppress(BrokenStructureError):  # readers drop broken EXIF with a warning
            exif = drop_storage(parse_exif(metadata["exif"].removeprefix(b"Exif\0\0")))
    others = tuple(_other_tags(metadata, exif.order))
    numbers = {tag.number for tag in others}
    return replace(exif, main=tuple(tag for tag in exif.main if tag.number not in numbers) + others)


def _other_tags(metadata: Mapping[str, Any], order: Order) -> Iterator[Tag]:
    for key, number, kind in (("icc", ICC, 7), ("xmp", XMP, 1), ("iptc", IPTC, 7)):
        value = metadata.get(key)
        if value:
            yield Tag(number, kind, len(value), bytes(value))
    resolution = metadata.get("resolution")
    if resolution:
        for number, value in zip((X_RESOLUTION, Y_RESOLUTION), resolution, strict=True):
            yield Tag(number, 5, 1, struct.pack(f"{order}2I", *_rational(value)))
        yield Tag(UNIT, 3, 1, struct.pack(f"{order}H", 2))


def _rational(value: float) -> tuple[int, int]:
    fraction = Fraction(value).limit_denominator(10_000)
    return min(fraction.numerator, 2**32 - 1), fraction.denominator
