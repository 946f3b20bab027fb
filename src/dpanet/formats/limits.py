"""The largest picture that is read: a header that claims more is refused before memory is taken for it."""

from __future__ import annotations

import math
import os

from dpanet.errors import ConfigError, UnreadableImageError, shown

MAX_MEGAPIXELS = 400.0
"""Millions of pixels of one picture, unless the environment or the option says otherwise."""

VARIABLE = "DPANET_MAX_MEGAPIXELS"
"""Of the environment: millions of pixels. Worker processes inherit it, so that one limit holds in all."""

OPTION = "--max-megapixels"
"""Of the command line; it sets `VARIABLE`."""


def max_megapixels() -> float:
    """Return the limit in millions of pixels.

    Raises:
        ConfigError: if the environment's value is not a positive number.
    """
    value = os.environ.get(VARIABLE, "").strip()
    return _checked(value, f"the environment's {VARIABLE}") if value else MAX_MEGAPIXELS


def set_max_megapixels(value: float) -> None:
    """Set the limit of this process and of those that it starts.

    Raises:
        ConfigError: if it is not a positive number.
    """
    os.environ[VARIABLE] = f"{_checked(value, OPTION):g}"


def check_size(path: str | os.PathLike[str], width: int, height: int) -> None:
    """Check that a picture of this size may be read.

    Args:
        path: of the file, for the error.
        width: px, as its header claims.
        height: px, likewise.

    Raises:
        UnreadableImageError: if it has no pixels, or more than the limit.
    """
    if width < 1 or height < 1:
        raise UnreadableImageError(
            f"{shown(path)} has no pixels ({width} x {height}); export or copy it again"
        )
    limit = max_megapixels()
    if width * height > limit * 1e6:
        raise UnreadableImageError(
            f"{shown(path)} claims {width} x {height} px, {_rounded(width * height / 1e6, limit)} megapixels, and at "
            f"most {limit:,.6g} are read; if it is really so large, raise the limit with {OPTION} or {VARIABLE}"
        )


def _rounded(megapixels: float, limit: float) -> str:
    """Return a number with three digits, or as many more as show that it is above the limit."""
    digits = max(3, len(f"{megapixels:.0f}"))
    while digits < 15 and float(f"{megapixels:.{digits}g}") <= limit:
        digits += 1
    return f"{megapixels:,.{digits}g}"


def _checked(value: float | str, name: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise ConfigError(f"{name} is {value!r}; it must be a number of megapixels above 0, such as 400")
    return number
