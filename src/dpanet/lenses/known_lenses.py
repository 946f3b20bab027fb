"""Which lens a command knows: that of a camera, or of a calibration."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dpanet.lenses.lens import Lens, LensChoice

CAMERAS = ("pixel4",)
"""Cameras whose lens ships."""


def known_lens(camera: str | None, calibration: Path | None = None) -> Lens | None:
    """Return the lens of a calibration if one is named, else that of a camera; None if it is not known.

    Args:
        camera: a name, such as one of `CAMERAS`.
        calibration: a folder with blur_kernels_left.npy and blur_kernels_right.npy.

    Raises:
        ConfigError: if the folder holds no kernels.
    """
    if calibration is not None:
        from dpanet.lenses.measured_grid import MeasuredGrid

        return MeasuredGrid.read(calibration)
    if camera in CAMERAS:
        from dpanet.lenses.pixel4 import Pixel4

        return Pixel4()
    return None


def identify_lens(lens: LensChoice | None) -> str | None:
    """Return a text that differs between lenses, for the key of a result; None for no lens."""
    if lens is None or lens == "find":
        return lens
    places = [(y, x) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)]
    kernels = b"".join(lens.kernels(y, x, [1.0]).tobytes() for y, x in places)
    return hashlib.sha256(kernels).hexdigest()[:16]
