"""Convert the raw codes of a dual-pixel sensor to a linear pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError
from dpanet.images.windows import window_mean
from dpanet.pair import DualPixelPair

FLAT_FIELD_WINDOW = 101
"""Side, in px, of the square over which the white sheets are averaged."""


@dataclass(frozen=True)
class RawFormat:
    """The layout of one camera's raw views."""

    name: str
    """Value of the command line's option ``--camera``."""
    size: tuple[int, int]
    """(height, width) of a whole view, in px."""
    black_level: int
    """Code of no light."""
    white_level: int
    """Code that becomes 1.0; codes above it are allowed."""
    crop: tuple[int, int, int, int] | None = None
    """(top, bottom, left, right) in px, bottom and right excluded: the part that remains after the flat-field
    correction; None for the whole view."""
    any_size: bool = False
    """Whether views of another size than `size` are accepted."""
    rows_merged: int = 1
    """1, or 2 if each recorded row is the mean of two: `develop` splits it again (`split_rows`)."""
    steps: tuple[float, ...] = ()
    """Distances of codes, one of which a file of this camera has; none if they are not checked."""

    def __post_init__(self) -> None:
        if not 0 <= self.black_level < self.white_level:
            raise ConfigError(
                f"format {self.name} has black level {self.black_level} and white level {self.white_level}; "
                "white must lie above black and black at 0 or above, so correct the two"
            )
        height, width = self.size
        top, bottom, left, right = self.crop or (0, height, 0, width)
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ConfigError(
                f"format {self.name} has a crop of rows {top}..{bottom} and columns {left}..{right} "
                f"of {height} x {width}; the crop must lie inside the view, so correct it"
            )


PIXEL4 = RawFormat(
    name="pixel4",
    size=(1512, 2016),
    black_level=1024,
    white_level=1024 + 16383,  # the data set divides by the largest 14-bit code, with the black level off
    crop=(252, 1260, 336, 1680),
)
"""Google Pixel 4, green channel, 14 bits in 16, as Xin et al. (ICCV 2021) publish their captures."""

PIXEL_APP = RawFormat(
    name="pixel-app",
    size=(756, 2016),
    black_level=4096,  # about 64 of 1023 in all known captures; the exact level is not in the files
    white_level=65535,
    any_size=True,
    rows_merged=2,
    steps=(65535 / 1023, 64.0),  # of the app, rounded down; and of 10 bits that were shifted by 6
)
"""Google Pixel 3 and 4, as the research app PdCapture writes them: the green channel in PGM, 10 bits in 16.

A view has one column for each 2 px of the sensor's width and one row for each 4 px of its height.
"""


def split_rows(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Split each row, the mean of two rows of light, into these two.

    Args:
        light: H x W.

    Returns:
        2H x W. The mean of each two rows is the row they come from; a polynomial of degree 6 over the rows is
        returned exactly, but for the three outer rows.

    Source:
        Average interpolation with three neighbors on each side (Donoho, 1993).
    """
    height = light.shape[0]
    padded = np.pad(light, ((3, 3), (0, 0)), mode="edge")
    half = np.zeros_like(light)
    for distance, weight in ((1, 201 / 1024), (2, -44 / 1024), (3, 5 / 1024)):
        above, below = (padded[3 + place : 3 + place + height] for place in (-distance, distance))
        half += np.float32(weight) * (above - below)
    rows = np.empty((2 * height, light.shape[1]), np.float32)
    rows[0::2], rows[1::2] = light + half, light - half
    return rows


def fits_steps(codes: NDArray[Any], format: RawFormat) -> bool:
    """Return whether nearly all codes lie on the steps of a format; true for a format without steps."""
    if not format.steps:
        return True
    present = np.bincount(codes.ravel(), minlength=65536)
    total = int(present.sum())
    for step in format.steps:
        exact = np.arange(int(65535 // step) + 2) * step
        places = np.unique(np.concatenate([np.floor(exact), np.rint(exact)])).astype(np.int64)
        if present[places[places < 65536]].sum() >= 0.999 * total:
            return True
    return False


def _light(codes: NDArray[Any], format: RawFormat, name: str) -> NDArray[np.float32]:
    """Convert codes, H x W, to light, float32: 0.0 at the black and 1.0 at the white level, never below 0."""
    if codes.dtype != np.uint16:
        raise PairError(
            f"{name} has {_depth(codes)}, expected 16 for raw codes of {format.name}; give the 16-bit file unchanged"
        )
    if codes.ndim != 2 or (codes.shape != format.size and not format.any_size):
        height, width = format.size
        raise PairError(
            f"{name} has shape {codes.shape}; {format.name} expects {height} rows x {width} columns "
            "of one channel, so give the uncropped raw view"
        )
    light: NDArray[np.float32] = codes.astype(np.float32) - np.float32(format.black_level)
    light = np.maximum(light, np.float32(0))
    return light / np.float32(format.white_level - format.black_level)


def _depth(codes: NDArray[Any]) -> str:
    bits = 8 * codes.dtype.itemsize
    return f"{bits} bits" if codes.dtype.kind == "u" else f"values of type {codes.dtype}"


def flat_field_ratio(
    white_left: NDArray[np.uint16], white_right: NDArray[np.uint16], format: RawFormat = PIXEL4
) -> NDArray[np.float32]:
    """Return the ratio of light that the left and the right half of the lens pass, at each pixel.

    Args:
        white_left: raw codes of the left view of an evenly lit white sheet, H x W, uint16, the format's size.
        white_right: likewise of the right view.
        format: of the views.

    Returns:
        H x W, float32: the mean of the left sheet over 101 x 101 px, edges replicated, divided by that of the right
        sheet, the black level subtracted from both. Multiply the right view by it.

    Raises:
        PairError: for a wrong type or size, or a sheet that is black anywhere.

    Source:
        Calibration that Xin et al. (ICCV 2021) publish with their captures.
    """
    means = []
    for codes, name in ((white_left, "the left white sheet"), (white_right, "the right white sheet")):
        mean = window_mean(_light(codes, format, name).astype(np.float64), FLAT_FIELD_WINDOW)
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
    """Convert the raw codes of both views to a linear pair.

    Args:
        left_codes: H x W, uint16, the format's size.
        right_codes: likewise.
        format: of the views.
        flat_field: H x W, float32, from `flat_field_ratio`; the right view is multiplied by it before the crop.
            None leaves the right view as it is.

    Returns:
        The linear pair of the format's crop, (code - black) / (white - black), the one channel repeated in all
        three. Merged rows are split, so that the pair has twice as many. It is *not* divided by the maximum of the
        views. Its metadata are ``bits``, 16, and ``camera``, the format's name.

    Raises:
        PairError: for a wrong type or size.
    """
    left = _light(left_codes, format, "the left view")
    right = _light(right_codes, format, "the right view")
    if flat_field is not None:
        if flat_field.shape != right.shape:
            raise PairError(
                f"the flat field has shape {flat_field.shape}; {format.name} expects {right.shape}, "
                "so compute it from the uncropped white sheets"
            )
        right = right * flat_field.astype(np.float32)
    if format.rows_merged == 2:
        left, right = (np.maximum(split_rows(view), np.float32(0)) for view in (left, right))
    if format.crop is not None:
        top, bottom, first, last = format.crop
        left, right = left[top:bottom, first:last], right[top:bottom, first:last]
    return DualPixelPair(
        np.repeat(left[..., None], 3, axis=2),
        np.repeat(right[..., None], 3, axis=2),
        encoding="linear",
        metadata={"bits": 16, "camera": format.name},
    )
