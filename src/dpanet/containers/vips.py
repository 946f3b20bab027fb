"""Decode picture files with libvips.

Pixels are fetched in the calling thread, strip by strip. So no second full-size copy exists, and the thread pool of
libvips is not used, which does not survive a fork: a worker process that was forked after its parent had used the
pool would wait for it forever. (The loader of WebP cannot do without the pool; see formats/webp_pixels.py.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dpanet.containers.decoded_image import Codes

if TYPE_CHECKING:
    import pyvips

for _name in (
    "G_MESSAGES_DEBUG",
    "VIPS_INFO",
):  # libvips reads them when it is loaded, and prints to standard output
    os.environ.pop(_name, None)
os.environ["VIPS_WARNING"] = "0"

_STRIP_BYTES = 2**22
"""Of the rows that are fetched at once."""

_STRIP_ROWS = 1024
"""Most rows that are fetched at once; for many more, libvips takes time that grows with their square."""

_TYPES = {
    "uchar": np.uint8,
    "char": np.int8,
    "ushort": np.uint16,
    "short": np.int16,
    "uint": np.uint32,
    "int": np.int32,
    "float": np.float32,
    "double": np.float64,
}
"""Names of libvips for the types of a channel."""


@cache
def _libvips() -> Any:
    """Import pyvips and make libvips silent; what it says in its log, it says in its errors, too."""
    import pyvips

    if pyvips.API_mode:  # the handler of pyvips fails, and prints so, for text that is not UTF-8
        pyvips.ffi.def_extern(name="_log_handler_callback")(lambda *_: None)
    pyvips.cache_set_max(0)  # it would hold pixels and files, and return old pixels of a changed file
    return pyvips


def loader_of(head: bytes) -> str | None:
    """Return the name of libvips' loader for a file that begins with these 12 bytes; None for any other format."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "pngload"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiffload"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpegload"
    if head[4:8] == b"ftyp":
        return "heifload"
    return None


def open_image(path: str | os.PathLike[str], **options: object) -> pyvips.Image:
    """Open a PNG, TIFF, JPEG or AVIF to read it from top to bottom; damage shows when its pixels are read.

    Args:
        path: of the file. libvips reads from an open file and sees no name, so that any name will do.
        **options: of libvips' loader, such as ``page``.

    Raises:
        OSError: if the file cannot be opened.
        pyvips.Error: if libvips cannot read it.
    """
    pyvips = _libvips()
    with Path(path).open("rb") as file:
        loader = loader_of(file.read(12))
        if loader is None:
            raise pyvips.Error("not a format that is read with libvips")
        file.seek(0)
        source = pyvips.Source.new_from_descriptor(file.fileno())  # which keeps its own descriptor
    options = {"access": "sequential", "fail_on": "error", **options}
    image = pyvips.Operation.call(f"{loader}_source", source, **options)
    assert isinstance(image, pyvips.Image)
    return image


def open_data(data: bytes | bytearray, loader: str, **options: object) -> pyvips.Image:
    """Open the contents of a file as `open_image` does, with a loader of `loader_of`.

    Raises:
        pyvips.Error: if libvips cannot read them.
    """
    pyvips = _libvips()
    options = {"access": "sequential", "fail_on": "error", **options}
    image = pyvips.Operation.call(f"{loader}_source", pyvips.Source.new_from_memory(data), **options)
    assert isinstance(image, pyvips.Image)
    return image


@contextmanager
def open_reader(read: Callable[[int], bytes], loader: str, **options: object) -> Iterator[pyvips.Image]:
    """Open the contents of a file, which `read` returns bit by bit, as `open_image` does.

    Args:
        read: returns the next bytes, at most as many as asked for; none at the end. It raises nothing.
        loader: as of `loader_of`.
        **options: as of `open_image`.

    Raises:
        pyvips.Error: if libvips cannot read them.
    """
    pyvips = _libvips()
    source = pyvips.SourceCustom()  # to be kept, which the image does not
    source.on_read(read)
    options = {"access": "sequential", "fail_on": "error", **options}
    yield pyvips.Operation.call(f"{loader}_source", source, **options)


def to_codes(image: pyvips.Image) -> Codes:
    """Decode the pixels: H x W for one band, else H x W x bands; in the type of the file.

    Raises:
        pyvips.Error: if the pixels are damaged or cut.
    """
    codes = np.empty((image.height, image.width, image.bands), _TYPES[image.format])
    top = 0
    for rows in read_strips(image):
        codes[top : top + len(rows)] = rows
        top += len(rows)
    return codes[..., 0] if image.bands == 1 else codes


def to_codes_and_alpha(image: pyvips.Image) -> tuple[Codes, Codes | None]:
    """Decode the pixels of an image of 1 to 4 bands; two and four have alpha.

    Returns:
        The colors, H x W or H x W x 3, and the alpha channel, H x W, or None.

    Raises:
        pyvips.Error: if the pixels are damaged or cut.
    """
    if image.bands not in (2, 4):
        return to_codes(image), None
    kind, colors = _TYPES[image.format], image.bands - 1
    codes = np.empty((image.height, image.width, colors), kind)
    alpha = np.empty((image.height, image.width), kind)
    top = 0
    for rows in read_strips(image):
        codes[top : top + len(rows)], alpha[top : top + len(rows)] = rows[..., :colors], rows[..., colors]
        top += len(rows)
    return codes[..., 0] if colors == 1 else codes, alpha


def read_strips(image: pyvips.Image) -> Iterator[Codes]:
    """Yield the pixels of one strip after another, rows x W x bands, in the type of the file.

    Raises:
        pyvips.Error: if the pixels are damaged or cut.
    """
    pyvips = _libvips()
    region, kind = pyvips.Region.new(image), np.dtype(_TYPES[image.format])
    row = image.width * image.bands * kind.itemsize
    step = min(_STRIP_ROWS, max(1, _STRIP_BYTES // row))
    for top in range(0, image.height, step):
        height = min(step, image.height - top)
        try:
            data = region.fetch(0, top, image.width, height)
        except pyvips.Error as error:
            if "out of memory" in str(error):
                raise MemoryError(str(error)) from error
            raise
        yield np.frombuffer(data, kind).reshape(height, image.width, image.bands)


def to_image(codes: Codes) -> pyvips.Image:
    """Wrap pixels, H x W or H x W x bands, as an image of libvips, for writing."""
    gray = codes.ndim == 2 or codes.shape[2] <= 2
    kind = {
        "uint8": "b-w" if gray else "srgb",
        "uint16": "grey16" if gray else "rgb16",
        "float32": "b-w" if gray else "scrgb",
    }[codes.dtype.name]
    return _libvips().Image.new_from_array(np.ascontiguousarray(codes)).copy(interpretation=kind)
