"""What travels along the road: a pair of views goes in, a picture comes out."""

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
"""``linear``: proportional to light. ``srgb``: encoded for the eye (IEC 61966-2-1)."""

ENCODINGS = ("linear", "srgb")

SMALLEST_SIDE = 16
"""Pixels; a picture narrower or lower than this is refused."""


def _check_pixels(pixels: Pixels, name: str) -> None:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.float32:
        raise PairError(
            f"{name} has shape {pixels.shape} and type {pixels.dtype}; expected height x width x 3 in float32, "
            "so convert it first (a grey picture has its channel repeated)"
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
    """Raises: PairError for a word that is none of `ENCODINGS`."""
    if encoding not in ENCODINGS:
        raise PairError(
            f"the encoding is {encoding!r}; it must be one of {', '.join(ENCODINGS)}, in lower case"
        )


@dataclass(frozen=True)
class Picture:
    """One picture. `pixels` is H x W x 3, RGB, float32, 1.0 = white; `metadata` is carried along.

    Metadata keys used here: ``bits`` (8, 16, or 32 for float files), ``gray``, ``camera``, ``icc`` and ``exif``.
    """

    pixels: Pixels
    encoding: Encoding = "srgb"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        _check_pixels(self.pixels, "the picture")


@dataclass(frozen=True)
class DualPixelPair:
    """Left and right view of one exposure: same size, H x W x 3, RGB, float32, 1.0 = white.

    Raises: PairError if the views differ in size, are under 16 px a side, or hold NaN or infinity.
    """

    left: Pixels
    right: Pixels
    encoding: Encoding = "srgb"
    metadata: Mapping[str, Any] = field(default_factory=dict)

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
        """The ordinary photograph: (left + right) / 2, in the pair's own encoding."""
        return Picture((self.left + self.right) * np.float32(0.5), self.encoding, self.metadata)
