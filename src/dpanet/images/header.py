"""Read the size and the depth of an image file without decoding its pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from dpanet.images.formats import Format, find_format
from dpanet.images.limits import check_size
from dpanet.images.source import readable_file


@dataclass(frozen=True)
class Header:
    """Size and depth of an image as `read_file` would decode it."""

    width: int
    """Px, as stored: the orientation is not applied."""
    height: int
    """Px, as stored."""
    bits: int
    """8 or 16 for integer codes, 32 for any float type."""
    channels: int
    """1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGB and alpha)."""
    orientation: int = 1
    """Of EXIF: 1 is upright, 2 to 8 say how the picture is to be turned to be seen."""


def read_header(path: str | PathLike[str]) -> Header:
    """Return the size, depth, channels and orientation of a file that `read_file` reads.

    The first bytes decide the format, not the suffix. A truncated PNG or TIFF is detected by the lengths of its
    parts; damage inside a part is not.

    Raises:
        UnreadableImageError: if the file is missing, empty, truncated or of another format, or its picture is larger
            than the limit.
    """
    with readable_file(path, again=True) as file:
        header = _reader(find_format(file))(file)
        check_size(file, header.width, header.height)
        return header


def _reader(format: Format) -> Callable[[Path], Header]:
    # Each of these modules imports this one, for the type.
    from dpanet.images.heif import read_heif_header
    from dpanet.images.jpeg import read_jpeg_header
    from dpanet.images.pgm import read_pgm_header
    from dpanet.images.png import read_png_header
    from dpanet.images.tiff import read_tiff_header
    from dpanet.images.webp import read_webp_header

    readers: dict[Format, Callable[[Path], Header]] = {
        "heif": read_heif_header,
        "jpeg": read_jpeg_header,
        "pgm": read_pgm_header,
        "png": read_png_header,
        "tiff": read_tiff_header,
        "webp": read_webp_header,
    }
    return readers[format]
