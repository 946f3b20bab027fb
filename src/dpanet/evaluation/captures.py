"""Real captures with a known truth, read from the folders their authors publish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.errors import PairError, UnreadableImageError
from dpanet.images.raw import PIXEL4, RawFormat, develop, flat_field_ratio
from dpanet.images.reading import read_codes, read_file, to_pixels
from dpanet.pair import DualPixelPair, Picture, Pixels


@dataclass(frozen=True)
class Capture:
    """One scene: what the camera saw, and the truth.

    pair, truth:     same size, encoding and scale.
    white:           value of `pair` and `truth` that counts as 1.0 in scores.
    colours_matched: the truth was exposed separately, so outputs are brought to its colours.
    """

    name: str
    pair: DualPixelPair
    truth: Picture
    white: float = 1.0
    colours_matched: bool = False

    def __post_init__(self) -> None:
        if self.truth.pixels.shape != self.pair.left.shape or self.truth.encoding != self.pair.encoding:
            raise PairError(
                f"the truth of scene {self.name} is {_size(self.truth.pixels)} {self.truth.encoding}, "
                f"its views are {_size(self.pair.left)} {self.pair.encoding}; both must agree, "
                "so give the truth that belongs to them"
            )


def read_pixel4(folder: Path, format: RawFormat = PIXEL4) -> Iterator[Capture]:
    """Read the scenes of a Pixel 4 folder in order of name, one at a time.

    Layout:  ``NNN_left.png``, ``NNN_right.png``, raw 16-bit codes; ``calibration/white_sheet_left.png`` and
             ``..._right.png``, the flat field; ``gt_all_in_focus_im/NNN_gt.png``, the truth of the central
             field, 16 bits, linear, code / 65535 on the scale of the developed views.
    Yields:  linear captures whose white is the larger maximum of the two developed views.
    Raises:  UnreadableImageError for a missing or damaged file, PairError for one of another size or depth.
    Source:  Xin et al., ICCV 2021.
    """
    names = _scenes(folder)
    sheets = folder / "calibration"
    flat_field = flat_field_ratio(
        read_codes(sheets / "white_sheet_left.png"), read_codes(sheets / "white_sheet_right.png"), format
    )
    for name in names:
        left, right = read_codes(folder / f"{name}_left.png"), read_codes(folder / f"{name}_right.png")
        pair = develop(left, right, format, flat_field)
        truth = _linear(folder / "gt_all_in_focus_im" / f"{name}_gt.png")
        white = float(max(pair.left.max(), pair.right.max()))
        if white <= 0:
            raise PairError(
                f"scene {name}: both views are black; a score needs light, so give another capture"
            )
        yield Capture(name, pair, truth, white)


def read_display(folder: Path) -> Iterator[Capture]:
    """Read the scenes of a folder of ordinary colour pictures in order of name, one at a time.

    Layout:  ``NAME_left``, ``NAME_right`` and ``NAME_sharp``, each ``.png``, sRGB, 8 or 16 bits.
    Yields:  sRGB captures whose outputs are brought to the truth's colours.
    Raises:  UnreadableImageError for a missing or damaged file, PairError for one of another size.
    """
    for name in _scenes(folder):
        left, right, sharp = (_display(folder / f"{name}_{part}.png") for part in ("left", "right", "sharp"))
        yield Capture(name, DualPixelPair(left, right, "srgb"), Picture(sharp, "srgb"), colours_matched=True)


def read_output(path: Path, capture: Capture) -> Pixels:
    """Read what a method made of a capture: (H, W, 3), float32, in the capture's encoding and scale.

    A linear capture wants 16 bits, code / 65535 on the scale of the developed views, as
    ``dpanet deblur --camera pixel4`` writes; an sRGB one 8 or 16 bits.

    Raises: UnreadableImageError for a missing or damaged file, PairError for one of another size or depth.
    """
    pixels = _linear(path).pixels if capture.pair.encoding == "linear" else _display(path)
    if pixels.shape != capture.truth.pixels.shape:
        raise PairError(
            f"{path} is {_size(pixels)}, the truth of scene {capture.name} {_size(capture.truth.pixels)}; "
            "both must have one size, so write the output without resizing or cropping"
        )
    return pixels


def _scenes(folder: Path) -> list[str]:
    names = sorted(path.name.removesuffix("_left.png") for path in folder.glob("*_left.png"))
    if not names:
        raise UnreadableImageError(
            f"{folder} holds no *_left.png; expected a folder of captures, so check its name"
        )
    return names


def _linear(path: Path) -> Picture:
    file = read_file(path)
    if file.codes.dtype != np.uint16:
        raise PairError(
            f"{path} is of type {file.codes.dtype}; linear pictures need 16 bits, so write it as 16-bit PNG"
        )
    return Picture(to_pixels(file), "linear", file.metadata)


def _display(path: Path) -> Pixels:
    return to_pixels(read_file(path))


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} px"
