"""What a model does to pictures that are hardly blurred: doing nothing, mean gain and worst gain in dB by blur scale.

python benchmarks/nearly_sharp.py [MODEL ...] [--photographs FOLDER] [--kernels FOLDER]
    the photographs held out from training (of scikit-image unless given), blurred by the kernel pair of one place at
    every scale (a half disc of 10 px times the scale without --kernels), recorded without noise at 10 bits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from dpanet.training.source import own_photographs, split_photographs
from torch import Tensor

from dpanet import load_model
from dpanet.network.build import AnyNetwork
from dpanet.simulation.display import to_display, to_linear
from dpanet.simulation.kernels import HalfDisc, half_disc
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.render import MARGIN, blur

SCALES = (0.05, 0.15, 0.3, 0.6, 1.0)
SIDE = 192
CELL = 20
"""Place in the grid of measured kernels: one amid the field."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", default=["compact"])
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--kernels", type=Path)
    options = parser.parse_args()
    photographs: Sequence[Tensor] = own_photographs(held_out=True)
    if options.photographs is not None:
        photographs = PhotoCache(split_photographs(options.photographs)[1])
    measured = None if options.kernels is None else MeasuredKernels.read(options.kernels)
    models = {name: load_model(name) for name in options.models}
    side = SIDE + 2 * MARGIN
    sharp = torch.stack([p[:, :side, :side] for p in photographs if min(p.shape[1:]) >= side]).float() / 255
    truth = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    print(f"{len(sharp)} photographs\nscale  nothing  " + "  ".join(models))
    for scale in SCALES:
        kernels = half_disc([HalfDisc(10 * scale)]) if measured is None else measured.at([CELL], [scale])
        count = len(sharp)
        views = blur(to_linear(sharp), kernels.expand(count, -1, -1, -1), torch.arange(count))
        left, right = (torch.round(to_display(view) * 1023) / 1023 for view in views)
        nothing = psnr((left + right) / 2, truth)
        gains = [psnr(deblurred(network, left, right), truth) - nothing for network in models.values()]
        told = "  ".join(f"{gain.mean():+.2f} (worst {gain.min():+.2f})" for gain in gains)
        print(f"{scale:5.2f}  {nothing.mean():7.2f}  {told}")


@torch.inference_mode()
def deblurred(network: AnyNetwork, left: Tensor, right: Tensor) -> Tensor:
    return torch.cat([network(a[None], b[None]) for a, b in zip(left, right, strict=True)]).clamp(0, 1)


def psnr(one: Tensor, other: Tensor) -> Tensor:
    """(N, 3, H, W) each -> (N,), dB."""
    return -10 * torch.log10(((one - other) ** 2).mean((1, 2, 3)))


if __name__ == "__main__":
    main()
