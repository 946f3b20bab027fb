"""Raw captures from files: two views of a sensor, and the white sheets that even them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.images.decoded import Codes
from dpanet.images.raw import RawFormat, develop, flat_field_ratio
from dpanet.images.reading import ImagePath, read_views
from dpanet.pair import DualPixelPair

RawLayout = RawFormat | tuple[int, int]
"""A known camera's format, or just (black level, white level) of views that are kept whole."""


def read_raw_pair(
    left: ImagePath, right: ImagePath, layout: RawLayout, flat_field: NDArray[np.float32] | None = None
) -> DualPixelPair:
    """The linear pair of two raw files, 0.0 at the black and 1.0 at the white level; see `develop`.

    Args:   flat_field: of `read_flat_field`.
    Raises: UnreadableImageError for a file; PairError naming the files if they are not such raw views.
    """
    one, other = read_views(left, right)
    try:
        pair = develop(one.codes, other.codes, _format(layout, one.codes), flat_field)
    except PairError as error:
        raise PairError(f"{left}, {right}: {error}") from error
    return replace(pair, metadata={**one.metadata, **pair.metadata, "gray": True})


def read_flat_field(left: ImagePath, right: ImagePath, layout: RawLayout) -> NDArray[np.float32]:
    """The flat field of two raw pictures of a white sheet, H x W, float32; see `flat_field_ratio`.

    Raises: UnreadableImageError for a file; PairError naming the files if they are not such raw views.
    """
    one, other = read_views(left, right)
    try:
        return flat_field_ratio(one.codes, other.codes, _format(layout, one.codes))
    except PairError as error:
        raise PairError(f"{left}, {right}: {error}") from error


def _format(layout: RawLayout, codes: Codes) -> RawFormat:
    if isinstance(layout, RawFormat):
        return layout
    return RawFormat("raw", (codes.shape[0], codes.shape[1]), *layout)
