"""Tell the format of a file by its first bytes, and say of every format that is not read what to do with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import UnreadableImageError, shown

HEAD = 512
"""Bytes of a file that decide its format."""

Format = Literal["png", "tiff", "jpeg", "webp", "heif", "pgm"]
"""Formats that are read."""

READ = "PNG, TIFF, JPEG, WebP, AVIF, PGM or PPM"
"""Their names."""

_HEIF_BRANDS = frozenset(
    b"mif1 mif2 msf1 miaf 1pic avif avis avio heic heix heim heis hevc hevx avci avcs vvic "
    b"jpeg jpgs j2ki j2is unif".split()
)
"""Of the box ``ftyp``, for files of still pictures; others are films."""

_EXPORT = "export it as PNG or TIFF"

_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL, whose codec is missing here", _EXPORT),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000, whose codec is missing here", _EXPORT),
    (rb"\xff\xd8\xff\xf7|\xff\xf7", "a JPEG-LS, whose codec is missing here", _EXPORT),
    (rb"II\xbc\x01", "a JPEG XR, whose codec is missing here", _EXPORT),
    (rb"GIF8[79]a", "a GIF, of at most 256 colors", "export the original as PNG or TIFF"),
    (rb"BM.{12}[\x0c\x28\x38\x40\x6c\x7c]\0\0\0", "a BMP", _EXPORT),
    (rb"8BP[SB]", "a Photoshop document (PSD)", f"open it and {_EXPORT}"),
    (rb"\x76\x2f\x31\x01", "an OpenEXR", "export it as a TIFF of 32-bit floats"),
    (rb"#\?RADIANCE|#\?RGBE", "a Radiance HDR", "export it as a TIFF of 32-bit floats"),
    (rb"P[Ff]\s", "a PFM of floats", "export it as a TIFF of 32-bit floats"),
    (rb"P[14]\s", "a PBM of black and white", "export it as PNG, TIFF or PGM"),
    (rb"P7\s", "a PAM", "export it as PNG, TIFF or PPM"),
    (rb"%PDF-", "a PDF document", "export its picture as PNG or TIFF"),
    (rb"%!PS", "a PostScript document", "export its picture as PNG or TIFF"),
    (rb"\0\0\x01\0.\0\0?", "an icon (ICO)", "export the original as PNG or TIFF"),
    (rb"DDS \x7c", "a DDS texture", _EXPORT),
    (rb"SDPX|XPDS", "a DPX", _EXPORT),
    (rb"SIMPLE  =", "a FITS", _EXPORT),
    (rb"gimp xcf ", "a GIMP document (XCF)", f"open it and {_EXPORT}"),
    (rb"\x93NUMPY", "a NumPy array", "write it as a TIFF, or call the functions of Python"),
    (rb"MATLAB 5\.0", "a file of MATLAB", _EXPORT),
    (rb"\x89HDF\r\n", "an HDF5 file", _EXPORT),
    (rb"PK\x03\x04", "a ZIP archive", "unpack it and name the picture in it"),
    (
        rb"\x1f\x8b|BZh|\xfd7zXZ\0|\x28\xb5\x2f\xfd|Rar!|7z\xbc\xaf",
        "an archive",
        "unpack it and name the picture in it",
    ),
    (rb"\x1aE\xdf\xa3|RIFF....AVI |OggS", "a film", "export its frame as PNG or TIFF"),
    (rb"version https://git-lfs", "the stand-in of Git LFS for a file", "fetch the file with: git lfs pull"),
    (rb"\s*(\xef\xbb\xbf)?\s*(<!DOCTYPE html|<html)", "a web page", "download the picture again"),
    (
        rb"\s*(\xef\xbb\xbf)?\s*(<\?xml.*)?(<!--.*)?(<!DOCTYPE svg.*)?<svg",
        "an SVG drawing",
        "export it as PNG",
    ),
)
"""First bytes as a regular expression, what begins so, and the remedy."""


def find_format(path: Path) -> Format:
    """Return the format of a file by its contents, whatever its name.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is empty or of a format that is not read, saying which, and what to do.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.startswith((b"\x89PNG", b"\xff\xd8\xff")) and is_raw_file(path):
        raise UnreadableImageError(
            f"{shown(path)} is a raw file of a camera, not a developed picture; deblur it alone with: "
            f"dpanet deblur {shown(path)} -o OUTPUT, or develop it to TIFF first"
        )
    return _format_of(head, path)


def _format_of(head: bytes, path: Path) -> Format:
    if not head:
        raise UnreadableImageError(f"{shown(path)} is empty; export or copy it again")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    if head.startswith(b"\xff\xd8\xff") and head[3:4] != b"\xf7":
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if re.match(rb"P[2356][\s#]", head):
        return "pgm"
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        if {head[at : at + 4] for at in range(8, min(size, len(head)), 4)} & _HEIF_BRANDS:
            return "heif"
        raise _refusal(path, "a film", "export its frame as PNG or TIFF")
    for pattern, name, remedy in _OTHERS:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            raise _refusal(path, name, remedy)
    if not head.strip(b"\0"):
        raise UnreadableImageError(
            f"{shown(path)} begins with zeros, as after an interrupted copy; copy it again"
        )
    if _is_text(head):
        raise _refusal(path, "a text", "name a picture file")
    raise UnreadableImageError(f"{shown(path)} is not a picture that is read; give a {READ}")


def _refusal(path: Path, name: str, remedy: str) -> UnreadableImageError:
    end = "" if "missing" in name else ", which is not read"
    return UnreadableImageError(f"{shown(path)} is {name}{end}; {remedy}")


def _is_text(head: bytes) -> bool:
    try:
        text = head[: len(head) - 3 if len(head) == HEAD else None].decode("utf-8", "strict")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\f" for character in text)
