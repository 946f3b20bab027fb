"""Read raw dual-pixel views and white sheets from files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.errors import PairError, shown
from dpanet.images.raw import RawFormat, develop, flat_field_ratio
from dpanet.images.reading import ImagePath, read_views
from dpanet.images.same_scene import warn_unless_views
from dpanet.pair import DualPixelPair

RawLayout = RawFormat | tuple[int, int]
"""The format of a camera, or (black level, white level) of views of any size that are not cropped."""


def read_raw_pair(
    left: ImagePath, right: ImagePath, layout: RawLayout, flat_field: NDArray[np.float32] | None = None
) -> DualPixelPair:
    """Read two raw views as a linear pair, 0.0 at the black and 1.0 at the white level.

    Args:
        left: file of the left view, 16-bit, one channel.
        right: file of the right view.
        layout: format of the views.
        flat_field: H x W, float32, from `read_flat_field`; None for no correction.

    Returns:
        The pair, as `develop` makes it; its metadata are those of the left file.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they are not raw views of this format.
    """
    left_image, right_image = read_stored_views(left, right)
    try:
        pair = develop(left_image.codes, right_image.codes, _format(layout, left_image.codes), flat_field)
    except PairError as error:
        raise PairError(f"{shown(left)}, {shown(right)}: {error}") from error
    warn_unless_views(left_image, right_image)
    return replace(pair, metadata={**left_image.metadata, **pair.metadata, "gray": True})


def read_flat_field(left: ImagePath, right: ImagePath, layout: RawLayout) -> NDArray[np.float32]:
    """Read two raw views of a white sheet and return their flat field.

    Args:
        left: file of the left view of the sheet.
        right: file of the right view.
        layout: format of the views.

    Returns:
        H x W, float32, no unit; see `flat_field_ratio`.

    Raises:
        UnreadableImageError: if a file cannot be read.
        PairError: naming both files, if they are not raw views of this format.
    """
    left_image, right_image = read_stored_views(left, right)
    try:
        return flat_field_ratio(left_image.codes, right_image.codes, _format(layout, left_image.codes))
    except PairError as error:
        raise PairError(f"{shown(left)}, {shown(right)}: {error}") from error


def read_stored_views(left: ImagePath, right: ImagePath) -> tuple[DecodedImage, DecodedImage]:
    """Read two views with the values that stand in the files; those of a PGM are otherwise scaled to its white."""
    first, second = read_views(left, right)
    return replace(first, codes=first.stored_codes), replace(second, codes=second.stored_codes)


def _format(layout: RawLayout, codes: Codes) -> RawFormat:
    """Return the format of a layout; one of levels alone takes the size of the codes."""
    if isinstance(layout, RawFormat):
        return layout
    return RawFormat("raw", (codes.shape[0], codes.shape[1]), *layout)
