"""One capture in memory: the two views of a scene and its truth."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.containers.decoded_image import DecodedImage
from dpanet.containers.icc_profile import SRGB_PRIMARIES, colorants_of, parse_profile
from dpanet.errors import ImageWarning, PairError, shown
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.images.reading import read_file, read_views, to_pixels
from dpanet.images.value_scale import warn_of_encoding, warn_of_scale
from dpanet.pair import DualPixelPair, Encoding, Picture, Pixels

_SAME_COLORANTS = 0.01
"""Largest difference of primaries, in XYZ, that is of rounding alone."""


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
                f"the truth of scene {shown(self.name)} is {_size(self.truth.pixels)} {self.truth.encoding}, "
                f"its views are {_size(self.pair.left)} {self.pair.encoding}; both must agree, "
                "so give the truth that belongs to them"
            )


def read_picture_capture(name: str, left: Path, right: Path, truth: Path, match_color: bool) -> Capture:
    """Read a scene of ordinary pictures: in the encoding that the files state, or sRGB where they state none.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another size or encoding than the others, or with transparent pixels.
    """
    views = [require_opaque(view) for view in read_views(left, right)]
    for view in views:
        warn_of_scale(view)
    one, other = (to_pixels(view) for view in views)
    pair = DualPixelPair(one, other, views[0].encoding or "srgb", views[0].metadata)
    file = require_opaque(read_file(truth))
    for picture in (views[0], file):
        warn_of_encoding(picture)
    _warn_of_other_colors(file, views[0])
    sharp = Picture(to_pixels(file), file.encoding or "srgb", file.metadata)
    return Capture(name, pair, sharp, match_color=match_color)


def read_linear(path: Path) -> Picture:
    """Read a picture in linear light, 16 bits, code / 65535; a warning names a file that states another encoding.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another depth, or with transparent pixels.
    """
    file = _read_linear_file(path)
    if file.encoding == "srgb":
        warnings.warn(
            f"{shown(path)} states sRGB values, but is read as linear, as its layout has them",
            ImageWarning,
            stacklevel=2,
        )
    return Picture(to_pixels(file), "linear", file.metadata)


def _read_linear_file(path: Path) -> DecodedImage:
    file = require_opaque(read_file(path))
    if file.codes.dtype != np.uint16:
        raise PairError(
            f"{shown(path)} is of type {file.codes.dtype}; linear pictures need 16 bits, so write it as 16-bit PNG"
        )
    return file


def read_output(path: Path, capture: Capture) -> Pixels:
    """Read the picture that a method produced from a capture, in the capture's encoding and scale.

    For a linear capture it must have 16 bits, code / 65535 on the scale of the developed views, as
    ``dpanet deblur --camera pixel4`` writes it; for an sRGB capture 8 or 16 bits. A picture that states another
    encoding than the capture's is converted.

    Returns:
        (H, W, 3), float32.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another size or depth.
    """
    linear = capture.pair.encoding == "linear"
    file = _read_linear_file(path) if linear else require_opaque(read_file(path))
    pixels = in_encoding(file, capture.pair.encoding)
    if pixels.shape != capture.truth.pixels.shape:
        raise PairError(
            f"{shown(path)} is {_size(pixels)}, the truth of scene {shown(capture.name)} "
            f"{_size(capture.truth.pixels)}; both must have one size, so write the output without resizing it"
        )
    return pixels


def in_encoding(file: DecodedImage, encoding: Encoding) -> Pixels:
    """Return the pixels of a file in an encoding, converted if the file states another.

    Raises:
        PairError: as `to_pixels`.
    """
    pixels = to_pixels(file)
    if file.encoding in (None, encoding):
        return pixels
    return srgb_to_linear(pixels) if encoding == "linear" else linear_to_srgb(pixels)


def _warn_of_other_colors(truth: DecodedImage, view: DecodedImage) -> None:
    """Warn if the profiles of a truth and its views have other primaries; a picture without one is taken as sRGB."""
    standard = colorants_of(SRGB_PRIMARIES)
    assert standard is not None
    colors = []
    for file in (truth, view):
        profile = parse_profile(file.icc or b"")
        colors.append(standard if profile is None or profile.colorants is None else profile.colorants)
    if not np.allclose(colors[0], colors[1], atol=_SAME_COLORANTS):
        warnings.warn(
            ImageWarning(
                f"{shown(truth.path)} has an ICC profile of other colors than {shown(view.path)}; they are compared "
                "as stored, so export both with one profile",
                "colors",
            ),
            stacklevel=3,
        )


def require_opaque(file: DecodedImage) -> DecodedImage:
    """Return a file if it has no transparent pixels.

    Raises:
        PairError: if it has some.
    """
    if not file.opaque:
        raise PairError(
            f"{shown(file.path)} has transparent pixels, and what is behind them is unknown; export it without an "
            "alpha channel"
        )
    return file


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} px"
