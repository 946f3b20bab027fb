"""Read the raw file of a dual-pixel camera as a developed pair."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.camera_raw.camera_exif import read_black_levels, read_exif
from dpanet.camera_raw.cameras import SIDE_OF_SECOND_FRAME, Side, second_frame
from dpanet.camera_raw.clipping import find_full_code
from dpanet.camera_raw.development import develop_view, white_balance
from dpanet.camera_raw.frames import OpenFile, open_raw_file
from dpanet.camera_raw.views import (
    RawFrames,
    SplitViews,
    check_frames,
    keep_weights,
    share_of_light,
    split_equal,
    split_views,
)
from dpanet.containers.exif import camera
from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import ImageWarning, PairError, UnreadableImageError, shown
from dpanet.pair import DualPixelPair


def read_raw_file(path: str | os.PathLike[str], stated: str | None = None) -> DualPixelPair:
    """Read a raw file with the two frames of a dual-pixel sensor, and develop both views alike.

    Args:
        path: of a Canon Dual Pixel RAW (CR2, CR3), or of a DNG with its two frames.
        stated: a key of `STATED`, which says what the frames are whatever the maker; None to believe the file.

    Returns:
        The pair, encoded as sRGB with the camera's white balance. Not turned: the EXIF states the orientation. Where
        the first frame is clipped, both views are the ordinary picture. Metadata: ``bits`` 16, ``gray`` False,
        ``camera`` (maker and model), ``exif``, and where pixels are clipped ``keep``: H x W, float32, the weight
        with which the ordinary picture, the mean of both views, stays.

    Raises:
        UnreadableImageError: if it is missing, damaged or no raw file, or of a sensor that is not developed.
        PairError: if it has one frame, its maker is unknown, or the frames are not those of a dual-pixel sensor.
    """
    path = Path(path)
    _check_readable(path)
    file = open_raw_file(path)
    try:
        exif = read_exif(path, file.flip)
        make, model = camera(exif)
        name = shown(model if model.lower().startswith(make.lower()) else f"{make} {model}".strip())
        side = _side(path, file, second_frame(make, stated), name)
        gains = white_balance(file)
        split, equal = _split(path, file, gains)
        if equal:
            side = "left"
        pixels = [develop_view(file, mosaic, split.white, gains) for mosaic in (split.side, split.other)]
    finally:
        file.first.close()
    metadata: dict[str, Any] = {"bits": 16, "gray": False, "camera": name or "unknown camera", "exif": exif}
    if split.clipped.any():
        metadata["keep"] = keep_weights(split.clipped)
        whole = metadata["keep"] == 1
        for view in pixels:  # the ordinary picture has no light above white
            np.minimum(view, 1, out=view, where=whole[..., None])
        share = float(whole.mean())
        warnings.warn(
            f"{shown(path)} is clipped to white in {_percent(share)} of its pixels; the views cannot be separated "
            "there, so these stay as they were",
            ImageWarning,
            stacklevel=2,
        )
    left, right = pixels if side == "left" else pixels[::-1]
    return DualPixelPair(
        left, right, "srgb", {key: value for key, value in metadata.items() if value is not None}
    )


def _check_readable(path: Path) -> None:
    """Raise, in one sentence, for what is no raw file."""
    if is_raw_file(path):
        return
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise UnreadableImageError(f"{shown(path)} does not exist; check the name") from error
    except IsADirectoryError as error:
        raise UnreadableImageError(f"{shown(path)} is a folder; name a raw file in it") from error
    except OSError as error:
        raise UnreadableImageError(
            f"{shown(path)} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if empty:
        raise UnreadableImageError(f"{shown(path)} is empty; copy it again from the camera")
    raise UnreadableImageError(
        f"{shown(path)} cannot be read as a raw file of a camera, whatever its name says; give the file that the "
        "camera wrote, or the left and the right view as two pictures"
    )


def _side(path: Path, file: OpenFile, known: Side | None, name: str) -> Side:
    """Return the half that the second frame is.

    Raises:
        PairError: if there is no second frame, or the maker is unknown.
    """
    makers = ", ".join(maker.capitalize() for maker in SIDE_OF_SECOND_FRAME)
    if len(file.frames) == 1:
        if known:
            raise PairError(
                f"{shown(path)} has one frame, so {name} took it with Dual Pixel RAW off; deblurring "
                "needs both halves of the sensor, so switch Dual Pixel RAW on in the camera's menu"
            )
        raise PairError(
            f"{shown(path)} has one frame ({name or 'unknown camera'}); deblurring needs both halves of the "
            f"sensor, as {makers} cameras write them with Dual Pixel RAW on"
        )
    if known is None:
        raise PairError(
            f"{shown(path)} has two frames, but is of {name or 'an unknown camera'}; only those of {makers} are "
            "known, so if its frames are like Canon's (both halves, then one), add --camera canon"
        )
    return known


def _split(path: Path, file: OpenFile, gains: NDArray[np.float64]) -> tuple[SplitViews, bool]:
    """Split the frames; also return whether they are the two views themselves, the left one first."""
    both, side = file.frames
    try:
        check_frames(both.codes, side.codes)
    except PairError as error:
        raise PairError(f"{shown(path)}: {error}") from error
    black_both, black_side = read_black_levels(path) or (both.black, side.black)
    full = find_full_code(both.codes, side.codes, float(black_both.min()), both.white)
    white, clip = (both.white, both.clip) if full is None else (full, min(both.clip, full))
    frames = RawFrames(both.codes, side.codes, black_both, black_side, white, clip, gains[file.channels])
    if black_both.max() == 0 and not _is_dng(path):
        warnings.warn(
            f"{shown(path)} has no black level that LibRaw can find; its dark parts come out too bright",
            ImageWarning,
            stacklevel=3,
        )
    try:
        if _is_dng(path) and 0.8 < share_of_light(frames) < 1.25:
            views = split_equal(frames)
            warnings.warn(
                f"{shown(path)} has two frames of equal light; they are taken as the left and the right view, so "
                "check with dpanet inspect that the views are not swapped",
                ImageWarning,
                stacklevel=3,
            )
            return views, True
        return split_views(frames), False
    except PairError as error:
        raise PairError(f"{shown(path)}: {error}") from error


def _is_dng(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return head[:2] in (b"II", b"MM") and head[8:10] != b"CR"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "less than 0.1 %"
