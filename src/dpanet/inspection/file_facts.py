"""Collect what files state: format, size, depth, encoding, metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpanet.containers.exif import camera, orientation, parse_exif
from dpanet.containers.icc_profile import profile_name
from dpanet.containers.tiff_structure import BrokenStructureError
from dpanet.formats.known_formats import Format, find_format
from dpanet.images.header import read_header
from dpanet.images.raw import PIXEL_APP
from dpanet.images.source import readable_file
from dpanet.pair import DualPixelPair, Encoding

_NAMES: dict[Format, str] = {
    "png": "PNG",
    "tiff": "TIFF",
    "jpeg": "JPEG",
    "webp": "WebP",
    "heif": "AVIF",
    "pgm": "PGM or PPM",
}


_TAGS = {
    269: "DocumentName",
    270: "ImageDescription",
    271: "Make",
    272: "Model",
    274: "Orientation",
    305: "Software",
    306: "DateTime",
    315: "Artist",
    316: "HostComputer",
    33432: "Copyright",
}
"""Number and name of tags of TIFF 6.0 that are not EXIF."""

_RESOLUTION = (282, 283, 296)
"""Tags that say nothing about the picture, if they state no resolution."""

SIZE_AND_DEPTH = "size and depth"
"""What says that a file is one of the Pixel capture app, if no option does."""


@dataclass(frozen=True)
class UnreadFile:
    """A file whose header cannot be read."""

    path: Path


@dataclass(frozen=True)
class FileFacts:
    """What the header of a file states."""

    path: Path
    format: str
    """Such as ``PNG``; ``raw file`` for that of a camera."""
    bytes: int
    width: int
    """px, as stored: not turned."""
    height: int
    """px, as stored."""
    bits: int
    """Of a value: 8, 16, or 32 for floats."""
    channels: int
    """1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGB and alpha)."""
    orientation: int
    """Of EXIF, 1 (upright) to 8."""


@dataclass(frozen=True)
class ValueFacts:
    """What the values of the views mean, and the metadata of the left file."""

    encoding: Encoding
    stated_by: str
    """What says so: an option, a profile, chunks, ``size and depth``; ``nothing`` if it is an assumption."""
    metadata: tuple[str, ...]
    """Kinds that there are, of EXIF, XMP, IPTC, ICC; single tags, such as ``tag Software``, where a TIFF has no
    EXIF."""
    icc_name: str
    """Description of the ICC profile; empty without one."""
    camera: str
    """Make and model, or the name of the raw format; empty if not stated."""
    resolution: tuple[float, float] | None
    """px an inch, horizontal and vertical."""


def read_file_facts(path: Path) -> FileFacts:
    """Read the header of a picture file.

    Raises:
        UnreadableImageError: if it cannot be read.
    """
    header = read_header(path)
    with readable_file(path, again=True) as file:
        name, size = _NAMES[find_format(file)], file.stat().st_size
    return FileFacts(
        path,
        name,
        size,
        header.width,
        header.height,
        header.bits,
        header.channels,
        header.orientation,
    )


def raw_file_facts(path: Path, pair: DualPixelPair) -> FileFacts:
    """Return the facts of a camera's raw file, as developed."""
    height, width = pair.left.shape[:2]
    turned = orientation(pair.metadata.get("exif"))
    return FileFacts(path, "raw file", path.stat().st_size, width, height, 16, 3, turned)


def describe_values(metadata: Mapping[str, Any], encoding: Encoding, option: str | None = None) -> ValueFacts:
    """Describe values and metadata of a pair.

    Args:
        metadata: of the pair.
        encoding: of the pair.
        option: of the command line that decided the encoding, if any.
    """
    names = {"xmp": "XMP", "iptc": "IPTC", "icc": "ICC"}
    kinds = _name_exif(metadata.get("exif")) + tuple(name for key, name in names.items() if metadata.get(key))
    make, model = camera(metadata.get("exif"))
    stated = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    icc = metadata.get("icc")
    return ValueFacts(
        encoding,
        option or _what_states(metadata, encoding),
        kinds,
        (profile_name(icc) or "unnamed") if icc else "",
        str(metadata.get("camera") or stated).strip(),
        metadata.get("resolution"),
    )


def _name_exif(exif: bytes | None) -> tuple[str, ...]:
    """Return ``EXIF``, or the names of the tags where there are only those that any TIFF may have."""
    if not exif:
        return ()
    try:
        parsed = parse_exif(exif.removeprefix(b"Exif\0\0"))
    except BrokenStructureError:
        return ("EXIF",)
    if parsed.photo or parsed.gps or parsed.interop or not parsed.main:
        return ("EXIF",)
    return tuple(
        f"tag {_TAGS.get(tag.number, tag.number)}" for tag in parsed.main if tag.number not in _RESOLUTION
    )


def _what_states(metadata: Mapping[str, Any], encoding: Encoding) -> str:
    """Return the part of a file that states its encoding; of several in a PNG, the first in this order counts.

    Source: PNG, 3rd edition, 4.3.
    """
    if metadata.get("camera") == PIXEL_APP.name:
        return SIZE_AND_DEPTH
    chunks = {name for name, _ in metadata.get("png") or ()}
    if b"cICP" in chunks:
        return "chunk cICP"
    if metadata.get("icc"):
        return "ICC profile"
    for name in (b"sRGB", b"gAMA"):
        if name in chunks:
            return f"chunk {name.decode()}"
    return "file" if encoding == "linear" else "nothing"
