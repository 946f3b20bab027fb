"""Pictures of docs/control.md: strength, and a background that keeps its blur."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from skimage.data import coffee

from dpanet import Deblurrer
from dpanet.deblurrer.control import Control
from dpanet.images.demo_pair import read_demo_pair
from dpanet.pair import DualPixelPair
from dpanet.recording.display import to_linear
from dpanet.recording.sensor import Sensor, record
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, Layer, render
from tools.simulated_pairs import draw_print

Panel = tuple[str, NDArray[np.floating]]

SHEET, CUP = 2.0, 10.0
"""Blur radius in px of the sheet in front and of the cup behind it."""


def show_strengths(deblurrer: Deblurrer) -> list[Panel]:
    """Return a part of the demo's pair at four strengths."""
    pair, _ = read_demo_pair()
    after = deblurrer(pair).pixels
    place = np.s_[62:222, 155:321]
    return [
        (f"strength {strength:g}", Control(strength).apply(after, pair.combined.pixels)[place])
        for strength in (0, 0.4, 0.7, 1)
    ]


def show_kept_background(deblurrer: Deblurrer) -> list[Panel]:
    """Return a sheet before a cup: as photographed, all sharpened, and only up to a blur of 4 px."""
    pair = simulate_sheet()
    after, radius = deblurrer.with_defocus_map(pair)
    combined = pair.combined.pixels
    kept = Control(keep_background=4).apply(after.pixels, combined, radius)
    place = np.s_[30:280, 70:294]
    return [
        ("before", combined[place]),
        ("all sharpened", after.pixels[place]),
        ("--keep-background", kept[place]),
    ]


def simulate_sheet(seed: int = 0) -> DualPixelPair:
    """Simulate a pair of a sheet of print, nearly in focus, before a cup far behind it: 300 x 420 px."""
    sheet = Image.new("RGBA", (420, 300))
    sheet.paste(Image.fromarray(draw_print()).resize((300, 146)), (60, 80))
    sheet = sheet.rotate(9, resample=Image.Resampling.BICUBIC)
    codes = np.asarray(sheet)
    layers = [
        _layer(coffee()[20:320, 80:500], None, CUP),
        _layer(codes[..., :3], codes[..., 3].astype(np.float32) / np.float32(255), SHEET),
    ]
    generator = torch.Generator().manual_seed(seed)
    left, right, _ = (
        np.ascontiguousarray(file[0].permute(1, 2, 0).numpy(), dtype=np.float32)
        for file in record(*render(layers), [Sensor()], [generator])
    )
    return DualPixelPair(left, right, "srgb")


def _layer(codes: NDArray[np.uint8], opacity: NDArray[np.float32] | None, radius: float) -> Layer:
    height, width = codes.shape[:2]
    values = torch.from_numpy(codes.copy()).permute(2, 0, 1)[None].float() / 255
    return Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=F.pad(to_linear(values), (MARGIN,) * 4, mode="reflect"),
        opacity=None if opacity is None else F.pad(torch.from_numpy(opacity)[None, None], (MARGIN,) * 4),
        kernels=ramped_disc([RampedDisc(radius)]),
        owner=torch.zeros(1, dtype=torch.long),
        share=torch.ones(1, 1, height, width),
    )
