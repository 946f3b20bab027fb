"""What the chunks of a PNG say beside its pixels, and the chunks that say it again in another file."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dpanet.containers.photoshop_resources import iptc_of_photoshop
from dpanet.containers.png_chunks import (
    PngHeader,
    make_chunk,
    make_raw_profile,
    parse_raw_profile,
    parse_text,
    unpack,
)
from dpanet.containers.sound_metadata import sound_exif, warn
from dpanet.containers.stated_encoding import (
    check_profile,
    encoding_of_chunks,
    encoding_of_profile,
)
from dpanet.errors import ImageWarning, UnreadableImageError, shown
from dpanet.pair import Encoding

XMP_KEYWORD = "XML:com.adobe.xmp"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
RAW_PROFILE = "Raw profile type "
INCH = 0.0254
"""Meters."""

COLOR = {b"cICP": 4, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"mDCV": 24, b"cLLI": 8}
"""Chunks of a fixed length that say how values are meant."""

COPIED = (b"sTER", b"pCAL", b"sCAL")
"""Chunks that stay true although the pixels change, beside those whose name says so (small last letter)."""

_DROPPED = "they are not carried over"

TEXTS = (b"tEXt", b"zTXt", b"iTXt")

Chunks = list[tuple[bytes, bytes]]
"""Name and data of each."""


def parse_metadata(header: PngHeader, chunks: Chunks, path: Path) -> dict[str, Any]:
    """Parse the auxiliary chunks of a PNG.

    What is damaged or not valid is dropped with an ImageWarning.

    Returns:
        The fields of a `DecodedImage`: ``encoding``, ``icc``, ``exif``, ``xmp``, ``iptc``, ``resolution``, ``png``.

    Raises:
        UnreadableImageError: if the file states an encoding that is neither linear nor a display's.
    """
    found: dict[str, Any] = {}
    kept: Chunks = []
    profiles: dict[str, bytes] = {}
    for name, data in sorted(chunks, key=lambda chunk: chunk[0] in TEXTS):  # a profile in a text counts less
        if name in COLOR or name == b"sBIT":
            if any(other == name for other, _ in kept):
                continue  # the first one counts
            if _is_valid(name, data, header):
                kept.append((name, data))
            else:
                _drop(path, name)
        elif name == b"iCCP" and "icc" not in profiles:
            rest = data.partition(b"\0")[2]
            profile = unpack(rest[1:]) if rest[:1] == b"\0" else None
            if profile is None:
                _drop(path, name)
            else:
                profiles["icc"] = profile
        elif name == b"eXIf" and "exif" not in profiles:
            profiles["exif"] = data
        elif name == b"pHYs" and len(data) == 9 and "resolution" not in found:
            x, y = (int.from_bytes(data[at : at + 4], "big") for at in (0, 4))
            if data[8] == 1 and x and y:
                found["resolution"] = (x * INCH, y * INCH)
            elif data[8] == 0:
                kept.append((name, data))  # the shape of a pixel only
        elif name in TEXTS:
            _parse_text(name, data, path, profiles, kept)
        elif name in COPIED or (name[3] & 0x20 and name not in (b"iCCP", b"eXIf", b"pHYs")):
            kept.append((name, data))
        elif name == b"caBX":
            warn(
                f"{shown(path)} has content credentials (C2PA), which hold for its own pixels only; {_DROPPED}"
            )
    found["png"] = tuple(kept)
    found["exif"] = sound_exif(profiles.get("exif"), path)
    found["xmp"], found["iptc"] = profiles.get("xmp"), profiles.get("iptc")
    found["icc"], found["encoding"] = _read_encoding(profiles.get("icc"), dict(kept), header.gray, path)
    return found


def make_chunks(metadata: Mapping[str, Any], channels: int, depth: int) -> bytes:
    """Make the chunks that carry the metadata of a picture over, in an order that every reader accepts.

    Args:
        metadata: of a `Picture`.
        channels: of the file: 1 to 4.
        depth: bits of a channel, 8 or 16.
    """
    stated: Chunks = [(name, data) for name, data in metadata.get("png") or () if name not in TEXTS]
    texts: Chunks = [(name, data) for name, data in metadata.get("png") or () if name in TEXTS]
    icc, exif, xmp, iptc = (metadata.get(key) for key in ("icc", "exif", "xmp", "iptc"))
    chunks = b""
    for name, data in sorted(stated, key=lambda chunk: chunk[0] != b"cICP"):
        if name == b"sBIT":
            chunks += make_chunk(name, _fit_sbit(data, channels, depth))
        elif not (name == b"sRGB" and icc):  # the two exclude each other
            chunks += make_chunk(name, data)
    if icc:
        chunks += make_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if metadata.get("resolution") and b"pHYs" not in dict(stated):
        x, y = (min(max(round(value / INCH), 1), 2**31 - 1) for value in metadata["resolution"])
        chunks += make_chunk(b"pHYs", x.to_bytes(4, "big") + y.to_bytes(4, "big") + b"\1")
    if exif:
        chunks += make_chunk(b"eXIf", exif)
    chunks += b"".join(make_chunk(name, data) for name, data in texts)
    if xmp:
        chunks += make_chunk(b"iTXt", XMP_KEYWORD.encode("ascii") + bytes(5) + xmp)
    return chunks + (make_raw_profile("iptc", iptc) if iptc else b"")


def exif_of_text(name: bytes, data: bytes) -> bytes | None:
    """Return the EXIF data that a text chunk contains, as old versions of ImageMagick and ExifTool wrote it."""
    parsed = parse_text(name, data) if data.startswith(RAW_PROFILE.encode("ascii")) else None
    if parsed is None or parsed[0].removeprefix(RAW_PROFILE).lower() not in ("exif", "app1"):
        return None
    profile = parse_raw_profile(parsed[1])
    return None if profile is None or profile.startswith(XMP_HEAD) else profile


def _is_valid(name: bytes, data: bytes, header: PngHeader) -> bool:
    if name == b"sBIT":
        depth = 8 if header.color == 3 else header.depth
        length = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[header.color]
        return len(data) == length and all(1 <= bits <= depth for bits in data)
    if len(data) != COLOR[name]:
        return False
    if name == b"cICP":  # PNG has RGB only
        return data[2] == 0 and data[3] <= 1
    if name == b"gAMA":
        return any(data)
    return name != b"sRGB" or data[0] <= 3


def _parse_text(name: bytes, data: bytes, path: Path, profiles: dict[str, bytes], kept: Chunks) -> None:
    """Take a profile from a text, or keep the text."""
    parsed = parse_text(name, data)
    if parsed is None:
        _drop(path, name)
        return
    keyword, text = parsed
    if keyword == XMP_KEYWORD:
        if _is_utf8(text):
            profiles["xmp"] = text  # it counts more than an old text of ImageMagick
        else:
            _drop(path, name)
    elif keyword.startswith(RAW_PROFILE):
        profile, kind = parse_raw_profile(text), keyword.removeprefix(RAW_PROFILE).lower()
        if profile is None:
            _drop(path, name)
        elif kind in ("exif", "app1") and not profile.startswith(XMP_HEAD):
            profiles.setdefault("exif", profile)
        elif kind in ("xmp", "app1") and _is_utf8(profile):
            profiles.setdefault("xmp", profile.removeprefix(XMP_HEAD))
        elif kind in ("iptc", "8bim"):
            records = profile if profile.startswith(b"\x1c") else iptc_of_photoshop(profile)
            if records:
                profiles.setdefault("iptc", records)
            else:
                kept.append((name, data))
        elif kind in ("icc", "icm"):
            profiles.setdefault("icc", profile)
        else:
            kept.append((name, data))
    else:
        kept.append((name, data))


def _read_encoding(
    icc: bytes | None, chunks: dict[bytes, bytes], gray: bool, path: Path
) -> tuple[bytes | None, Encoding | None]:
    """Return the profile to keep and the encoding by the first of cICP, iCCP, sRGB and gAMA that states one."""
    video = chunks.get(b"cICP")
    encoding = encoding_of_chunks({b"cICP": video}, path) if video else None
    if encoding and video and not video[3]:
        raise UnreadableImageError(
            f"{shown(path)} has values of the narrow range of video (cICP); export it with the full range"
        )
    profile, fits = check_profile(icc, gray, path)
    if encoding is None and profile is not None:
        encoding = encoding_of_profile(profile, path)
    encoding = encoding or encoding_of_chunks(chunks, path)
    return profile.data if profile is not None and fits else None, encoding


def _fit_sbit(data: bytes, channels: int, depth: int) -> bytes:
    """Convert the significant bits of each channel to another number of channels, with alpha or without."""
    colors = data[:3] if len(data) >= 3 else data[:1]
    wanted = 1 if channels <= 2 else 3
    colors = colors if len(colors) == wanted else bytes([max(colors)]) * wanted
    alpha = (data[len(data) - 1 :] if len(data) in (2, 4) else bytes([depth])) if channels in (2, 4) else b""
    return bytes(min(bits, depth) for bits in colors + alpha)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _drop(path: Path, name: bytes) -> None:
    warnings.warn(
        f"{shown(path)} has a damaged {name.decode('ascii')} chunk; it is not used",
        ImageWarning,
        stacklevel=2,
    )
