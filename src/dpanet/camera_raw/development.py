"""Develop mosaics to color pictures as the camera's own white balance and colors say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.camera_raw.frames import OpenFile
from dpanet.camera_raw.library import libraw
from dpanet.camera_raw.views import Mosaic
from dpanet.images.encoding import linear_to_srgb
from dpanet.pair import Pixels

_STRIP = 256
"""Rows that are converted at once, so that no second full-size copy exists."""


def white_balance(file: OpenFile) -> NDArray[np.float64]:
    """Return the factor of each color (red, green, blue, second green): that of the camera, else that of daylight.

    The smallest is 1.
    """
    for gains in (file.first.camera_whitebalance, file.first.daylight_whitebalance):
        red, green, blue, *second = (float(gain) for gain in gains)
        values = np.array([red, green, blue, (second or [0.0])[0] or green])
        if np.isfinite(values).all() and (values > 0).all():
            balanced: NDArray[np.float64] = values / values.min()
            return balanced
    return np.ones(4)


def develop_view(file: OpenFile, mosaic: Mosaic, white: int, gains: NDArray[np.float64]) -> Pixels:
    """Develop the view of one half of the sensor.

    The colors are interpolated, balanced and converted to sRGB, in linear light, and encoded; brightness is that of
    the camera's exposure, nothing is turned and nothing sharpened. Values above white stay above 1.

    Args:
        file: it is from.
        mosaic: H x W, without black level.
        white: code that the sum of both views reaches where the ordinary picture is white.
        gains: of `white_balance`.

    Returns:
        H x W x 3, float32, encoded as sRGB; both views alike where they are half of the ordinary picture each.
    """
    import rawpy

    raw = file.first
    with libraw(file.path):
        raw.raw_image_visible[:] = mosaic
        linear = raw.postprocess(
            demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD,
            user_wb=[float(gain) for gain in gains],
            user_black=0,
            user_cblack=[0, 0, 0, 0],
            user_sat=white,
            adjust_maximum_thr=0.0,  # white is as stated, whatever the picture shows
            no_auto_bright=True,
            highlight_mode=rawpy.HighlightMode.Clip,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(1, 1),
            output_bps=16,
            user_flip=0,
        )
    return _encode(linear)


def _encode(linear: NDArray[Any]) -> Pixels:
    """Convert the linear codes of a view to sRGB; a view has half of the light, so its codes count twice."""
    curve = linear_to_srgb(np.arange(65536, dtype=np.float32) * np.float32(2 / 65535))
    pixels = np.empty(linear.shape, np.float32)
    for top in range(0, linear.shape[0], _STRIP):
        rows = slice(top, top + _STRIP)
        np.take(curve, linear[rows], out=pixels[rows])
    return pixels
