"""What the report shows of a scene: small pictures of each method, and one crop where methods differ most."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dpanet.evaluation.protocol import BORDER
from dpanet.files.output import atomic_output
from dpanet.images.encoding import linear_to_srgb, quantize
from dpanet.pair import Encoding, Pixels

LONG_SIDE = 960
"""Pixels of a preview."""
CROP = 224
"""Pixels a side of the crop, at most."""


def for_display(pixels: Pixels, encoding: Encoding) -> Pixels:
    """Pixels with white = 1.0, encoded for the eye and clipped."""
    seen = linear_to_srgb(np.maximum(pixels, 0)) if encoding == "linear" else pixels
    return np.asarray(np.clip(seen, 0, 1), np.float32)


def differing_crop(outputs: Mapping[str, Pixels]) -> tuple[int, int, int]:
    """Where the methods' pictures (H, W, 3) differ most: (x, y, side) in px, away from the border.

    The square with the largest mean standard deviation of the luminance over methods.
    """
    grey = np.stack([pixels.mean(axis=2) for pixels in outputs.values()])
    height, width = grey.shape[1:]
    border = BORDER if min(height, width) > 4 * BORDER else 0
    side = min(CROP, height - 2 * border, width - 2 * border)
    mean = cv2.boxFilter(grey.std(axis=0), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    inside = mean[border : height - border - side + 1, border : width - border - side + 1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(x) + border, int(y) + border, side


def save_previews(pictures: Mapping[str, Pixels], crop: tuple[int, int, int], folder: Path) -> None:
    """Write ``NAME.webp`` (at most 960 px) and ``NAME-crop.png`` for each display picture (H, W, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    x, y, side = crop
    for name, pixels in pictures.items():
        height, width = pixels.shape[:2]
        share = min(1.0, LONG_SIDE / max(height, width))
        size = (max(1, round(width * share)), max(1, round(height * share)))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
        _save(small, folder / f"{name}.webp")
        _save(pixels[y : y + side, x : x + side], folder / f"{name}-crop.png")


def _save(pixels: Pixels, path: Path, quality: int = 85) -> None:
    """As the suffix says; `quality` is of no consequence to PNG."""
    with atomic_output(path, overwrite=True) as unfinished:
        Image.fromarray(np.asarray(quantize(np.ascontiguousarray(pixels), 8))).save(
            unfinished, quality=quality
        )
