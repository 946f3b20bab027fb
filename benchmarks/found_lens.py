"""Refine simulated pairs by the lens that is found from them: lenses unlike any that models are trained on.

python benchmarks/found_lens.py [--photographs FOLDER] [--model MODEL]

For each lens and blur radius: the gain of the network alone, and what refinement by the found lens adds to it (worst
in brackets), as `dpanet deblur --find-lens` does it. The validation photographs (by default those of scikit-image)
are recorded with noise of 0.002, 10 bits.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet import Deblurrer
from dpanet.datasets.photographs import scikit_image_photographs, split_photographs
from dpanet.errors import ImageWarning
from dpanet.evaluation.metrics import psnr
from dpanet.recording.display import to_display, to_linear
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.render import MARGIN, blur

RADII = (4.0, 7.0, 11.0)
SIDE = 256
BORDER = 24
OVERSAMPLING = 4
COUNT = 5
"""Photographs at most."""

Plane = NDArray[np.float64]
LINE = (np.arange(SIZE * OVERSAMPLING) + 0.5) / OVERSAMPLING - SIZE / 2
Y, X = np.meshgrid(LINE, LINE, indexing="ij")


def ramps(shape: Plane, along: Plane, left: float, right: float) -> Tensor:
    """Return a shape under two ramps as a kernel pair (1, 2, SIZE, SIZE)."""
    views = np.stack([shape * (1 - left * along).clip(0, 2), shape * (1 + right * along).clip(0, 2)])
    pixels = views.reshape(2, SIZE, OVERSAMPLING, SIZE, OVERSAMPLING).mean((2, 4))
    return torch.from_numpy(np.float32(pixels / pixels.sum((1, 2), keepdims=True)))[None]


def disc(radius: float, squeeze: float = 1.0) -> Plane:
    return np.asarray(np.hypot(X, Y / squeeze) <= radius, np.float64)


def hexagon(radius: float) -> Plane:
    sides = [np.abs(X * np.cos(a) + Y * np.sin(a)) for a in np.deg2rad([0, 60, 120])]
    return np.asarray(np.max(sides, 0) <= 0.93 * radius, np.float64)


LENSES: dict[str, Callable[[float], Tensor]] = {
    "disc, a .4": lambda r: ramps(disc(r), X / r, 0.4, 0.4),
    "disc, a 1.2": lambda r: ramps(disc(r), X / r, 1.2, 1.2),
    "halves": lambda r: ramps(disc(r), X / r, 20, 20),
    "Gaussian": lambda r: ramps(np.exp(-2 * (X**2 + Y**2) / r**2), X / r, 0.7, 0.7),
    "ellipse": lambda r: ramps(disc(r, 0.7), X / r, 0.7, 0.7),
    "bright rim": lambda r: ramps(disc(r) * (1 + (X**2 + Y**2) / r**2), X / r, 0.7, 0.7),
    "slanted, unlike": lambda r: ramps(disc(r), (0.9 * X + 0.45 * Y) / r, 0.8, 0.4),
    "hexagon": lambda r: ramps(hexagon(r), X / r, 0.7, 0.7),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--model", default="compact")
    options = parser.parse_args()
    photographs: Sequence[Tensor] = scikit_image_photographs(held_out=True)
    if options.photographs is not None:
        photographs = PhotoCache(split_photographs(options.photographs)[1])
    side = SIDE + 2 * MARGIN
    chosen = [p[:, :side, :side] for p in photographs if min(p.shape[1:]) >= side][:COUNT]
    sharp = torch.stack(chosen).float() / 255
    truth = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    alone = Deblurrer(options.model, precision="float32", scale=1)
    finding = Deblurrer(options.model, precision="float32", scale=1, lens="find")
    warnings.simplefilter("ignore", ImageWarning)
    print(f"{len(sharp)} photographs\n{'lens':16} radius  alone   found")
    for name, draw in LENSES.items():
        for radius in RADII:
            views = record(sharp, draw(radius))
            combined = measure([(left + right) * np.float32(0.5) for left, right in views], truth)
            network = measure([alone(*pair) for pair in views], truth)
            added = measure([finding(*pair) for pair in views], truth) - network
            gain = (network - combined).mean()
            print(
                f"{name:16} {radius:6.0f}  {gain:+.2f}   {added.mean():+.2f} (worst {added.min():+.2f})",
                flush=True,
            )


def record(sharp: Tensor, kernels: Tensor) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the views of each photograph, (H, W, 3), display-encoded."""
    count, random = len(sharp), np.random.default_rng(1)
    views = blur(to_linear(sharp), kernels.expand(count, -1, -1, -1), torch.arange(count))
    noisy = [to_display(view).numpy() + random.normal(0, 0.002, view.shape) for view in views]
    coded = [np.asarray(np.round(view.clip(0, 1) * 1023) / 1023, np.float32) for view in noisy]
    left, right = (np.ascontiguousarray(view.transpose(0, 2, 3, 1)) for view in coded)
    return list(zip(left, right, strict=True))


def measure(pictures: Sequence[NDArray[np.float32]], truth: Tensor) -> NDArray[np.float64]:
    """Return the PSNR of each picture without its border, dB."""
    inner = slice(BORDER, -BORDER), slice(BORDER, -BORDER)
    truths = truth.permute(0, 2, 3, 1).numpy()
    pairs = zip(pictures, truths, strict=True)
    return np.array(
        [psnr(picture[inner].clip(0, 1), sharp[inner], data_range=1.0) for picture, sharp in pairs]
    )


if __name__ == "__main__":
    main()
