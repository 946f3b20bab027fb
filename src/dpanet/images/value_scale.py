"""Notice pictures whose values end far below or far above the white of their file."""

from __future__ import annotations

import warnings

import numpy as np

from dpanet.containers.decoded_image import DecodedImage
from dpanet.errors import ImageWarning, shown

_BITS = range(8, 15)
"""Of values that are often written into 16 bits unscaled, such as those of a sensor."""

_FULL = 0.85
"""Of the largest code of so many bits: what an ordinary picture reaches. A dark one in 16 bits hardly ends there."""

_BRIGHT = 4.0
"""Median of a float picture that no picture has whose white is 1.0, even with lights far above white."""

_STEP = 4
"""Of the rows and columns of a float picture that are looked at."""


def warn_of_scale(image: DecodedImage) -> None:
    """Warn if the values of a picture seem to have another white than the file: 65535 in 16 bits, 1.0 in floats.

    A 12-bit picture in 16 bits would be treated as 16 times too dark, floats from 0 to 255 as 255 times too bright.
    """
    codes = image.codes
    if codes.dtype == np.uint16:
        largest = int(codes.max())
        bits = largest.bit_length()
        if bits in _BITS and largest >= _FULL * (2**bits - 1):
            _warn(
                f"{shown(image.path)} has 16 bits a channel, but no value above {largest} of 65535; if its white is "
                f"{2**bits - 1}, it is treated as too dark, so export it with white at 65535"
            )
    elif codes.dtype.kind == "f":
        seen = codes[::_STEP, ::_STEP].astype(np.float64)
        if np.abs(seen).max() <= np.finfo(np.float32).max and np.median(seen) > _BRIGHT:
            _warn(
                f"{shown(image.path)} has float values mostly above 1.0, which is white (up to {seen.max():.6g}); if "
                "its white is another number, export it divided by that"
            )


def _warn(sentence: str) -> None:
    warnings.warn(ImageWarning(sentence, "scale"), stacklevel=4)
