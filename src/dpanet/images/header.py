"""Read the size and the depth of an image file without decoding its pixels."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from dpanet.containers.header import Header
from dpanet.formats.heif import read_heif_header
from dpanet.formats.jpeg import read_jpeg_header
from dpanet.formats.known_formats import Format, find_format
from dpanet.formats.pgm import read_pgm_header
from dpanet.formats.png import read_png_header
from dpanet.formats.tiff import read_tiff_header
from dpanet.formats.webp import read_webp_header
from dpanet.images.source import readable_file

_READERS: dict[Format, Callable[[Path], Header]] = {
    "heif": read_heif_header,
    "jpeg": read_jpeg_header,
    "pgm": read_pgm_header,
    "png": read_png_header,
    "tiff": read_tiff_header,
    "webp": read_webp_header,
}


def read_header(path: str | PathLike[str]) -> Header:
    """Return the size, depth, channels and orientation of a file that `read_file` reads.

    The first bytes decide the format, not the suffix. A truncated PNG or TIFF is detected by the lengths of its
    parts; damage inside a part is not.

    Raises:
        UnreadableImageError: if the file is missing, empty, truncated or of another format, or its picture is larger
            than the limit.
    """
    with readable_file(path, again=True) as file:
        return _READERS[find_format(file)](file)
