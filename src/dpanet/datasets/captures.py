"""One capture in memory: the two views of a scene and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.errors import PairError
from dpanet.images.reading import read_file, read_pair, read_picture, to_pixels
from dpanet.pair import DualPixelPair, Picture, Pixels


@dataclass(frozen=True)
class Capture:
    """The views of a scene and its truth, all of one size, encoding and scale.

    Raises:
        PairError: if the truth has another size or encoding than the views.
    """

    name: str
    """The scene's name."""
    pair: DualPixelPair
    """The two views."""
    truth: Picture
    """The sharp picture of the same scene."""
    white: float = 1.0
    """Value of views and truth that counts as 1.0 in scores."""
    match_color: bool = False
    """Whether outputs are brought to the truth's colors before they are scored, since it was exposed separately."""

    def __post_init__(self) -> None:
        if self.truth.pixels.shape != self.pair.left.shape or self.truth.encoding != self.pair.encoding:
            raise PairError(
                f"the truth of scene {self.name} is {_size(self.truth.pixels)} {self.truth.encoding}, "
                f"its views are {_size(self.pair.left)} {self.pair.encoding}; both must agree, "
                "so give the truth that belongs to them"
            )


def read_srgb_capture(name: str, left: Path, right: Path, truth: Path, match_color: bool) -> Capture:
    """Read a scene of ordinary color pictures: sRGB, 8 or 16 bits.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another size.
    """
    return Capture(name, read_pair(left, right, "srgb"), read_picture(truth, "srgb"), match_color=match_color)


def read_linear(path: Path) -> Picture:
    """Read a picture in linear light, 16 bits, code / 65535.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another depth.
    """
    file = read_file(path)
    if file.codes.dtype != np.uint16:
        raise PairError(
            f"{path} is of type {file.codes.dtype}; linear pictures need 16 bits, so write it as 16-bit PNG"
        )
    return Picture(to_pixels(file), "linear", file.metadata)


def read_output(path: Path, capture: Capture) -> Pixels:
    """Read the picture that a method produced from a capture, in the capture's encoding and scale.

    For a linear capture it must have 16 bits, code / 65535 on the scale of the developed views, as
    ``dpanet deblur --camera pixel4`` writes it; for an sRGB capture 8 or 16 bits.

    Returns:
        (H, W, 3), float32.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another size or depth.
    """
    picture = read_linear(path) if capture.pair.encoding == "linear" else read_picture(path, "srgb")
    pixels = picture.pixels
    if pixels.shape != capture.truth.pixels.shape:
        raise PairError(
            f"{path} is {_size(pixels)}, the truth of scene {capture.name} {_size(capture.truth.pixels)}; "
            "both must have one size, so write the output without resizing or cropping"
        )
    return pixels


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} px"
