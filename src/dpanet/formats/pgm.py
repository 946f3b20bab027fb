"""Read PGM and PPM, 8 and 16 bit, as binary (P5, P6) or as text (P2, P3). They are never written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.containers.header import Header
from dpanet.containers.png_chunks import make_comments
from dpanet.containers.sound_metadata import warn
from dpanet.errors import UnreadableImageError, shown
from dpanet.formats.limits import check_size

_HEADER = re.compile(rb"P([2356])" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})" + rb"(?:#[^\r\n]*[\r\n]|\s)")
"""Kind, width, height and largest value; comments may stand between them."""

_LONGEST_HEADER = 2**16
_STRIP = 256
"""Rows that are converted at once."""


@dataclass(frozen=True)
class _Start:
    """What the header says."""

    text: bool
    channels: int
    width: int
    height: int
    largest: int
    """Value of white."""
    at: int
    """Bytes before the values."""
    comments: tuple[bytes, ...]
    """Of its header."""

    @property
    def kind(self) -> str:
        return ">u2" if self.largest > 255 else "u1"


def decode_pgm(path: Path) -> DecodedImage:
    """Decode a PGM or PPM; values whose white is not 255 or 65535 are scaled to 8 or 16 bits.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is damaged or cut.
    """
    start, codes = _read(path)
    comments = make_comments(start.comments)
    if start.largest in (255, 65535):
        return DecodedImage(path, codes, png=comments)
    return DecodedImage(path, _scale(codes, start.largest), png=comments, largest=start.largest)


def read_pgm_header(path: Path) -> Header:
    """Return the size, depth and channels of a PGM or PPM.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: as `decode_pgm`, for what its header and its length show.
    """
    start = _read_start(path)
    size = start.width * start.height * start.channels * np.dtype(start.kind).itemsize
    if not start.text and path.stat().st_size < start.at + size:
        raise _truncated(path)
    return Header(start.width, start.height, 8 if start.largest < 256 else 16, start.channels)


def _read_start(path: Path) -> _Start:
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    found = _HEADER.match(head)
    if found is None:
        raise UnreadableImageError(f"{shown(path)} is a PGM or PPM without a whole header; export it again")
    kind, width, height, largest = map(int, found.groups())
    if not 1 <= largest <= 65535:
        raise UnreadableImageError(
            f"{shown(path)} has the largest value {largest}; a PGM or PPM has 1 to 65535, so export it again"
        )
    check_size(path, width, height)
    comments = tuple(re.findall(rb"#([^\r\n]*)", found[0]))
    return _Start(kind < 5, 3 if kind in (3, 6) else 1, width, height, largest, found.end(), comments)


def _read(path: Path) -> tuple[_Start, Codes]:
    start = _read_start(path)
    count = start.width * start.height * start.channels
    codes = (
        _read_text(path, start, count)
        if start.text
        else np.fromfile(path, start.kind, count, offset=start.at)
    )
    if len(codes) < count:
        raise _truncated(path)
    if start.largest not in (255, 65535) and codes.max() > start.largest:
        raise UnreadableImageError(
            f"{shown(path)} contains values above {start.largest}, the largest of its header; export it again"
        )
    if not start.text:
        _warn_of_rest(path, start.at + codes.nbytes)
    codes = codes.astype(codes.dtype.newbyteorder("="), copy=False)
    shape = (start.height, start.width) if start.channels == 1 else (start.height, start.width, 3)
    return start, codes.reshape(shape)


def _read_text(path: Path, start: _Start, count: int) -> Codes:
    body = re.sub(rb"#[^\r\n]*", b"", path.read_bytes()[start.at :])
    words = body.split(maxsplit=count)[:count]
    try:
        values = np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError):
        values = np.array([-1])
    if len(values) and not 0 <= values.min() <= values.max() <= start.largest:
        raise UnreadableImageError(
            f"{shown(path)} contains something else than numbers from 0 to {start.largest}; export it again"
        )
    return values.astype(np.uint16 if start.largest > 255 else np.uint8)


def _scale(codes: Codes, largest: int) -> Codes:
    """Convert value / largest to the codes of 8 or 16 bits."""
    white = np.iinfo(codes.dtype).max
    table = np.rint(np.arange(largest + 1) * (float(white) / largest)).astype(codes.dtype)
    scaled = np.empty_like(codes)
    for top in range(0, len(codes), _STRIP):
        scaled[top : top + _STRIP] = table[codes[top : top + _STRIP]]
    return scaled


def _warn_of_rest(path: Path, end: int) -> None:
    with path.open("rb") as file:
        file.seek(end)
        if re.match(rb"\s*P[1-7]\s", file.read(64)):
            warn(f"{shown(path)} contains more than one picture; the first is read")


def _truncated(path: Path) -> UnreadableImageError:
    return UnreadableImageError(f"{shown(path)} is a truncated PGM or PPM; export or copy it again")
