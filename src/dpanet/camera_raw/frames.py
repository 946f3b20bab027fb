"""Read the frames of a raw file with LibRaw."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpanet.camera_raw.library import libraw
from dpanet.camera_raw.views import Mosaic
from dpanet.errors import UnreadableImageError, shown
from dpanet.formats.limits import check_size

if TYPE_CHECKING:
    import rawpy

_MOST = 2
"""Frames of a dual-pixel file."""


@dataclass(frozen=True)
class SensorFrame:
    """One frame of a raw file, as recorded."""

    codes: Mosaic
    """The pixels that received light, without the masked border."""
    black: NDArray[np.float64]
    """2 x 2, code of no light at each place of the color pattern."""
    white: float
    """Code that is white in the ordinary picture."""
    clip: float
    """Largest code that still counts light; at most `white`."""


@dataclass(frozen=True)
class OpenFile:
    """A raw file with its frames; `first` develops mosaics as the camera's picture is developed."""

    path: str
    frames: tuple[SensorFrame, ...]
    """One, or two of one size."""
    first: rawpy.RawPy
    """The file, open at its first frame."""
    channels: NDArray[np.int64]
    """2 x 2, index of LibRaw's color at each place of the pattern: red, green, blue, second green."""
    flip: int
    """How LibRaw would turn the picture to be upright: 0, 3 (180 degrees), 5 (90 left) or 6 (90 right)."""


def open_raw_file(path: str | os.PathLike[str]) -> OpenFile:
    """Read the one or two frames of a raw file.

    Raises:
        UnreadableImageError: if it is missing, damaged, has more frames, or is not of a sensor with a 2 x 2 pattern
            of colors.
    """
    name = os.fsdecode(path)
    first = _open_frame(name, 0)
    if first is None:
        raise UnreadableImageError(f"{shown(name)} contains no raw frame; copy it again from the camera")
    channels = _channels(name, first)
    frames = [_read_frame(name, first, channels)]
    for index in range(1, _MOST + 1):
        frame = _open_frame(name, index)
        if frame is None:
            break
        if index == _MOST:
            raise UnreadableImageError(
                f"{shown(name)} has more than {_MOST} frames, like a burst or a shot with a shifted sensor; "
                "a dual-pixel file has two"
            )
        if not np.array_equal(_channels(name, frame), channels):
            raise UnreadableImageError(f"{shown(name)} has frames of different color patterns; copy it again")
        frames.append(_read_frame(name, frame, channels))
        frame.close()
    return OpenFile(name, tuple(frames), first, channels, int(first.sizes.flip))


def _open_frame(path: str, index: int) -> rawpy.RawPy | None:
    """Open a file and decode one of its frames; None if it has no frame of this index."""
    import rawpy

    raw = rawpy.RawPy()
    raw.set_unpack_params(shot_select=index)  # LibRaw chooses the frame while it opens the file
    with libraw(path):
        try:
            raw.open_file(path)
            check_size(path, raw.sizes.raw_width, raw.sizes.raw_height)
            raw.unpack()
        except rawpy.LibRawRequestForNonexistentImageError:
            raw.close()
            return None
    return raw


def _channels(path: str, raw: rawpy.RawPy) -> NDArray[np.int64]:
    """Return the color pattern.

    Raises:
        UnreadableImageError: if it is not 2 x 2 with red, green and blue.
    """
    with libraw(path):
        mosaic = raw.raw_type.name == "Flat" and raw.raw_image is not None
        pattern = raw.raw_pattern if mosaic else None
        colors = raw.num_colors
    if not mosaic:
        raise UnreadableImageError(
            f"{shown(path)} holds all colors at each pixel, so it is developed already or of another sensor; "
            "give the raw file of a camera with Dual Pixel RAW"
        )
    if colors == 1 or pattern is None:
        raise UnreadableImageError(
            f"{shown(path)} is of a monochrome sensor, and only patterns of red, green and blue are developed; "
            "export its two views as TIFF"
        )
    if pattern.shape != (2, 2) or colors != 3 or set(pattern.flat) not in ({0, 1, 2, 3}, {0, 1, 2}):
        rows, columns = pattern.shape
        raise UnreadableImageError(
            f"{shown(path)} has a color pattern of {columns} x {rows} px (X-Trans has 6 x 6), and only 2 x 2 "
            "patterns of red, green and blue are developed; export its two views as TIFF"
        )
    return np.asarray(pattern, np.int64)


def _read_frame(path: str, raw: rawpy.RawPy, channels: NDArray[np.int64]) -> SensorFrame:
    with libraw(path):
        codes = np.array(raw.raw_image_visible)
        levels = np.asarray(raw.black_level_per_channel, np.float64)
        white = float(raw.white_level)
        linear = [float(level) for level in raw.camera_white_level_per_channel or () if level]
    black = levels[channels]
    if not black.max() < white:
        raise UnreadableImageError(
            f"{shown(path)} states black level {black.max():g} and white level {white:g}; white lies above black, "
            "so the file is damaged"
        )
    linear = [level for level in linear if level > black.max()]
    return SensorFrame(codes, black, white, min([white, *linear]))
