"""Read the size and the depth of an image file without decoding its pixels."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from dpanet.errors import UnreadableImageError
from dpanet.images.lossy import FORMATS, is_lossy
from dpanet.images.png import SIGNATURE
from dpanet.images.tiff import SIGNATURES, read_tiff_header

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
"""Color type -> channels as decoded: a palette becomes RGB, gray with alpha becomes RGB with alpha."""


@dataclass(frozen=True)
class Header:
    """Size and depth of an image as `read_file` would decode it."""

    width: int
    """Px, as stored: the EXIF orientation is not applied."""
    height: int
    """Px, as stored."""
    bits: int
    """8 or 16 for integer codes, 32 for any float type."""
    channels: int
    """1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGB and alpha)."""
    orientation: int = 1
    """Of EXIF: 1 is upright, 2 to 8 say how the picture is to be turned to be seen."""


def read_header(path: Path) -> Header:
    """Return the size, depth and channels of a PNG, TIFF, JPEG or WebP.

    The first bytes decide the format, not the suffix. A truncated PNG or TIFF is detected by the lengths of its
    parts; damage inside a part is not.

    Raises:
        UnreadableImageError: if the file is missing, empty, truncated or of another format.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(12)
            if head.startswith(SIGNATURE):
                return _png(file, path)
    except OSError as error:
        raise UnreadableImageError(
            f"{path} cannot be read ({error.strerror}); check its name and permissions"
        ) from error
    if head.startswith(SIGNATURES):
        return read_tiff_header(path)
    if is_lossy(head):
        return _lossy(path)
    if not head:
        raise UnreadableImageError(f"{path} is empty; export or copy it again")
    raise UnreadableImageError(f"{path} is not a PNG, TIFF, JPEG or WebP picture; export it as one of these")


def _png(file: BinaryIO, path: Path) -> Header:
    """Read chunk after chunk: IHDR has the size, tRNS adds alpha to color, IEND ends a complete file."""
    size = path.stat().st_size
    at, fields, transparent = len(SIGNATURE), b"", False
    while at + 12 <= size:
        file.seek(at)
        start = file.read(8)
        length, name = int.from_bytes(start[:4], "big"), start[4:]
        if not fields:
            fields = file.read(17)
            sound = (
                name == b"IHDR" and length == 13 and zlib.crc32(name + fields[:13]) == _number(fields[13:])
            )
            if not sound or fields[9] not in _PNG_CHANNELS:
                raise UnreadableImageError(f"{path} is a damaged PNG; export or copy it again")
        transparent |= name == b"tRNS"
        at += 12 + length
        if name == b"IEND" and at <= size:
            channels = _PNG_CHANNELS[fields[9]]
            return Header(
                width=_number(fields[:4]),
                height=_number(fields[4:8]),
                bits=16 if fields[8] == 16 else 8,
                channels=4 if transparent and channels == 3 else channels,
            )
    raise UnreadableImageError(f"{path} is a truncated PNG; export or copy it again")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _lossy(path: Path) -> Header:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures
            with Image.open(path, formats=FORMATS) as image:
                channels = {"L": 1, "RGBA": 4}.get(image.mode, 3)
                return Header(image.width, image.height, 8, channels)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            f"{path} is a truncated or damaged picture ({error}); export or copy it again"
        ) from error
