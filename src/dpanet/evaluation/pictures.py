"""The pictures that the report shows of a scene: a preview of each method, and a crop where methods differ most."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dpanet.evaluation.protocol import BORDER
from dpanet.files.output import atomic_output, make_folder
from dpanet.images.encoding import linear_to_srgb, quantize
from dpanet.pair import Encoding, Pixels

LONG_SIDE = 960
"""Longest side of a preview, px."""
CROP = 224
"""Largest side of the crop, px."""


def for_display(pixels: Pixels, encoding: Encoding) -> Pixels:
    """Return pixels with white = 1.0 encoded for a display and clipped to 0..1."""
    encoded = linear_to_srgb(np.maximum(pixels, 0)) if encoding == "linear" else pixels
    return np.asarray(np.clip(encoded, 0, 1), np.float32)


def differing_crop(outputs: Mapping[str, Pixels]) -> tuple[int, int, int]:
    """Find the square where the methods' pictures differ most, away from the border.

    Args:
        outputs: Display-encoded pictures by method, (H, W, 3) each.

    Returns:
        Left edge x, top edge y and side in px, of the square with the largest mean standard deviation of the
        luminance over methods.
    """
    gray = np.stack([pixels.mean(axis=2) for pixels in outputs.values()])
    height, width = gray.shape[1:]
    border = BORDER if min(height, width) > 4 * BORDER else 0
    side = min(CROP, height - 2 * border, width - 2 * border)
    mean = cv2.boxFilter(gray.std(axis=0), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    inside = mean[border : height - border - side + 1, border : width - border - side + 1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(x) + border, int(y) + border, side


def save_previews(pictures: Mapping[str, Pixels], crop: tuple[int, int, int], folder: Path) -> list[Path]:
    """Write ``NAME.webp`` (at most 960 px) and ``NAME-crop.png`` of each picture, and return their paths.

    Args:
        pictures: Display-encoded pictures by name, (H, W, 3) each.
        crop: Of `differing_crop`.
        folder: Created if it does not exist.
    """
    make_folder(folder)
    x, y, side = crop
    paths = []
    for name, pixels in pictures.items():
        height, width = pixels.shape[:2]
        scale = min(1.0, LONG_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
        paths.append(save_picture(small, folder / f"{name}.webp"))
        paths.append(save_picture(pixels[y : y + side, x : x + side], folder / f"{name}-crop.png"))
    return paths


def save_picture(pixels: Pixels, path: Path, quality: int = 85) -> Path:
    """Write a display-encoded picture in the format of the suffix; `quality` has no effect on PNG."""
    codes = np.asarray(quantize(np.ascontiguousarray(pixels), 8))
    with atomic_output(path, overwrite=True) as unfinished:
        Image.fromarray(codes).save(unfinished, quality=quality)
    return path
