"""Pictures that a browser draws: PNG, 8 bits, display-encoded, upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.exif import orientation
from dpanet.containers.written_metadata import with_encoding
from dpanet.datasets.upright import turn_upright
from dpanet.formats.png import encode_png
from dpanet.images.defocus_map import choose_span, color_defocus_map
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

_COLORS = ("icc", "gray", "png")
"""Metadata that say how the values are to be shown."""


def write_preview(picture: Picture, path: Path) -> None:
    """Write a picture as a browser draws it, with its profile; an existing file is replaced."""
    metadata = {key: value for key, value in picture.metadata.items() if key in _COLORS}
    pixels = picture.pixels
    if picture.encoding == "linear":
        pixels = linear_to_srgb(pixels)
        metadata = with_encoding(metadata, "srgb")
    turned = np.ascontiguousarray(turn_upright(pixels, orientation(picture.metadata.get("exif"))))
    write_picture(Picture(turned.astype(np.float32), "srgb", metadata), path, bits=8, overwrite=True)


def write_map_preview(radius: NDArray[np.float32], exif: bytes | None, path: Path) -> float:
    """Write a defocus map in colors; return the blur radius in px at the ends of the colors."""
    turned = np.ascontiguousarray(turn_upright(radius, orientation(exif)))
    span = choose_span(radius)
    path.write_bytes(
        encode_png(color_defocus_map(turned, span))
    )  # without a scale, which would shift the overlay
    return span
