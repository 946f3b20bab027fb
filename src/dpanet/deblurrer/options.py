"""Options of a `Deblurrer`, checked."""

from __future__ import annotations

from dpanet.errors import ConfigError
from dpanet.tiles.large_blur import SCALES


def check_options(tile: object, scale: object, tta: object, callers: object, lens: object) -> None:
    """Raise ConfigError for a tile, a scale, a number of mirror images or of callers, or a lens, that cannot be."""
    if tile != "auto" and (not isinstance(tile, int) or tile < 0):
        raise ConfigError(f"tile is {tile!r}; it must be auto, 0 (no tiles) or a number of pixels")
    if scale != "auto" and scale not in SCALES:
        raise ConfigError(f"scale is {scale!r}; it must be auto, 1, 2, 4 or 8")
    if tta not in ("auto", 1, 2, 4):
        raise ConfigError(f"tta is {tta!r}; a pair has 1, 2 or 4 mirror images to average (or auto)")
    if not isinstance(callers, int) or callers < 1:
        raise ConfigError(f"callers is {callers!r}; it must be a number of threads, at least 1")
    if lens is not None and lens != "find" and not hasattr(lens, "kernels"):
        raise ConfigError(f"lens is {lens!r}; give find, or a lens such as dpanet.lenses.pixel4.Pixel4()")
