"""Find the segments of a JPEG: its frame header and the metadata in its application segments."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from dpanet.containers.photoshop_resources import iptc_of_photoshop, warn_of_paths
from dpanet.containers.png_chunks import make_comments
from dpanet.containers.sound_metadata import warn
from dpanet.containers.tiff_structure import BrokenStructureError, parse_directory, parse_header
from dpanet.errors import UnreadableImageError, shown

_EXIF = b"Exif\0"
"""And a byte that should be zero."""

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_FILM = re.compile(rb"(?:MotionPhoto|MicroVideo)\s*(?:=\s*[\"']|>\s*)1")
_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_PICTURES, _ENTRIES, _PREVIEWS = b"MPF\0", 0xB002, (0x010001, 0x010002)

_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
"""Markers of a frame header."""

_READ = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Of these: baseline, extended, progressive; Huffman or arithmetic coding."""

_BARE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length."""

_START_OF_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE


@dataclass(frozen=True)
class JpegFrame:
    """What the frame header says."""

    width: int
    height: int
    channels: int
    """1 (gray), 3 (color) or 4 (CMYK or YCCK)."""


@dataclass(frozen=True)
class Segments:
    """The segments before the first scan: marker and data of each."""

    all: tuple[tuple[int, bytes], ...]

    def starting(self, marker: int, head: bytes) -> list[bytes]:
        """Return the rest of the data of each segment that begins with `head`."""
        return [data[len(head) :] for number, data in self.all if number == marker and data.startswith(head)]


def read_segments(data: bytes, path: Path) -> Segments:
    """Find the segments of a JPEG.

    Raises:
        UnreadableImageError: if they are damaged.
    """
    return Segments(tuple(_iterate(data, path)))


def _iterate(data: bytes, path: Path) -> Iterator[tuple[int, bytes]]:
    at = 2
    while True:
        at = data.find(b"\xff", at)
        while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:
            at += 1
        if at < 0 or at + 4 > len(data):
            raise UnreadableImageError(f"{shown(path)} is a truncated JPEG; export or copy it again")
        marker = data[at + 1]
        if marker in _BARE or marker == 0:
            at += 2
            continue
        if marker in (_START_OF_SCAN, _END):
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise UnreadableImageError(
                f"{shown(path)} is a truncated or damaged JPEG; export or copy it again"
            )
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def find_frame(segments: Segments, path: Path) -> JpegFrame:
    """Return what the frame header says.

    Raises:
        UnreadableImageError: without one, or if it is of a kind that is not read.
    """
    for marker, data in segments.all:
        if marker not in _FRAMES:
            continue
        if len(data) < 6:
            break
        if marker not in _READ:
            kind = "lossless" if marker in (0xC3, 0xC7, 0xCB, 0xCF) else "hierarchical"
            raise UnreadableImageError(
                f"{shown(path)} is a {kind} JPEG, whose codec is missing here; export it as PNG or TIFF"
            )
        if data[0] != 8:
            raise UnreadableImageError(
                f"{shown(path)} is a JPEG of {data[0]} bits, whose codec is missing here; export it as PNG or TIFF"
            )
        if data[5] not in (1, 3, 4):
            raise UnreadableImageError(
                f"{shown(path)} is a JPEG of {data[5]} channels; export it as gray or RGB"
            )
        return JpegFrame(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"), data[5])
    raise UnreadableImageError(f"{shown(path)} is a truncated or damaged JPEG; export or copy it again")


def find_exif(segments: Segments) -> bytes | None:
    """Return the EXIF data, the bare TIFF structure."""
    return next((data[1:] for data in segments.starting(0xE1, _EXIF)), None)


def find_icc(segments: Segments, path: Path) -> bytes | None:
    """Join the parts of the ICC profile; warn if one is missing."""
    parts = {part[0]: part for part in segments.starting(0xE2, _ICC) if len(part) >= 2}
    if not parts:
        return None
    if sorted(parts) != list(range(1, parts[min(parts)][1] + 1)):
        warn(f"{shown(path)} has an incomplete ICC profile; it is not carried over")
        return None
    return b"".join(parts[number][2:] for number in sorted(parts))


def find_iptc(segments: Segments) -> bytes | None:
    """Return the IPTC records of Photoshop's resources, which may be spread over several segments."""
    return iptc_of_photoshop(_resources(segments))


def find_comments(segments: Segments) -> tuple[tuple[bytes, bytes], ...]:
    """Return the comments as chunks of a PNG with the keyword Comment."""
    return make_comments(segments.starting(_COMMENT, b""))


def warn_of_left_out(segments: Segments, path: Path) -> None:
    """Warn of what no other file can carry."""
    if any(_FILM.search(packet) for packet in segments.starting(0xE1, _XMP)):
        warn(f"{shown(path)} is a motion photo; only its picture is read, not its film")
    warn_of_paths(_resources(segments), path)
    if any(b"jumb" in data[:32] for data in segments.starting(0xEB, b"JP")):
        warn(
            f"{shown(path)} has content credentials (C2PA), which hold for its own pixels only; they are not carried "
            "over"
        )


def _resources(segments: Segments) -> bytes:
    return b"".join(segments.starting(0xED, _PHOTOSHOP))


def find_resolution(segments: Segments) -> tuple[float, float] | None:
    """Return the resolution that the JFIF header states, in px an inch."""
    for data in segments.starting(0xE0, b"JFIF\0"):
        if len(data) >= 7 and data[2] in (1, 2):
            scale = 2.54 if data[2] == 2 else 1.0
            x, y = (int.from_bytes(data[at : at + 2], "big") * scale for at in (3, 5))
            return (x, y) if x and y else None
    return None


def count_pictures(segments: Segments) -> int:
    """Return how many pictures the file contains by its list of pictures (CIPA DC-007), previews aside."""
    for data in segments.starting(0xE2, _PICTURES):
        try:
            order, big, start = parse_header(data)
            tags, _ = parse_directory(data, start, order, big, [])
        except (BrokenStructureError, struct.error):
            continue
        entries = next((tag.data for tag in tags if tag.number == _ENTRIES), b"")
        kinds = [
            struct.unpack_from(f"{order}I", entries, at)[0] & 0xFFFFFF
            for at in range(0, len(entries) - 15, 16)
        ]
        return len([kind for kind in kinds if kind not in _PREVIEWS])
    return 1


def find_xmp(segments: Segments, path: Path) -> bytes | None:
    """Return the XMP packet, with the properties that stand in an extended packet merged into it."""
    main = next(iter(segments.starting(0xE1, _XMP)), None)
    parts: dict[bytes, list[bytes]] = {}
    for part in segments.starting(0xE1, _LONG_XMP):
        parts.setdefault(part[:32], []).append(part)
    named = re.search(rb"HasExtendedXMP\s*(?:=\s*[\"']|>\s*)([0-9A-Fa-f]{32})", main or b"")
    if main is None or not (parts or named):
        return main
    pieces = parts.get(named[1], []) if named else []
    whole = _merge_xmp(main, _join(pieces))
    if whole is None:
        warn(f"{shown(path)} has extended XMP that is damaged; only its main part is carried over")
    return whole or _without_reference(main)


def _join(pieces: list[bytes]) -> bytes | None:
    """Join the pieces of an extended packet, each with its length and offset; None if one is missing."""
    if not pieces or min(map(len, pieces)) < 40:
        return None
    joined = bytearray()
    for piece in sorted(pieces, key=lambda piece: piece[36:40]):
        if int.from_bytes(piece[36:40], "big") != len(joined):
            return None
        joined += piece[40:]
    return bytes(joined) if len(joined) == int.from_bytes(pieces[0][32:36], "big") else None


def _merge_xmp(main: bytes, extension: bytes | None) -> bytes | None:
    """Put the descriptions of an extended packet into the main one; None if that gives no sound XML."""
    inner = re.search(rb"<rdf:RDF\b[^>]*[^/]>(.*)</rdf:RDF>", extension or b"", re.DOTALL)
    end = main.rfind(b"</rdf:RDF>")
    if inner is None or end < 0:
        return None
    merged = _without_reference(main[:end] + inner[1] + main[end:])
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(merged.strip(b"\0"), True)
    except (expat.ExpatError, ValueError):
        return None
    return merged


def _without_reference(packet: bytes) -> bytes:
    """Remove the reference to the extended packet, which exists in a JPEG only."""
    attribute = rb"\s+\w+:HasExtendedXMP\s*=\s*(?:\"[^\"]*\"|'[^']*')"
    element = rb"<(\w+:HasExtendedXMP)>[^<]*</\1>"
    return re.sub(element, b"", re.sub(attribute, b"", packet))
