"""Check metadata of a file before it is carried over: what is broken is dropped with a warning."""

from __future__ import annotations

import warnings
from pathlib import Path

from dpanet.containers.exif import check_exif, parse_exif
from dpanet.containers.tiff_structure import BrokenStructureError
from dpanet.errors import ImageWarning, shown

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296

_CM = 2.54
"""Of an inch."""


def sound_exif(data: bytes | None, path: Path) -> bytes | None:
    """Return the EXIF data that can be carried over, without the prefix of JPEG; warn where that is not all."""
    if not data:
        return None
    checked = check_exif(data, path)
    if checked is None:
        warn(f"{shown(path)} has damaged EXIF; it is not carried over")
    return checked or None


def sound_xmp(data: bytes | None, path: Path) -> bytes | None:
    """Return an XMP packet if it is text in UTF-8; else warn."""
    text = (data or b"").rstrip(b"\0")  # as some writers end it
    if not text:
        return None
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        sound = False
    else:
        sound = b"\0" not in text  # else it is UTF-16 or UTF-32
    if not sound:
        warn(f"{shown(path)} has damaged XMP; it is not carried over")
    return text if sound else None


def exif_resolution(exif: bytes | None) -> tuple[float, float] | None:
    """Return the resolution that EXIF data states, in px an inch."""
    if not exif:
        return None
    try:
        parsed = parse_exif(exif)
    except BrokenStructureError:
        return None
    x, y = parsed.numbers(_X_RESOLUTION), parsed.numbers(_Y_RESOLUTION)
    unit = (parsed.numbers(_UNIT) or (2,))[0]
    if len(x) != 2 or len(y) != 2 or unit not in (2, 3) or not all((*x, *y)):
        return None
    scale = _CM if unit == 3 else 1.0
    return scale * x[0] / x[1], scale * y[0] / y[1]


def warn(sentence: str) -> None:
    """Warn of something in a file that is not used, or not as stated."""
    warnings.warn(sentence, ImageWarning, stacklevel=3)
