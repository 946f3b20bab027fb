"""Measure how well large blur is removed: of captures enlarged, deblurred, and made small again.

    python benchmarks/enlarged.py CANON [--factors 1 2 4] [--model compact]

CANON holds NN_left, NN_right and NN_sharp (docs/data.md), or what `dpanet simulate` wrote. Of each scene the middle
800 x 500 px are taken, or what there is. Prints the gain in dB over doing nothing, aligned and matched in color, with
and without smaller sizes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from dpanet import Deblurrer
from dpanet.datasets import open_dataset
from dpanet.evaluation.protocol import score_aligned
from dpanet.pair import Pixels
from dpanet.tiles.large_blur import Scale

WIDTH, HEIGHT = 800, 500


def main() -> None:
    """Print a row for each factor and scale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("captures", type=Path)
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--model", default="compact")
    options = parser.parse_args()
    scenes = open_dataset(options.captures, "pairs", match_color=True, align=True).scenes
    scales: tuple[Scale, ...] = (1, "auto")
    deblurrers = {scale: Deblurrer(options.model, scale=scale) for scale in scales}
    print("factor  scale " + "".join(f"{scene.name:>8}" for scene in scenes), flush=True)
    for factor in options.factors:
        gains: dict[Scale, list[str]] = {scale: [] for scale in deblurrers}
        for scene in scenes:
            capture = scene.load()
            left, right, truth = map(cut, (capture.pair.left, capture.pair.right, capture.truth.pixels))
            left, right = enlarge(left, factor), enlarge(right, factor)
            before = score(reduce((left + right) * np.float32(0.5), factor), truth)
            for scale, deblur in deblurrers.items():
                gains[scale].append(f"{score(reduce(deblur(left, right), factor), truth) - before:+8.2f}")
        for scale, row in gains.items():
            print(f"{factor:6}  {scale!s:5} " + "".join(row), flush=True)


def cut(pixels: Pixels) -> Pixels:
    """Return the middle of a picture."""
    height, width = min(HEIGHT, pixels.shape[0]), min(WIDTH, pixels.shape[1])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def enlarge(pixels: Pixels, factor: int) -> Pixels:
    """Return a picture that many times as large."""
    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (width * factor, height * factor)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC).astype(np.float32).clip(0, 1)


def reduce(pixels: Pixels, factor: int) -> Pixels:
    """Return a picture that many times as small."""
    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (width // factor, height // factor)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def score(picture: Pixels, truth: Pixels) -> float:
    """Return the PSNR in dB."""
    return score_aligned(picture, truth, encoding="srgb", match_color=True).psnr


if __name__ == "__main__":
    main()
