"""Measure models on simulated blur: PSNR of the views, and mean and worst gain in dB.

python benchmarks/simulated_blur.py scale [MODEL ...] [--photographs FOLDER] [--kernels FOLDER]
    By blur scale, down to nearly sharp: the kernel pair of one measured cell, or without --kernels a disc
    with a ramp of 10 px times the scale.
python benchmarks/simulated_blur.py ramp [MODEL ...] [--photographs FOLDER]
    By slope a of the ramp in disc * (1 - a x / radius), radius 8 px: lenses whose views differ little or much in
    disparity at the same blur.

The validation photographs (by default those of scikit-image) are recorded without noise at 10 bits, and deblurred in
one pass: `dpanet deblur --no-refine --scale 1 --tta 1`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpanet import Deblurrer
from dpanet.datasets.photographs import scikit_image_photographs, split_photographs
from dpanet.recording.display import to_display, to_linear
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.render import MARGIN, blur

SCALES = (0.05, 0.15, 0.3, 0.6, 1.0)
SLOPES = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0)
RADIUS = 8.0
SIDE = 192
CELL = 20
"""Cell of the measured kernels, in the middle of the field."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("by", choices=("scale", "ramp"))
    parser.add_argument("models", nargs="*", default=["compact"])
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--kernels", type=Path)
    options = parser.parse_args()
    photographs: Sequence[Tensor] = scikit_image_photographs(held_out=True)
    if options.photographs is not None:
        photographs = PhotoCache(split_photographs(options.photographs)[1])
    measured = None if options.kernels is None else MeasuredKernels.read(options.kernels)
    models = {
        name: Deblurrer(name, engine="torch", precision="float32", scale=1, tta=1) for name in options.models
    }
    side = SIDE + 2 * MARGIN
    sharp = torch.stack([p[:, :side, :side] for p in photographs if min(p.shape[1:]) >= side]).float() / 255
    truth = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    print(f"{len(sharp)} photographs\n{options.by:5}  nothing  " + "  ".join(models))
    for value in SCALES if options.by == "scale" else SLOPES:
        if options.by == "ramp":
            kernels = ramped_disc([RampedDisc(RADIUS, softness=1 / value)])
        elif measured is None:
            kernels = ramped_disc([RampedDisc(10 * value)])
        else:
            kernels = measured.at([CELL], [value])
        count = len(sharp)
        views = blur(to_linear(sharp), kernels.expand(count, -1, -1, -1), torch.arange(count))
        left, right = (torch.round(to_display(view) * 1023) / 1023 for view in views)
        baseline = psnr((left + right) / 2, truth)
        gains = [psnr(deblur(model, left, right), truth) - baseline for model in models.values()]
        columns = "  ".join(f"{gain.mean():+.2f} (worst {gain.min():+.2f})" for gain in gains)
        print(f"{value:5.2f}  {baseline.mean():7.2f}  {columns}")


def deblur(deblurrer: Deblurrer, left: Tensor, right: Tensor) -> Tensor:
    """Deblur N pairs (N, 3, H, W), display-encoded, one at a time."""
    views = (np.ascontiguousarray(view.permute(0, 2, 3, 1).numpy(), np.float32) for view in (left, right))
    pictures = [deblurrer(one, other) for one, other in zip(*views, strict=True)]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).clamp(0, 1)


def psnr(one: Tensor, other: Tensor) -> Tensor:
    """Compute the PSNR in dB (N,) of N pictures, each (N, 3, H, W)."""
    return -10 * torch.log10(((one - other) ** 2).mean((1, 2, 3)))


if __name__ == "__main__":
    main()
