"""Measure what models take from pairs that are nearly sharp: mean and worst loss in dB. What is in focus should stay.

    python benchmarks/nearly_sharp.py [MODEL ...] [--photographs FOLDER]

The middle of each photograph is blurred by the lens of the Pixel 4 in the middle of its field, at blur scales from
0.05 (half a pixel) to 0.15, without noise, 10 bits. Photographs: those of scikit-image, or of a folder those that are
held out of training, as its SOURCES.csv says (without one, every twentieth). The loss is the PSNR of the mean of the
views minus that of the picture; below zero, the picture gained. Two ways: alone, at full
size and without a lens (`--no-refine --scale 1` of `dpanet deblur`), and the default, with all sizes and refined by
that lens.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpanet import Deblurrer
from dpanet.datasets.photographs import scikit_image_photographs, split_photographs
from dpanet.lenses.lens import KernelPairs, Lens
from dpanet.lenses.pixel4 import Pixel4
from dpanet.pair import Pixels
from dpanet.recording.display import to_display, to_linear
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.render import MARGIN, blur

SCALES = (0.05, 0.1, 0.15)
SIDE = 256
PLACE = (0.45, 0.45)
"""(y, x) in the field of the lens."""

Deblur = Callable[[Pixels, Pixels], Pixels]


class OnePlace:
    """The lens of one place at every place, as all of a small picture sees it.

    Args: lens: the whole lens.
    """

    def __init__(self, lens: Lens) -> None:
        self._lens = lens
        self.name = f"{lens.name}, middle of the field"
        self.max_scale = lens.max_scale

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        """Compute the kernel pairs at `PLACE`, wherever they are asked for."""
        return self._lens.kernels(*PLACE, scales)


def main() -> None:
    """Print a row for each model, way and scale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", default=["compact", "nano"])
    parser.add_argument("--photographs", type=Path)
    options = parser.parse_args()
    photographs: Sequence[Tensor] = scikit_image_photographs(held_out=True) + scikit_image_photographs()
    if options.photographs is not None:
        photographs = PhotoCache(split_photographs(options.photographs)[1])
    sharp = cut_middles(photographs)
    lens = OnePlace(Pixel4())
    pairs = {scale: simulate_pairs(sharp, lens, scale) for scale in SCALES}
    print(
        f"{len(sharp)} photographs, {SIDE} x {SIDE} px\nmodel    way      scale  before  mean loss  worst loss"
    )
    for model in options.models:
        for way, deblur in {
            "alone": Deblurrer(model, scale=1),
            "default": Deblurrer(model, lens=lens),
        }.items():
            for scale, views in pairs.items():
                before, lost = measure_losses(deblur, sharp, views)
                figures = f"{np.mean(before):7.1f} {np.mean(lost):+10.2f} {max(lost):+11.2f}"
                print(f"{model:8} {way:8} {scale:5.2f} {figures}", flush=True)


def cut_middles(photographs: Sequence[Tensor]) -> list[Tensor]:
    """Return the middle of each photograph (3, H, W), 0..255, that is large enough: (3, S, S), 0..1, with margin."""
    side = SIDE + 2 * MARGIN
    middles = []
    for photograph in photographs:
        height, width = photograph.shape[1:]
        if min(height, width) >= side:
            top, left = (height - side) // 2, (width - side) // 2
            middles.append(photograph[:, top : top + side, left : left + side].float() / 255)
    return middles


def simulate_pairs(sharp: Sequence[Tensor], lens: Lens, scale: float) -> list[tuple[Pixels, Pixels]]:
    """Blur pictures (with a margin) and return their views, (SIDE, SIDE, 3), display-encoded, in steps of 10 bits."""
    kernels = torch.from_numpy(lens.kernels(*PLACE, [scale]))
    pairs = []
    for picture in sharp:
        views = blur(to_linear(picture[None]), kernels, torch.zeros(1, dtype=torch.long))
        left, right = (torch.round(to_display(view) * 1023) / 1023 for view in views)
        pairs.append((to_pixels(left[0]), to_pixels(right[0])))
    return pairs


def measure_losses(
    deblur: Deblur, sharp: Sequence[Tensor], pairs: Sequence[tuple[Pixels, Pixels]]
) -> tuple[list[float], list[float]]:
    """Return the PSNR of the mean of the views of each pair, and how much less that of the picture is, dB."""
    before, lost = [], []
    for picture, (left, right) in zip(sharp, pairs, strict=True):
        truth = to_pixels(picture[:, MARGIN:-MARGIN, MARGIN:-MARGIN])
        before.append(psnr((left + right) * np.float32(0.5), truth))
        lost.append(before[-1] - psnr(deblur(left, right), truth))
    return before, lost


def to_pixels(picture: Tensor) -> Pixels:
    """Return (3, H, W) as (H, W, 3)."""
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy(), np.float32)


def psnr(one: Pixels, other: Pixels) -> float:
    """Compute the PSNR in dB of display values."""
    return float(-10 * np.log10(np.mean((one.clip(0, 1).astype(np.float64) - other) ** 2)))


if __name__ == "__main__":
    main()
