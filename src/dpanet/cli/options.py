"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from dpanet.errors import ConfigError
from dpanet.formats.limits import set_max_megapixels

MaxMegapixels = Annotated[float | None, Parameter(name="--max-megapixels")]
"""Largest picture that is read, in millions of pixels."""

KeptBlur = Annotated[float | bool, Parameter(negative=(), show_default=False)]
"""A blur radius in px, or the option alone for the default one."""


def parse_kept_blur(value: float | bool) -> float | None:
    """Return the blur radius of an option of `KeptBlur`; None if it is not there."""
    from dpanet.deblurrer.keep_background import DEFAULT_RADIUS

    if isinstance(value, bool):
        return DEFAULT_RADIUS if value else None
    return value


def check_strength(value: float) -> None:
    """Check the value of --strength before any work. Raises: ConfigError, with what to write instead."""
    if not 0 <= value <= 1:
        example = f"; for {value:g} % write {value / 100:g}" if 1 < value <= 100 else ""
        raise ConfigError(
            f"--strength is {value:g}; give 0 (the mean of the views) to 1 (all that the model can){example}"
        )


def apply_max_megapixels(value: float | None) -> None:
    """Set the limit for this process and those that it starts; None leaves that of the environment, or the default.

    Raises:
        ConfigError: if it is not a positive number.
    """
    if value is not None:
        set_max_megapixels(value)
