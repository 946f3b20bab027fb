"""Views whose rows are read and converted when they are needed, so that no full-size copy is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dpanet.containers.decoded_image import CodeRows, Codes
from dpanet.formats.row_stream import RowStream
from dpanet.images.encoding import dequantize
from dpanet.pair import Encoding, Picture, Pixels


class Rows(Protocol):
    """A picture that is sliced by rows and columns, from the top down: an array, or `PixelRows`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""

    def __getitem__(self, place: tuple[slice, slice], /) -> Pixels:
        """Return a part of the picture, (rows, columns, 3), float32."""


@dataclass(frozen=True)
class PixelRows:
    """The codes of a view, converted to pixels where it is sliced."""

    codes: CodeRows
    """H x W (gray) or H x W x 3 (RGB), as in the file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""
        return *self.codes.shape[:2], 3

    def __getitem__(self, place: tuple[slice, slice], /) -> Pixels:
        rows, columns = place
        return to_float(self.codes[rows][:, columns])


@dataclass(frozen=True)
class PairRows:
    """The two views of one exposure, as `DualPixelPair`, but read by rows."""

    left: PixelRows
    right: PixelRows
    encoding: Encoding = "srgb"
    """Of both views."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Of the left file; see `Picture.metadata`."""


@dataclass(frozen=True)
class PictureRows:
    """A picture as `Picture`, but computed by rows; it can be written once."""

    pixels: RowStream
    """(H, W, 3), RGB, float32; 1.0 is white."""
    encoding: Encoding
    """Of the pixels."""
    metadata: Mapping[str, Any]
    """As of `Picture`."""

    def read(self) -> Picture:
        """Compute all rows; return the picture in memory."""
        strips = [*self.pixels.run()]
        pixels = strips[0] if len(strips) == 1 else np.concatenate(strips)
        return Picture(pixels, self.encoding, self.metadata)


def to_float(codes: Codes) -> Pixels:
    """Convert codes to pixels, H x W x 3, float32, 1.0 = white; floats above white stay above 1.0.

    What lies beyond float32 becomes infinite; gray is repeated in three channels.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = codes.astype(np.float32) if codes.dtype.kind == "f" else dequantize(codes)
    return np.repeat(values[..., None], 3, axis=-1) if values.ndim == 2 else values
