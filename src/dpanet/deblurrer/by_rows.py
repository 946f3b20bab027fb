"""A picture of any size, deblurred while it is written: of the views and of the picture, some rows are in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.carried_metadata import carry_metadata
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.deblurrer.loop import deblur_strips
from dpanet.formats.row_stream import RowStream, Strips
from dpanet.images.pixel_rows import PairRows, PictureRows
from dpanet.pair import DualPixelPair, Encoding, Picture, check_encoding

_PIECE = 64
"""Rows that are handed on at once; what the reader of the picture does not take yet, it copies."""

Result = tuple[Picture | PictureRows, NDArray[np.float32] | None]
"""A picture, and its defocus map if it is wanted."""


def deblur_by_rows(
    deblurrer: Deblurrer,
    pair: DualPixelPair | PairRows,
    output_encoding: Encoding | None = None,
    *,
    defocus: bool = False,
) -> Result:
    """Deblur a pair as `Deblurrer` does; that of `open_pair` while the picture is written.

    Args:
        deblurrer: with its options.
        pair: in memory, or opened by rows.
        output_encoding: of the picture, if not the pair's own.
        defocus: also return the defocus map.

    Returns:
        the picture, whose rows the network computes when they are sliced; the map, in memory, which is complete after
        all rows of the picture were read, or None. Of a pair in memory, both are complete.

    Raises:
        ConfigError: as of a `Deblurrer`.
        UnreadableImageError: when rows are sliced, if a file has become damaged meanwhile.
    """
    if deblurrer.lens is not None and not isinstance(pair, DualPixelPair):
        rows = slice(0, pair.left.shape[0]), slice(0, pair.left.shape[1])
        pair = DualPixelPair(pair.left[rows], pair.right[rows], pair.encoding, pair.metadata)
    if isinstance(pair, DualPixelPair):
        return (
            deblurrer.with_defocus_map(pair, output_encoding=output_encoding)
            if defocus
            else (deblurrer(pair, output_encoding=output_encoding), None)
        )
    if defocus or deblurrer.control.needs_defocus_map:
        deblurrer.check_defocus_map()
    encoding = output_encoding or pair.encoding
    check_encoding(encoding)
    metadata = carry_metadata(pair, encoding)
    shape = pair.left.shape
    radius = np.empty(shape[:2], np.float32) if defocus else None
    strips = deblur_strips(
        deblurrer.engine,
        pair,
        tile=deblurrer.tile,
        scale=deblurrer.scale,
        mirrors=deblurrer.mirrors,
        encoding=encoding,
        control=deblurrer.control,
        defocus=defocus,
        progress=deblurrer.progress,
    )

    def run() -> Strips:
        top = 0
        for rows, radius_rows in strips:
            if radius is not None:
                radius[top : top + len(rows)] = radius_rows
            top += len(rows)
            for first in range(0, len(rows), _PIECE):
                yield rows[first : first + _PIECE]
            del rows, radius_rows  # the next ones need the memory

    return PictureRows(RowStream(shape, np.float32, run), encoding, metadata), radius
