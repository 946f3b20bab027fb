"""Write defocus maps: exact 16-bit codes for programs, a color picture for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.files.output import atomic_output, prepare_output
from dpanet.formats.png import encode_png

ZERO = 32768
"""Code of a pixel in focus."""

STEPS = 512
"""Codes per pixel of signed blur radius."""

COLORS = np.array(
    [[0.08, 0.25, 0.55], [0.42, 0.66, 0.85], [0.96, 0.96, 0.94], [0.95, 0.62, 0.38], [0.62, 0.12, 0.12]]
)
"""RGB, 0..1, evenly spaced from the most negative radius over zero (nearly white) to the most positive."""


def color_file(path: Path) -> Path:
    """Return the path of the color picture of the map `path`: NAME-colour.png beside it."""
    return path.with_name(f"{path.stem}-colour.png")


def encode_defocus_map(radius: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Convert signed blur radii to the codes of a 16-bit file, 32768 + 512 * radius.

    Args:
        radius: any shape, float32, px; beyond +-63.99 px it is clipped.

    Returns:
        The same shape, uint16.
    """
    return np.clip(np.rint(ZERO + STEPS * radius), 0, 65535).astype(np.uint16)


def decode_defocus_map(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Convert the codes of a 16-bit file to signed blur radii.

    Args:
        codes: any shape, uint16, from `encode_defocus_map`.

    Returns:
        The same shape, float32, px.
    """
    return (codes.astype(np.float32) - ZERO) / np.float32(STEPS)


def write_defocus_map(
    radius: NDArray[np.float32], path: Path, overwrite: bool = False, colored: Path | None = None
) -> None:
    """Write a defocus map as a 16-bit gray PNG, and its color picture beside it.

    Args:
        radius: H x W, float32, signed blur radius in px; positive where the left view's kernel lies on the left
            (-x) side. The colors span the largest absolute radius of 99 % of the pixels, at least 2 px.
        path: of the 16-bit file.
        overwrite: whether the files may exist already.
        colored: path of the color picture; `color_file(path)` by default.

    Raises:
        OutputError: if a file exists (without `overwrite`) or cannot be written.
        ConfigError: if the suffix is not .png.
    """
    span = max(2.0, float(np.quantile(np.abs(radius), 0.99)))
    position = np.clip(radius / span, -1, 1)
    stops = np.linspace(-1, 1, len(COLORS))
    color = np.stack([np.interp(position, stops, COLORS[:, channel]) for channel in range(3)], axis=-1)
    color_codes = np.rint(color * 255).astype(np.uint8)
    for file, codes in ((path, encode_defocus_map(radius)), (colored or color_file(path), color_codes)):
        prepare_output(file, overwrite, (".png",))
        with atomic_output(file, overwrite) as unfinished:
            unfinished.write_bytes(encode_png(codes, None, None))
