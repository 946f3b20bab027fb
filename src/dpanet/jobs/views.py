"""A function that reads two views, from the options about their files."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dpanet.terminal.failure import UsageError

if TYPE_CHECKING:
    from dpanet.images.pixel_rows import PairRows
    from dpanet.pair import DualPixelPair, Encoding

RAW_FILES = ("canon", "canon-right")
"""Values of the option ``--camera`` for one raw file with both views; the others are for two files."""

Pair = TypeVar("Pair")

Reader = Callable[[Path, Path], "DualPixelPair"]
"""Reads the file of the left view and that of the right view."""

RowReader = Callable[[Path, Path], "DualPixelPair | PairRows"]
"""Likewise, or opens them to be read by rows."""

RawReader = Callable[[Path], "DualPixelPair"]
"""Reads a raw file with both views."""


def build_reader(
    camera: str | None,
    encoding: Encoding | None,
    black_level: int | None,
    white_level: int | None,
    flat_field: tuple[Path, Path] | None,
) -> Reader:
    """Return a function that reads the file of the left and of the right view as these options say.

    Args:
        camera: name of the camera whose raw files the views are.
        encoding: of other views; by default what the files state, else ``srgb``.
        black_level: code of no light in raw views of an unnamed camera, or of the Pixel capture app.
        white_level: code of white in these.
        flat_field: files of two raw pictures of a white sheet, left and right.

    Raises:
        UsageError: if the options do not go together.
    """
    levels = _parse_levels(black_level, white_level)
    _check_options(camera, encoding, levels, flat_field)
    from dpanet.images.raw_pair import RawLayout, read_flat_field, read_raw_pair

    layout: RawLayout
    if camera == "pixel-app":
        from dpanet.images.pixel_app import read_pixel_app_pair
        from dpanet.images.raw import PIXEL_APP

        field = None if flat_field is None else read_flat_field(*flat_field, PIXEL_APP)
        return lambda left, right: read_pixel_app_pair(left, right, levels, field)
    if camera == "pixel4":
        from dpanet.images.raw import PIXEL4

        layout = PIXEL4
    elif levels is not None:
        layout = levels
    elif encoding is not None:
        from dpanet.images.reading import read_pair

        return lambda left, right: read_pair(left, right, encoding)
    else:
        from dpanet.images.reading import read_pair

        return lambda left, right: _read_recognized(left, right, read_pair)
    field = None if flat_field is None else read_flat_field(*flat_field, layout)
    return lambda left, right: read_raw_pair(left, right, layout, field)


def build_row_reader(
    camera: str | None,
    encoding: Encoding | None,
    black_level: int | None,
    white_level: int | None,
    flat_field: tuple[Path, Path] | None,
    output_encoding: Encoding | None = None,
) -> RowReader:
    """Return a function as of `build_reader` that opens views which are not raw to be read by rows.

    What it says of the picture goes by `output_encoding`, None for that of the views.
    """
    options = (black_level, white_level, flat_field)
    if camera is not None or any(option is not None for option in options):
        read = build_reader(camera, encoding, *options)
        return say_what_is_written(read, output_encoding) if camera == "pixel4" else read
    from dpanet.images.reading import open_pair

    if encoding is not None:
        return lambda left, right: open_pair(left, right, encoding)
    return lambda left, right: _read_recognized(left, right, open_pair)


def say_what_is_written(read: Reader, output_encoding: Encoding | None) -> Reader:
    """Return a function that also says, for the first pair, that the picture of a Pixel 4 is smaller."""
    from dpanet.errors import ImageWarning
    from dpanet.images.raw import PIXEL4

    def read_and_say(left: Path, right: Path) -> DualPixelPair:
        pair = read(left, right)
        height, width = pair.left.shape[:2]
        sentence = (
            f"of the Pixel 4's {PIXEL4.size[1]} x {PIXEL4.size[0]} px only the central field is written, {width} x "
            f"{height} px"
        )
        if output_encoding != "srgb":
            sentence += "; it is linear, --output-encoding srgb gives a picture to look at"
        warnings.warn(ImageWarning(sentence, "central field"), stacklevel=2)
        return pair

    return read_and_say


def build_raw_reader(
    camera: str | None,
    encoding: Encoding | None,
    black_level: int | None,
    white_level: int | None,
    flat_field: tuple[Path, Path] | None,
) -> RawReader:
    """Return a function that reads a raw file with both views; the arguments are those of `build_reader`.

    Raises:
        UsageError: if an option is given that is for two views.
    """
    options = {
        "--encoding": encoding,
        "--black-level": black_level,
        "--white-level": white_level,
        "--flat-field": flat_field,
    }
    present = [name for name, value in options.items() if value is not None]
    if camera not in (None, *RAW_FILES):
        present.insert(0, f"--camera {camera}")
    if present:
        raise UsageError(
            f"a raw file states its levels and colors itself; leave out {' and '.join(present)}, which "
            "is for two views"
        )

    def read(path: Path) -> DualPixelPair:
        from dpanet.camera_raw.reading import read_raw_file

        pair = read_raw_file(path, camera)
        _warn_if_swapped(path, pair, camera)
        return pair

    return read


def _warn_if_swapped(path: Path, pair: DualPixelPair, camera: str | None) -> None:
    """Say if the second frame seems to be the other half of the sensor than is believed."""
    from dpanet.errors import ImageWarning, shown
    from dpanet.inspection.measure import estimate_order

    if estimate_order(pair).state != "swapped":
        return
    remedy = "leave out --camera canon-right" if camera == "canon-right" else "add --camera canon-right"
    warnings.warn(
        f"{shown(path)} has views that look swapped: what is blurred would lie in front of what is in focus, which "
        f"is rare; if it lies behind in the scene, {remedy}",
        ImageWarning,
        stacklevel=3,
    )


def _read_recognized(left: Path, right: Path, read: Callable[[Path, Path], Pair]) -> Pair | DualPixelPair:
    """Read two views without options: those of the Pixel capture app are recognized, others are read by `read`."""
    from dpanet.images.pixel_app import is_pixel_app_view, read_pixel_app_pair

    if not (is_pixel_app_view(left) and is_pixel_app_view(right)):
        return read(left, right)
    from dpanet.errors import ImageWarning, shown

    pair = read_pixel_app_pair(left, right)
    height, width = pair.left.shape[:2]
    warnings.warn(
        f"{shown(left)} and {shown(right)} are taken for views of the Pixel capture app (--camera pixel-app), as "
        f"they are {width} x {height // 2} px, 16-bit gray; the picture will be {width} x {height} px and linear",
        ImageWarning,
        stacklevel=2,
    )
    return pair


def _parse_levels(black: int | None, white: int | None) -> tuple[int, int] | None:
    if black is None and white is None:
        return None
    if black is None or white is None:
        raise UsageError("--black-level and --white-level belong together; give both")
    if not 0 <= black < white:
        raise UsageError(
            f"--black-level is {black} and --white-level {white}; black is 0 or more, and white above it"
        )
    return black, white


def _check_options(
    camera: str | None,
    encoding: Encoding | None,
    levels: tuple[int, int] | None,
    flat_field: tuple[Path, Path] | None,
) -> None:
    """Raise UsageError unless the options of two views go together."""
    if camera in RAW_FILES:
        raise UsageError(f"--camera {camera} is for one raw file with both views; give that file alone")
    if camera is not None and (encoding is not None or (levels is not None and camera != "pixel-app")):
        also = "" if camera == "pixel-app" else ", --black-level and --white-level"
        raise UsageError(
            f"--camera {camera} already says how its files are encoded; leave out --encoding{also}"
        )
    if levels is not None and encoding == "srgb":
        raise UsageError(
            "--black-level and --white-level are for raw, linear views; leave out --encoding srgb"
        )
    if flat_field is not None and camera is None and levels is None:
        raise UsageError("--flat-field is for raw views; add --camera, or --black-level and --white-level")
