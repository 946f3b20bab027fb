"""Real captures with a known truth, read from the folders their authors publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.images.raw import PIXEL4, RawFormat
from dpanet.images.raw_pair import read_flat_field, read_raw_pair
from dpanet.images.reading import read_file, read_pair, read_picture, to_pixels
from dpanet.pair import DualPixelPair, Picture, Pixels

PIXEL4_TRUTHS = "gt_all_in_focus_im"
CALIBRATION = "calibration"
WHITE_SHEETS = ("white_sheet_left.png", "white_sheet_right.png")
"""Names inside a Pixel 4 folder, as its authors publish it."""


@dataclass(frozen=True)
class Capture:
    """One scene: what the camera saw, and the truth.

    pair, truth:     same size, encoding and scale.
    white:           value of `pair` and `truth` that counts as 1.0 in scores.
    match_color: the truth was exposed separately, so outputs are brought to its colours.
    """

    name: str
    pair: DualPixelPair
    truth: Picture
    white: float = 1.0
    match_color: bool = False

    def __post_init__(self) -> None:
        if self.truth.pixels.shape != self.pair.left.shape or self.truth.encoding != self.pair.encoding:
            raise PairError(
                f"the truth of scene {self.name} is {_size(self.truth.pixels)} {self.truth.encoding}, "
                f"its views are {_size(self.pair.left)} {self.pair.encoding}; both must agree, "
                "so give the truth that belongs to them"
            )


def load_pixel4(
    name: str, folder: Path, flat_field: NDArray[np.float32], format: RawFormat = PIXEL4
) -> Capture:
    """Read the scene `name` of a Pixel 4 folder.

    Layout:  ``NAME_left.png``, ``NAME_right.png``, raw 16-bit codes; ``gt_all_in_focus_im/NAME_gt.png``, the
             truth of the central field, 16 bits, linear, code / 65535 on the scale of the developed views.
    Args:    flat_field: of `load_white_sheets`.
    Returns: a linear capture whose white is the larger maximum of the two developed views.
    Raises:  UnreadableImageError for a missing or damaged file, PairError for one of another size or depth.
    Source:  Xin et al., ICCV 2021.
    """
    pair = read_raw_pair(folder / f"{name}_left.png", folder / f"{name}_right.png", format, flat_field)
    truth = _linear(folder / PIXEL4_TRUTHS / f"{name}_gt.png")
    white = float(max(pair.left.max(), pair.right.max()))
    if white <= 0:
        raise PairError(f"scene {name}: both views are black; a score needs light, so give another capture")
    return Capture(name, pair, truth, white)


def load_white_sheets(folder: Path, format: RawFormat = PIXEL4) -> NDArray[np.float32]:
    """The flat field of ``white_sheet_left.png`` and ``white_sheet_right.png``; see `flat_field_ratio`."""
    return read_flat_field(folder / WHITE_SHEETS[0], folder / WHITE_SHEETS[1], format)


def load_display(name: str, left: Path, right: Path, truth: Path, match_color: bool) -> Capture:
    """Read a scene of ordinary colour pictures, sRGB, 8 or 16 bits.

    Raises: UnreadableImageError for a missing or damaged file, PairError for one of another size.
    """
    return Capture(name, read_pair(left, right, "srgb"), read_picture(truth, "srgb"), match_color=match_color)


def read_output(path: Path, capture: Capture) -> Pixels:
    """Read what a method made of a capture: (H, W, 3), float32, in the capture's encoding and scale.

    A linear capture wants 16 bits, code / 65535 on the scale of the developed views, as
    ``dpanet deblur --camera pixel4`` writes; an sRGB one 8 or 16 bits.

    Raises: UnreadableImageError for a missing or damaged file, PairError for one of another size or depth.
    """
    picture = _linear(path) if capture.pair.encoding == "linear" else read_picture(path, "srgb")
    pixels = picture.pixels
    if pixels.shape != capture.truth.pixels.shape:
        raise PairError(
            f"{path} is {_size(pixels)}, the truth of scene {capture.name} {_size(capture.truth.pixels)}; "
            "both must have one size, so write the output without resizing or cropping"
        )
    return pixels


def _linear(path: Path) -> Picture:
    file = read_file(path)
    if file.codes.dtype != np.uint16:
        raise PairError(
            f"{path} is of type {file.codes.dtype}; linear pictures need 16 bits, so write it as 16-bit PNG"
        )
    return Picture(to_pixels(file), "linear", file.metadata)


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} px"
