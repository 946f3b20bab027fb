"""A defocus map as files: exact numbers for programs, colours for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.files.output import atomic_output, prepare_output
from dpanet.images.png import encode_png

ZERO, STEPS = 32768, 512
"""Code of a pixel in focus, and codes per pixel of signed blur radius, in the 16-bit file."""

COLOURS = np.array(
    [[0.08, 0.25, 0.55], [0.42, 0.66, 0.85], [0.96, 0.96, 0.94], [0.95, 0.62, 0.38], [0.62, 0.12, 0.12]]
)
"""From the most negative blur over focus (nearly white) to the most positive."""


def colour_file(path: Path) -> Path:
    """Where the coloured picture of the map `path` lies: NAME-colour.png beside it."""
    return path.with_name(f"{path.stem}-colour.png")


def defocus_codes(radius: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The codes of the 16-bit file, 32768 + 512 * radius; a signed radius beyond +-63.99 px is cut off."""
    return np.clip(np.rint(ZERO + STEPS * radius), 0, 65535).astype(np.uint16)


def write_defocus_map(radius: NDArray[np.float32], path: Path, overwrite: bool = False) -> None:
    """Write `path` (16-bit gray PNG, 32768 + 512 * radius) and its coloured picture.

    Args:   radius: (H, W), signed blur radius in px; beyond +-63.99 px it is cut off. The colours span the
            largest |radius| of 99 % of the pixels, at least 2 px.
    Raises: OutputError if a file exists (without `overwrite`) or cannot be written; ConfigError for another
            suffix than .png.
    """
    codes = defocus_codes(radius)
    span = max(2.0, float(np.quantile(np.abs(radius), 0.99)))
    place = np.clip(radius / span, -1, 1)
    stops = np.linspace(-1, 1, len(COLOURS))
    colour = np.stack([np.interp(place, stops, COLOURS[:, channel]) for channel in range(3)], axis=-1)
    for file, pixels in ((path, codes), (colour_file(path), np.rint(colour * 255).astype(np.uint8))):
        prepare_output(file, overwrite, (".png",))
        with atomic_output(file, overwrite) as unfinished:
            unfinished.write_bytes(encode_png(pixels, None, None))


def read_defocus_map(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The signed blur radius in px, (H, W), of a file's codes."""
    return (codes.astype(np.float32) - ZERO) / np.float32(STEPS)
