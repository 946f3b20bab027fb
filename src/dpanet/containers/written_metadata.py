"""What a written file can say: its metadata made to fit its encoding and its format."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.containers.exif import PIXEL_HEIGHT, PIXEL_WIDTH, parse_exif
from dpanet.containers.icc_profile import (
    SRGB_PRIMARIES,
    Curve,
    colorants_of,
    make_profile,
    parse_profile,
)
from dpanet.containers.png_chunks import parse_text
from dpanet.containers.png_metadata import TEXTS
from dpanet.containers.stated_encoding import encoding_of_chunks, encoding_of_profile
from dpanet.containers.tiff_structure import BrokenStructureError
from dpanet.errors import ImageWarning, UnreadableImageError
from dpanet.pair import Encoding

_WHITE = (0.3127, 0.3290)
_DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: SRGB_PRIMARIES,
    5: (*_WHITE, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_WHITE, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_WHITE, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, *_DISPLAY_P3),
    12: (*_WHITE, *_DISPLAY_P3),
}
"""Color primaries of ITU-T H.273: x and y of white, red, green and blue."""

_STATING = (b"gAMA", b"sRGB", b"cICP", b"cHRM", b"mDCV", b"cLLI")

_COLOR_SPACE = {
    b"II": b"\x01\xa0\x03\x00\x01\x00\x00\x00\x01\x00",
    b"MM": b"\xa0\x01\x00\x03\x00\x00\x00\x01\x00\x01",
}
"""The tag ColorSpace of EXIF with the value sRGB, by byte order."""


def stated_encoding(metadata: Mapping[str, Any]) -> Encoding | None:
    """Return the encoding that the metadata of a picture state; None if they state none, or another."""
    chunks, profile = dict(metadata.get("png") or ()), parse_profile(metadata.get("icc") or b"")
    try:
        encoding = encoding_of_chunks({name: chunks[name] for name in chunks if name == b"cICP"}, Path())
        if encoding is None and profile is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ImageWarning)  # it came when the file was read
                return encoding_of_profile(profile, Path())
        return encoding or encoding_of_chunks(chunks, Path())
    except UnreadableImageError:
        return None


def with_encoding(metadata: Mapping[str, Any], encoding: Encoding) -> dict[str, Any]:
    """Return the metadata of a picture whose values were converted to another encoding.

    An ICC profile is made anew with the same colors and the tone curve of `encoding`; one that has tables of colors
    is left out. The chunks of a PNG are changed likewise.
    """
    result, chunks = dict(metadata), dict(metadata.get("png") or ())
    profile = parse_profile(result.pop("icc", None) or b"")
    if profile is not None and (profile.gray or profile.colorants is not None):
        result["icc"] = make_profile(
            f"{_title(encoding)}, colors as before", _curve(encoding), profile.colorants
        )
    primaries = _primaries(chunks)
    kept = [(name, data) for name, data in metadata.get("png") or () if name not in _STATING]
    if b"cICP" in chunks:
        kept.append((b"cICP", chunks[b"cICP"][:1] + (b"\x08" if encoding == "linear" else b"\x0d") + b"\0\1"))
    if chunks.keys() & {b"cHRM", b"sRGB", b"gAMA"} or (encoding == "linear" and "icc" not in result):
        kept += _gamma_chunks(encoding, primaries if chunks.keys() & {b"cHRM", b"sRGB"} else None)
    result.pop("png", None)
    if kept:
        result["png"] = tuple(kept)
    if encoding == "linear" and result.get("exif"):
        result["exif"] = _without_srgb(result["exif"])
    return result


def with_profile(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata whose ICC profile says what the chunks of a PNG say, for a format without such chunks."""
    result, chunks = dict(metadata), dict(metadata.get("png") or ())
    primaries, curve = _primaries(chunks), _curve_of_chunks(chunks, has_profile=bool(metadata.get("icc")))
    colorants = None if primaries is None else colorants_of(primaries)
    if curve is not None and (metadata.get("gray") or colorants is not None):
        name = "As the PNG stated"
        if curve == 1.0:
            colors = " sRGB" if primaries == SRGB_PRIMARIES else ""
            name = f"Linear{' gray' if metadata.get('gray') else colors}"
        result["icc"] = make_profile(name, curve, None if metadata.get("gray") else colorants)
    return result


def with_size(metadata: Mapping[str, Any], height: int, width: int) -> dict[str, Any]:
    """Return metadata whose EXIF states the size in px of the picture that is written, if it states one.

    The values are changed in place, since maker notes have offsets.
    """
    result = dict(metadata)
    exif = bytearray(bytes(metadata.get("exif") or b"").removeprefix(b"Exif\0\0"))
    try:
        parsed = parse_exif(bytes(exif))
    except BrokenStructureError:
        return result
    for tag in parsed.photo:
        value = {PIXEL_WIDTH: width, PIXEL_HEIGHT: height}.get(tag.number)
        letter = {3: "H", 4: "I"}.get(tag.kind)
        if value is not None and letter and tag.count == 1 and value < 1 << 8 * len(tag.data):
            struct.pack_into(parsed.order + letter, exif, tag.place, value)
    return result | {"exif": bytes(exif)}


def not_carried(metadata: Mapping[str, Any], suffix: str) -> list[str]:
    """List the metadata of a picture that a file format cannot store, one phrase each.

    Args:
        metadata: of a `Picture`.
        suffix: of the file to be written, such as ``.png``.
    """
    if suffix.lower() == ".png":
        return []
    chunks: tuple[tuple[bytes, bytes], ...] = tuple(metadata.get("png") or ())
    color = {b"cICP", b"gAMA", b"sRGB", b"cHRM"}
    names = [name.decode("ascii") for name, _ in chunks if name not in color and name not in TEXTS]
    stated = dict(chunks).keys() & color
    if stated and not with_profile(metadata).get("icc"):
        names += sorted(name.decode("ascii") for name in stated)
    lost = [f"the PNG chunk {name}" for name in names]
    for name, data in chunks:
        text = parse_text(name, data) if name in TEXTS else None
        if text:
            lost.append(f"the text {text[0]}")
    return lost


def _curve_of_chunks(chunks: Mapping[bytes, bytes], has_profile: bool) -> Curve | None:
    """Return the tone curve that the chunks state, if it counts more than an ICC profile."""
    code = chunks[b"cICP"][1] if b"cICP" in chunks else 2
    if code != 2:
        standards: dict[int, Curve] = {4: 2.2, 8: 1.0, 13: "srgb"}
        return standards.get(code, "bt709")
    if has_profile:
        return None
    if b"sRGB" in chunks:
        return "srgb"
    return 100000 / int.from_bytes(chunks[b"gAMA"], "big") if b"gAMA" in chunks else None


def _primaries(chunks: Mapping[bytes, bytes]) -> tuple[float, ...] | None:
    """Return x and y of white, red, green and blue; those of sRGB unless the chunks state others; None if unknown."""
    if b"cICP" in chunks and chunks[b"cICP"][0] != 2:
        return _PRIMARIES.get(chunks[b"cICP"][0])
    if b"cHRM" in chunks and b"sRGB" not in chunks:
        return tuple(value / 100000 for value in struct.unpack(">8I", chunks[b"cHRM"]))
    return SRGB_PRIMARIES


def _gamma_chunks(encoding: Encoding, primaries: tuple[float, ...] | None) -> list[tuple[bytes, bytes]]:
    """Return gAMA, cHRM if the primaries are known, and sRGB if it is that."""
    chunks = [(b"gAMA", (100000 if encoding == "linear" else 45455).to_bytes(4, "big"))]
    if primaries is not None:
        chunks.append((b"cHRM", struct.pack(">8I", *(round(value * 100000) for value in primaries))))
        if encoding == "srgb" and np.allclose(primaries, SRGB_PRIMARIES, atol=0.002):
            chunks.append((b"sRGB", b"\0"))
    return chunks


def _without_srgb(exif: bytes) -> bytes:
    """Change the tag ColorSpace of EXIF data from sRGB to uncalibrated, in place, since maker notes have offsets."""
    entry = _COLOR_SPACE.get(exif[:2])
    if entry is None or entry not in exif:
        return exif
    return exif.replace(entry, entry[:8] + b"\xff\xff", 1)


def _curve(encoding: Encoding) -> Curve:
    return 1.0 if encoding == "linear" else "srgb"


def _title(encoding: Encoding) -> str:
    return "Linear" if encoding == "linear" else "sRGB curve"
