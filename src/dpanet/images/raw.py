"""Raw dual-pixel views: the codes of a sensor become a pair of linear views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError
from dpanet.pair import DualPixelPair

FLAT_FIELD_WINDOW = 101
"""Pixels; side of the square over which the white sheets are averaged."""


@dataclass(frozen=True)
class RawFormat:
    """How one camera lays out its raw views.

    name:         as the command line says it.
    size:         (height, width) of a whole view in px.
    black_level:  code of no light.
    white_level:  code that becomes 1.0; it fixes the scale, and codes need not reach it.
    field:        (top, bottom, left, right) in px, bottom and right excluded: the central part that is
                  kept after the flat-field correction; None keeps the whole view.
    """

    name: str
    size: tuple[int, int]
    black_level: int
    white_level: int
    field: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.black_level < self.white_level:
            raise ConfigError(
                f"format {self.name} has black level {self.black_level} and white level {self.white_level}; "
                "white must lie above black and black at 0 or above, so correct the two"
            )
        height, width = self.size
        top, bottom, left, right = self.field or (0, height, 0, width)
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ConfigError(
                f"format {self.name} keeps rows {top}..{bottom} and columns {left}..{right} "
                f"of {height} x {width}; the field must lie inside the view, so correct it"
            )


PIXEL4 = RawFormat(
    name="pixel4",
    size=(1512, 2016),
    black_level=1024,
    white_level=1024 + 16383,  # the data set divides by the largest 14-bit code, with the black level off
    field=(252, 1260, 336, 1680),
)
"""Google Pixel 4, green channel, 14 bits in 16, as Xin et al. (ICCV 2021) publish their captures."""


def _light(codes: NDArray[Any], format: RawFormat, name: str) -> NDArray[np.float32]:
    """Remove the black level: height x width codes to float32, 0.0 = no light, 1.0 = white level."""
    if codes.dtype != np.uint16:
        raise PairError(
            f"{name} has type {codes.dtype}; raw codes of {format.name} are uint16, "
            "so read the 16-bit file unchanged"
        )
    if codes.shape != format.size:
        height, width = format.size
        raise PairError(
            f"{name} has shape {codes.shape}; {format.name} expects {height} rows x {width} columns "
            "of one channel, so give the uncropped raw view"
        )
    light: NDArray[np.float32] = codes.astype(np.float32) - np.float32(format.black_level)
    light = np.maximum(light, np.float32(0))
    return light / np.float32(format.white_level - format.black_level)


def flat_field_ratio(
    white_left: NDArray[np.uint16], white_right: NDArray[np.uint16], format: RawFormat = PIXEL4
) -> NDArray[np.float32]:
    """How much more light the left half of the lens passes than the right one, at each pixel.

    Args:    white_left, white_right: raw codes of an evenly lit white sheet, uint16, the format's size.
    Returns: height x width, float32: the mean of the left sheet over 101 x 101 px, edges replicated,
             divided by that of the right one, the black level removed from both. The right view is to be
             multiplied by it; the left one stays as it is.
    Raises:  PairError for a wrong type or size, and for a sheet that is black anywhere.
    Source:  the calibration that Xin et al. (ICCV 2021) publish with their captures.
    """
    window = (FLAT_FIELD_WINDOW, FLAT_FIELD_WINDOW)
    means = []
    for codes, name in ((white_left, "the left white sheet"), (white_right, "the right white sheet")):
        mean = cv2.blur(_light(codes, format, name), window, borderType=cv2.BORDER_REPLICATE)
        if not (mean > 0).all():
            raise PairError(
                f"{name} is black in places; every part must have caught light, so give the white sheet"
            )
        means.append(mean)
    return np.asarray(means[0] / means[1], np.float32)


def develop(
    left_codes: NDArray[np.uint16],
    right_codes: NDArray[np.uint16],
    format: RawFormat,
    flat_field: NDArray[np.float32] | None = None,
) -> DualPixelPair:
    """Make a pair of linear views from the raw codes of both.

    Args:    left_codes, right_codes: height x width, uint16, the format's size.
             flat_field: height x width, float32, from `flat_field_ratio`; the right view is multiplied
             by it before the field is cut out. None leaves the right view alone.
    Returns: linear pair of the format's field, the one channel repeated in all three;
             1.0 = (code - black) / (white - black). It is *not* divided by the maximum of the views.
             metadata: ``bits`` 16 and ``camera``, the format's name.
    Raises:  PairError for a wrong type or size.
    """
    left = _light(left_codes, format, "the left view")
    right = _light(right_codes, format, "the right view")
    if flat_field is not None:
        if flat_field.shape != format.size:
            raise PairError(
                f"the flat field has shape {flat_field.shape}; {format.name} expects {format.size}, "
                "so compute it from the uncropped white sheets"
            )
        right = right * flat_field.astype(np.float32)
    if format.field is not None:
        top, bottom, first, last = format.field
        left, right = left[top:bottom, first:last], right[top:bottom, first:last]
    return DualPixelPair(
        np.repeat(left[..., None], 3, axis=2),
        np.repeat(right[..., None], 3, axis=2),
        encoding="linear",
        metadata={"bits": 16, "camera": format.name},
    )
