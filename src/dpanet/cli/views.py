"""A function that reads two views, from the options about their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dpanet.cli.failure import UsageError

if TYPE_CHECKING:
    from dpanet.pair import DualPixelPair, Encoding

Reader = Callable[[Path, Path], "DualPixelPair"]
"""Reads the file of the left view and that of the right view."""


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
        encoding: of other views; ``srgb`` by default.
        black_level: code of no light in raw views of an unnamed camera.
        white_level: code of white in these.
        flat_field: files of two raw pictures of a white sheet, left and right.

    Raises:
        UsageError: if the options do not go together.
    """
    levels = (black_level, white_level)
    raw = camera is not None or levels != (None, None)
    if camera is not None and (encoding is not None or levels != (None, None)):
        raise UsageError(
            f"--camera {camera} already says how its files are encoded; leave out --encoding, --black-level "
            "and --white-level"
        )
    if raw and encoding == "srgb":
        raise UsageError(
            "--black-level and --white-level are for raw, linear views; leave out --encoding srgb"
        )
    if flat_field is not None and not raw:
        raise UsageError("--flat-field is for raw views; add --camera, or --black-level and --white-level")

    if not raw:
        from dpanet.images.reading import read_pair

        return lambda left, right: read_pair(left, right, encoding)

    from dpanet.images.raw import PIXEL4
    from dpanet.images.raw_pair import RawLayout, read_flat_field, read_raw_pair

    layout: RawLayout
    if camera is not None:
        layout = {"pixel4": PIXEL4}[camera]
    elif black_level is None or white_level is None:
        raise UsageError("--black-level and --white-level belong together; give both")
    elif not 0 <= black_level < white_level:
        raise UsageError(
            f"--black-level is {black_level} and --white-level {white_level}; "
            "black is 0 or more, and white above it"
        )
    else:
        layout = (black_level, white_level)
    field = None if flat_field is None else read_flat_field(*flat_field, layout)
    return lambda left, right: read_raw_pair(left, right, layout, field)
