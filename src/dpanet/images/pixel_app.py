"""Read the views that the Pixel capture app writes."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.decoded_image import Codes
from dpanet.errors import ImageWarning, PairError, UnreadableImageError, shown
from dpanet.images.header import read_header
from dpanet.images.raw import PIXEL_APP, RawFormat, develop, fits_steps
from dpanet.images.raw_pair import read_stored_views
from dpanet.images.reading import ImagePath, read_file
from dpanet.images.same_scene import warn_unless_views
from dpanet.pair import DualPixelPair

_DARKER = 8
"""Steps below the black level that noise in the dark explains."""


def is_pixel_app_view(path: ImagePath) -> bool:
    """Return whether a file is a view of the Pixel capture app: 2016 x 756 px, 16-bit gray.

    A PGM needs nothing else; a file of another format must also have its codes on the steps of the app. A file that
    cannot be read is none; its reader says why.
    """
    try:
        header = read_header(Path(path))
        if (header.height, header.width, header.bits, header.channels) != (*PIXEL_APP.size, 16, 1):
            return False
        with Path(path).open("rb") as file:
            if file.read(2) == b"P5":
                return True
        return fits_steps(read_file(path).codes, PIXEL_APP)
    except (UnreadableImageError, PairError, OSError):
        return False


def read_pixel_app_pair(
    left: ImagePath,
    right: ImagePath,
    levels: tuple[int, int] | None = None,
    flat_field: NDArray[np.float32] | None = None,
) -> DualPixelPair:
    """Read two views of the Pixel capture app, of any size, as a linear pair of twice as many rows.

    Args:
        left: file of the left view, 16-bit, one channel.
        right: file of the right view.
        levels: codes of no light and of white, if not those of `PIXEL_APP`.
        flat_field: H x W as recorded, float32, from `read_flat_field`; None for no correction.

    Returns:
        The pair, 0.0 at the black and 1.0 at the white level; its metadata are those of the left file. A warning
        says if the codes do not look like those of the app.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they are not 16-bit gray views of one size.
    """
    left_image, right_image = read_stored_views(left, right)
    layout = PIXEL_APP
    if levels is not None:
        layout = replace(layout, black_level=levels[0], white_level=levels[1])
    try:
        pair = develop(left_image.codes, right_image.codes, layout, flat_field)
    except PairError as error:
        raise PairError(f"{shown(left)}, {shown(right)}: {error}") from error
    warn_unless_views(left_image, right_image)
    for view in (left_image, right_image):
        _check_levels(view.path, view.codes, layout)
    return replace(pair, metadata={**left_image.metadata, **pair.metadata, "gray": True})


def _check_levels(path: Path, codes: Codes, format: RawFormat) -> None:
    """Warn of codes that do not look like those of the app."""
    if not fits_steps(codes, format):
        warnings.warn(
            f"{shown(path)} has codes between the steps of the Pixel capture app, so it was changed since; black "
            f"level {format.black_level} and white level {format.white_level} are used all the same",
            ImageWarning,
            stacklevel=3,
        )
    darkest = int(np.quantile(codes, 0.001))
    if darkest < format.black_level - _DARKER * format.steps[0]:
        warnings.warn(
            f"{shown(path)} has codes down to {darkest}, far below the black level of {format.black_level}; "
            "if it has another, state it with --black-level and --white-level",
            ImageWarning,
            stacklevel=3,
        )
