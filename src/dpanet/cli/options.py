"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dpanet.errors import ConfigError
from dpanet.formats.limits import set_max_megapixels
from dpanet.terminal.failure import UsageError

if TYPE_CHECKING:
    from dpanet.lenses.lens import LensChoice

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


def choose_lens(
    refine: bool | None, camera: str | None, calibration: Path | None, *, find: bool = False
) -> LensChoice | None:
    """Return the lens to refine by: the known one, or if there is none and one is wanted, ``find``.

    Raises: UsageError if `find` contradicts the other options.
    """
    from dpanet.lenses.known_lenses import known_lens

    if refine is False:
        if find:
            raise UsageError("--find-lens refines, and --no-refine does not; leave out one of them")
        return None
    if find and calibration is not None:
        raise UsageError("--find-lens finds the lens, and --calibration names one; leave out one of them")
    return "find" if find else known_lens(camera, calibration) or ("find" if refine else None)
