"""The two types that every part of the package shares: a pair of views, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError

Pixels = NDArray[np.float32]
"""H x W x 3, RGB, float32; 1.0 is white."""

Encoding = Literal["linear", "srgb"]
"""``linear``: proportional to light. ``srgb``: display-encoded (IEC 61966-2-1)."""

ENCODINGS = ("linear", "srgb")
"""All encodings."""

SMALLEST_SIDE = 16
"""Pixels; a picture narrower or lower than this raises PairError."""


def _check_pixels(pixels: Pixels, name: str) -> None:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.float32:
        raise PairError(
            f"{name} has shape {pixels.shape} and type {pixels.dtype}; expected height x width x 3 in float32, "
            "so convert it first (repeat the channel of a gray picture)"
        )
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        raise PairError(
            f"{name} is {pixels.shape[1]} x {pixels.shape[0]} px; at least {SMALLEST_SIDE} px a side are needed, "
            "so give a larger picture"
        )
    if not np.isfinite(pixels).all():
        raise PairError(
            f"{name} contains NaN or infinity; every pixel must be a finite number, so repair the file"
        )


def check_encoding(encoding: str) -> None:
    """Raise PairError unless `encoding` is one of `ENCODINGS`."""
    if encoding not in ENCODINGS:
        raise PairError(
            f"the encoding is {encoding!r}; it must be one of {', '.join(ENCODINGS)}, in lower case"
        )


@dataclass(frozen=True)
class Picture:
    """One picture.

    Raises:
        PairError: if a side is under 16 px, or a pixel is NaN or infinite.

    >>> import numpy as np
    >>> from dpanet import Picture
    >>> Picture(np.zeros((16, 24, 3), np.float32)).encoding
    'srgb'
    """

    pixels: Pixels
    """H x W x 3, RGB, float32; 1.0 is white."""
    encoding: Encoding = "srgb"
    """Of the pixels."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Of the file, each key only where the file has it.

    =============== ================================================================================================
    ``bits``        8, 16, or 32 for floats
    ``gray``        whether the file has one channel of color
    ``alpha``       H x W, codes of the file's type (largest code or 1.0 opaque); colors are not multiplied by it
    ``icc``         ICC profile, bytes
    ``exif``        EXIF data, bytes: the bare TIFF structure
    ``xmp``         XMP packet, bytes: XML in UTF-8
    ``iptc``        IPTC records, bytes: the bare IIM data
    ``resolution``  (horizontal, vertical) in px an inch
    ``png``         ((name, data), ...): chunks gAMA, cHRM, sRGB, sBIT, cICP of a PNG
    ``camera``      name of the raw format, such as ``pixel4``
    ``keep``        H x W, of a camera raw: weight 0..1 (float), or mask, with which the combined view stays in a
                    deblurred picture, which has no such key
    =============== ================================================================================================
    """

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        _check_pixels(self.pixels, "the picture")


@dataclass(frozen=True)
class DualPixelPair:
    """The left and the right view of one exposure.

    Raises:
        PairError: if the views differ in size, are under 16 px a side, or contain NaN or infinity.

    >>> import numpy as np
    >>> from dpanet import DualPixelPair
    >>> dark, bright = np.zeros((16, 24, 3), np.float32), np.ones((16, 24, 3), np.float32)
    >>> DualPixelPair(dark, bright).encoding
    'srgb'
    """

    left: Pixels
    """H x W x 3, RGB, float32; 1.0 is white."""
    right: Pixels
    """The same size and encoding."""
    encoding: Encoding = "srgb"
    """Of both views."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Of the left file; see `Picture.metadata`."""

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        _check_pixels(self.left, "the left view")
        _check_pixels(self.right, "the right view")
        if self.left.shape != self.right.shape:
            (h, w), (p, q) = self.left.shape[:2], self.right.shape[:2]
            raise PairError(
                f"the left view is {w} x {h} px and the right view {q} x {p} px; both views of an exposure "
                "have one size, so give the two views of the same capture"
            )

    @property
    def combined(self) -> Picture:
        """The ordinary photograph, (left + right) / 2 in the pair's own encoding.

        >>> import numpy as np
        >>> from dpanet import DualPixelPair
        >>> dark, bright = np.zeros((16, 24, 3), np.float32), np.ones((16, 24, 3), np.float32)
        >>> float(DualPixelPair(dark, bright).combined.pixels.mean())
        0.5
        """
        return Picture((self.left + self.right) * np.float32(0.5), self.encoding, self.metadata)
