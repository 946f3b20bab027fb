"""Decode picture files with libvips, the one decoder of all formats."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from dpanet.images.decoded_image import Codes

if TYPE_CHECKING:
    import pyvips

logging.getLogger("pyvips").setLevel(logging.CRITICAL)  # it logs what our errors say


def open_image(path: str, **options: object) -> pyvips.Image:
    """Open a file for reading from top to bottom; a damaged or cut one fails when its pixels are read.

    Args:
        path: of the file.
        **options: of libvips' loader, such as ``page``.

    Raises:
        pyvips.Error: if libvips cannot read it.
    """
    import pyvips

    return pyvips.Image.new_from_file(path, access="sequential", fail_on="error", **options)


def to_codes(image: pyvips.Image) -> Codes:
    """Decode the pixels: H x W for one band, else H x W x bands; in the type of the file.

    Raises:
        pyvips.Error: if the pixels are damaged or cut.
    """
    codes = np.asarray(image.numpy())
    return codes[..., 0] if codes.ndim == 3 and codes.shape[2] == 1 else codes


def to_image(codes: Codes) -> pyvips.Image:
    """Wrap pixels, H x W or H x W x bands, as an image of libvips, for writing."""
    import pyvips

    gray = codes.ndim == 2 or codes.shape[2] <= 2
    kind = {
        "uint8": "b-w" if gray else "srgb",
        "uint16": "grey16" if gray else "rgb16",
        "float32": "b-w" if gray else "scrgb",
    }[codes.dtype.name]
    return pyvips.Image.new_from_array(np.ascontiguousarray(codes)).copy(interpretation=kind)
