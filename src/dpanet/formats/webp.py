"""Read WebP, with its metadata. It is never written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dpanet.containers.decoded_image import DecodedImage
from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.containers.sound_metadata import exif_resolution, sound_exif, sound_xmp, warn
from dpanet.containers.stated_encoding import use_profile
from dpanet.errors import UnreadableImageError, counted, shown
from dpanet.formats.limits import check_size
from dpanet.formats.webp_pixels import decode_pixels

_ALPHA_FLAG = 0x10
"""Of the chunk VP8X."""

_KEY_FRAME = b"\x9d\x01\x2a"


@dataclass
class _Parts:
    """What the chunks of a WebP say."""

    width: int = 0
    height: int = 0
    alpha: bool = False
    frames: int = 0
    others: dict[bytes, bytes] = field(default_factory=dict)
    """Data of ICCP, EXIF and XMP."""


def decode_webp(path: Path) -> DecodedImage:
    """Decode a WebP, of an animation the first frame; the EXIF orientation is not applied.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is damaged or cut.
    """
    data = path.read_bytes()
    parts = _read_parts(data, path)
    exif = sound_exif(parts.others.get(b"EXIF"), path)
    icc, encoding = use_profile(parts.others.get(b"ICCP"), False, path)
    if parts.frames > 1:
        warn(f"{shown(path)} is animated; the first of {counted(parts.frames, 'frame')} is read")
    pixels = decode_pixels(data, parts.height, parts.width)
    if pixels is None:
        raise UnreadableImageError(f"{shown(path)} is a truncated or damaged WebP; export or copy it again")
    return DecodedImage(
        path,
        pixels[..., :3],
        pixels[..., 3] if pixels.shape[2] == 4 else None,
        encoding,
        icc,
        exif,
        sound_xmp(parts.others.get(b"XMP "), path),
        resolution=exif_resolution(exif),
    )


def read_webp_header(path: Path) -> Header:
    """Return the size, channels and orientation of a WebP.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: as `decode_webp`, for what its chunks show.
    """
    parts = _read_parts(path.read_bytes(), path)
    turn = orientation(parts.others.get(b"EXIF"))
    return Header(parts.width, parts.height, 8, 4 if parts.alpha else 3, turn)


def _read_parts(data: bytes, path: Path) -> _Parts:
    """Read the chunks of the file.

    Raises:
        UnreadableImageError: if they are damaged, or the picture is larger than the limit.
    """
    parts, at, end = _Parts(), 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise UnreadableImageError(f"{shown(path)} is a truncated WebP; export or copy it again")
    while at + 8 <= end:
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            raise UnreadableImageError(f"{shown(path)} is a truncated WebP; export or copy it again")
        _read_part(parts, name, body)
        at += 8 + length + length % 2
    if not parts.width or not parts.height:
        raise UnreadableImageError(f"{shown(path)} is a damaged WebP; export or copy it again")
    check_size(path, parts.width, parts.height)
    return parts


def _read_part(parts: _Parts, name: bytes, body: bytes) -> None:
    if name == b"VP8X" and len(body) >= 10:
        parts.width, parts.height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
        parts.alpha = bool(body[0] & _ALPHA_FLAG)
    elif name == b"VP8 " and not parts.width and body[3:6] == _KEY_FRAME:
        parts.width, parts.height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    elif name == b"VP8L" and not parts.width and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        parts.width, parts.height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        parts.alpha = bool(bits >> 28 & 1)
    elif name == b"ANMF":
        parts.frames += 1
    elif name in (b"ICCP", b"EXIF", b"XMP "):
        parts.others.setdefault(name, body)
