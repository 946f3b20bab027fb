"""Write defocus maps: px as 16-bit codes or floats for programs, a color picture with a scale for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.files.output import atomic_output, prepare_output
from dpanet.formats.png import encode_png
from dpanet.formats.tiff_writing import write_tiff
from dpanet.images.lettering import draw_text, paint_text

ZERO = 32768
"""Code of a pixel in focus."""

STEPS = 512
"""Codes per pixel of signed blur radius."""

COLORS = np.array(
    [[0.08, 0.25, 0.55], [0.42, 0.66, 0.85], [0.96, 0.96, 0.94], [0.95, 0.62, 0.38], [0.62, 0.12, 0.12]]
)
"""RGB, 0..1, evenly spaced from the most negative radius over zero (nearly white) to the most positive."""

MAP_SUFFIXES = (".png", ".tif", ".tiff")
"""Of the files that a map is written to."""

_NARROWEST = 240
"""Px of the narrowest map with a scale."""

_STRIP = 256
"""Rows that are colored at once."""


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


def choose_span(radius: NDArray[np.float32]) -> float:
    """Return the blur radius in px of the last color: the largest of 99 % of the pixels, at least 2 px."""
    return max(2.0, float(np.quantile(np.abs(radius), 0.99)))


def color_defocus_map(radius: NDArray[np.float32], span: float) -> NDArray[np.uint8]:
    """Return the colors of a defocus map: blue in front of the focal plane, white in it, red behind it.

    Args:
        radius: H x W, signed blur radius in px.
        span: radius in px of the last color on both sides.

    Returns:
        (H, W, 3), uint8, RGB.
    """
    colors = np.empty((*radius.shape, 3), np.uint8)
    stops = np.linspace(-span, span, len(COLORS))
    for top in range(0, len(radius), _STRIP):
        strip = radius[top : top + _STRIP]
        for channel in range(3):
            values = np.interp(strip, stops, COLORS[:, channel])
            colors[top : top + _STRIP, :, channel] = np.rint(values * 255)
    return colors


def add_scale(colors: NDArray[np.uint8], span: float) -> NDArray[np.uint8]:
    """Return the colors of a defocus map with their scale below it; a map under 240 px wide stays without.

    Args:
        colors: (H, W, 3), uint8, of `color_defocus_map`.
        span: as there.
    """
    width = colors.shape[1]
    if width < _NARROWEST:
        return colors
    unit = max(1, round(width / 640))
    bar = min(width - 48 * unit, 480 * unit)
    left = (width - bar) // 2
    scale = np.full((38 * unit, width, 3), 255, np.uint8)
    positions = np.linspace(-span, span, bar, dtype=np.float32)[None]
    scale[4 * unit : 12 * unit, left : left + bar] = color_defocus_map(positions, span)
    ticks = _ticks(span)
    for value in ticks:
        middle = left + round((value / span + 1) / 2 * (bar - 1))
        scale[4 * unit : 14 * unit, middle : middle + unit] = 0
        start = middle - draw_text(f"{value:g}", unit).shape[1] // 2
        text = f"{value:g} px" if value == ticks[-1] else f"{value:g}"
        paint_text(scale, text, (16 * unit, start), unit, (0, 0, 0))
    for text, share in (("in front", 0.0), ("in focus", 0.5), ("behind", 1.0)):
        start = left + round(share * (bar - draw_text(text, unit).shape[1]))
        paint_text(scale, text, (27 * unit, start), unit, (0, 0, 0))
    return np.concatenate([colors, scale])


def _ticks(span: float) -> list[float]:
    """Return the round radii that are written at the scale: 0, and the same on both sides."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, span) if span / step <= 4)
    count = int(span / step)
    return [step * place for place in range(-count, count + 1)]


def write_defocus_map(
    radius: NDArray[np.float32], path: Path, overwrite: bool = False, colored: Path | None = None
) -> None:
    """Write a defocus map, as 16-bit gray PNG or as float32 TIFF in px, and its color picture beside it.

    Args:
        radius: H x W, float32, signed blur radius in px; positive where the left view's kernel lies on the left
            (-x) side, which is behind the focal plane.
        path: of the map, .png or .tif.
        overwrite: whether the files may exist already.
        colored: path of the color picture, a PNG with a scale below it; `color_file(path)` by default.

    Raises:
        OutputError: if a file exists (without `overwrite`) or cannot be written.
        ConfigError: if the suffix is another one.
    """
    colored = colored or color_file(path)
    prepare_output(path, overwrite, MAP_SUFFIXES)
    prepare_output(colored, overwrite, (".png",))
    with atomic_output(path, overwrite) as unfinished:
        if path.suffix.lower() == ".png":
            unfinished.write_bytes(encode_png(encode_defocus_map(radius), None, None))
        else:
            write_tiff(unfinished, np.ascontiguousarray(radius, np.float32))
    span = choose_span(radius)
    with atomic_output(colored, overwrite) as unfinished:
        unfinished.write_bytes(encode_png(add_scale(color_defocus_map(radius, span), span), None, None))
