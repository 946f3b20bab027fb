"""Pairs for the pictures of the docs, simulated from photographs in the public domain and from drawn print."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dpanet.pair import DualPixelPair, Pixels
from dpanet.recording.display import to_linear
from dpanet.recording.sensor import Sensor, record
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, Layer, render

NODES = 16
"""Kernels along the slope; blur between them is interpolated."""

PRINT = (
    "A dual-pixel sensor has two",
    "photodiodes under each lens.",
    "Each sees the scene through",
    "one half of the aperture.",
    "What is out of focus moves",
    "from one view to the other.",
)


def simulate_slope(
    photograph: NDArray[np.uint8], first: float, last: float, axis: int = 0, seed: int = 0
) -> tuple[DualPixelPair, Pixels, NDArray[np.float32]]:
    """Simulate a pair of a photograph on a slope: its blur changes evenly from one border to the opposite one.

    Args:
        photograph: (H, W, 3), sRGB.
        first: blur radius in signed px at the top (axis 0) or left border (axis 1).
        last: at the opposite border.
        axis: along which the radius changes.
        seed: decides the noise.

    Returns:
        The pair, the truth (H, W, 3), and the true blur radius (H, W) in signed px.
    """
    height, width = photograph.shape[:2]
    values = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None].float() / 255
    color = F.pad(to_linear(values), (MARGIN,) * 4, mode="reflect")
    radii = np.linspace(first, last, NODES)
    place = torch.linspace(0, NODES - 1, (height, width)[axis])
    shares = torch.stack([(1 - (place - node).abs()).clamp(min=0) for node in range(NODES)])
    shares = shares[:, None, :, None] if axis == 0 else shares[:, None, None, :]
    layer = Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=color,
        opacity=None,
        kernels=ramped_disc([RampedDisc(float(radius)) for radius in radii]),
        owner=torch.zeros(NODES, dtype=torch.long),
        share=shares.expand(-1, -1, height, width),
    )
    generator = torch.Generator().manual_seed(seed)
    left, right, truth = (
        np.ascontiguousarray(file[0].permute(1, 2, 0).numpy(), dtype=np.float32)
        for file in record(*render([layer]), [Sensor()], [generator])
    )
    line = np.linspace(first, last, (height, width)[axis], dtype=np.float32)
    radius = np.broadcast_to(line[:, None] if axis == 0 else line[None], (height, width))
    return DualPixelPair(left, right, "srgb"), truth, radius


def draw_print(width: int = 420, size: int = 22) -> NDArray[np.uint8]:
    """Draw lines of print, black on paper: (H, width, 3)."""
    lines = PRINT
    sheet = Image.new("RGB", (width, (size + 8) * len(lines) + 24), (236, 232, 222))
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((18, 12 + number * (size + 8)), line, (24, 22, 20), font("DejaVuSerif", size))
    return np.asarray(sheet)


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a DejaVu font that comes with Matplotlib."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / f"fonts/ttf/{name}.ttf"), size)
