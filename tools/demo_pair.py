"""Simulate the pair of the demonstration, from a photograph that a dependency ships.

The package contains what `write_demo_pair` wrote (`dpanet.images.demo_pair`). To write it again, in a clone:
python -c "from tools.demo_pair import write_demo_pair as write; write('src/dpanet/images/demo')"
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from dpanet.pair import DualPixelPair, Picture, Pixels
from dpanet.recording.display import to_linear
from dpanet.recording.sensor import Sensor, record
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, Layer, render

NEAREST, FARTHEST = 2.5, 8.0
"""Blur radius in px at the left and at the right border."""

NODES = 12
"""Number of kernels across the picture; blur is interpolated between them."""


def demo_pair(seed: int = 0) -> tuple[DualPixelPair, Picture]:
    """Simulate a pair and its truth, 512 x 512, display-encoded; the blur grows from left to right.

    The photograph is scikit-image's `astronaut` (NASA, public domain).

    Args: seed: decides the noise.
    """
    from skimage.data import astronaut

    pixels = astronaut()
    photograph = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    color = F.pad(to_linear(photograph), (MARGIN,) * 4, mode="reflect")
    radii = np.linspace(NEAREST, FARTHEST, NODES)
    place = torch.linspace(0, NODES - 1, photograph.shape[-1])
    shares = [(1 - (place - node).abs()).clamp(min=0) for node in range(NODES)]
    layer = Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=color,
        opacity=None,
        kernels=ramped_disc([RampedDisc(float(r)) for r in radii]),
        owner=torch.zeros(NODES, dtype=torch.long),
        share=torch.stack(shares)[:, None, None].expand(-1, -1, photograph.shape[-2], -1),
    )
    generator = torch.Generator().manual_seed(seed)
    left, right, truth = (_pixels(x) for x in record(*render([layer]), [Sensor()], [generator]))
    return DualPixelPair(left, right, "srgb"), Picture(truth, "srgb")


def write_demo_pair(folder: str | Path) -> None:
    """Write left.webp, right.webp and truth.webp of `demo_pair` to a folder, lossless, 8 bits."""
    from PIL import Image

    pair, truth = demo_pair()
    for name, pixels in (("left", pair.left), ("right", pair.right), ("truth", truth.pixels)):
        codes = np.rint(pixels * 255).astype(np.uint8)
        Image.fromarray(codes).save(Path(folder) / f"{name}.webp", lossless=True, quality=100, method=6)


def _pixels(file: torch.Tensor) -> Pixels:
    return np.ascontiguousarray(file[0].permute(1, 2, 0).numpy(), dtype=np.float32)
