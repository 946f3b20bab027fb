"""Notice pictures whose values seem to be meant otherwise than they are read."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.decoded_image import CodeRows, Codes, ImageFile
from dpanet.errors import ImageWarning, shown

_BITS = range(8, 15)
"""Of values that are often written into 16 bits unscaled, such as those of a sensor."""

_FULL = 0.85
"""Of the largest code of so many bits: what an ordinary picture reaches. A dark one in 16 bits hardly ends there."""

_BRIGHT = 4.0
"""Median of a float picture that no picture has whose white is 1.0, even with lights far above white."""

_LINEAR = 1.5
"""Float values of highlights, above which they are hardly sRGB."""

_STEP = 4
"""Of the rows and columns that are looked at, where not all are."""

_STRIP = 256
"""Rows that are read at once, a multiple of the step."""

_RAW_TOP = 2**14 + 1024
"""Above the largest raw code of 14 bits in 16, with a black level on top."""

_PEDESTAL = 0.03
"""Darkest of the brightest value of raw views at least, as their black level lies above 0."""


@dataclass(frozen=True)
class Values:
    """What is to be known of the values of a picture, however large it is."""

    largest: float
    """Of the codes."""
    sample: Codes
    """Every fourth code of every fourth row."""
    finite: bool
    """Whether all are numbers in float32."""


def survey(codes: CodeRows) -> Values:
    """Read all rows of a picture, which shows its damage, too, and return what its values are like."""
    largest, finite, samples = -np.inf, True, []
    for top in range(0, codes.shape[0], _STRIP):
        rows = codes[top : top + _STRIP]
        samples.append(rows[::_STEP, ::_STEP].copy())
        if rows.dtype.kind == "f":
            with np.errstate(over="ignore", invalid="ignore"):
                finite = finite and bool(np.isfinite(rows.astype(np.float32)).all())
        elif rows.dtype == np.uint16:
            largest = max(largest, float(rows.max()))
    return Values(largest, np.concatenate(samples), finite)


def warn_of_scale(image: ImageFile[CodeRows], values: Values | None = None) -> None:
    """Warn if the values of a picture seem to have another white than the file: 65535 in 16 bits, 1.0 in floats.

    A 12-bit picture in 16 bits would be treated as 16 times too dark, floats from 0 to 255 as 255 times too bright;
    raw values of a sensor have another black, too.

    Args:
        image: the picture.
        values: of its codes, if they are known already.
    """
    kind = image.codes.dtype
    if kind != np.uint16 and kind.kind != "f":
        return
    values = values or survey(image.codes)
    if kind == np.uint16 and _looks_raw(image, values):
        _warn(_describe_raw(image, values))
    elif kind == np.uint16:
        largest = int(values.largest)
        bits = largest.bit_length()
        if bits in _BITS and largest >= _FULL * (2**bits - 1):
            _warn(
                f"{shown(image.path)} has 16 bits a channel, but no value above {largest} of 65535; if its white is "
                f"{2**bits - 1}, it is treated as too dark, so export it with white at 65535"
            )
    else:
        seen = _as_float64(values)
        if np.abs(seen).max() <= np.finfo(np.float32).max and np.median(seen) > _BRIGHT:
            _warn(
                f"{shown(image.path)} has float values mostly above 1.0, which is white (up to {seen.max():.6g}); if "
                "its white is another number, export it divided by that"
            )


def warn_of_encoding(
    image: ImageFile[CodeRows],
    remedy: str = "export it with a linear ICC profile",
    values: Values | None = None,
) -> None:
    """Warn if a float picture states no encoding: it is taken as sRGB, although floats are often linear.

    Args:
        image: the picture.
        remedy: what to do if its values are linear.
        values: of its codes, if they are known already.
    """
    if image.codes.dtype.kind != "f" or image.encoding is not None:
        return
    seen = _as_float64(values or survey(image.codes))
    bright, middle = np.quantile(seen, (0.999, 0.5)) if np.isfinite(seen).all() else (0.0, 0.0)
    looks = ""
    if bright > _LINEAR and middle <= _BRIGHT:  # brighter ones have another white
        looks = f", but looks linear (float values up to {bright:.3g})"
    text = f"{shown(image.path)} states no encoding and is taken as sRGB{looks}; if its values are linear, {remedy}"
    warnings.warn(ImageWarning(text, "encoding"), stacklevel=3)


def _as_float64(values: Values) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # NaN of some kinds; whoever takes the pixels refuses them
        return values.sample.astype(np.float64)


def _looks_raw(image: ImageFile[CodeRows], values: Values) -> bool:
    """Return whether 16-bit gray values end far below white, and have nothing near 0 either."""
    if not image.gray or image.encoding is not None or values.largest >= _RAW_TOP:
        return False
    dark, bright = _range(values)
    eight_bits = not (values.sample % 257).any()  # scaled to 16
    return dark >= _PEDESTAL * bright and bright > 1.25 * dark and not eight_bits


def _describe_raw(image: ImageFile[CodeRows], values: Values) -> str:
    from dpanet.images.raw import PIXEL4

    dark, bright = _range(values)
    remedy = "state its levels with --black-level and --white-level"
    if image.codes.shape == PIXEL4.size:
        remedy = f"add --camera {PIXEL4.name}, or {remedy} for another camera"
    return (
        f"{shown(image.path)} looks like raw values of a sensor, as its 16-bit gray values lie between {dark:.0f} "
        f"and {bright:.0f}, but its black is taken as 0 and its white as 65535; if it is raw, {remedy}, and "
        "--output-encoding srgb for a picture to look at"
    )


def _range(values: Values) -> tuple[float, float]:
    """Return the darkest and the brightest value, without the outermost thousandths."""
    dark, bright = np.quantile(values.sample, (0.001, 0.999))
    return float(dark), float(bright)


def _warn(sentence: str) -> None:
    warnings.warn(ImageWarning(sentence, "scale"), stacklevel=4)
