"""A photograph with a depth map, seen through a lens: layers from the farthest to the nearest.

Each layer has one blur radius; a pixel belongs to the two layers around its radius, in shares, so that blur varies
smoothly on a slope. Behind nearer things, a layer is continued with its nearest pixels: they show through blurred
borders. A layer's opacity is its share of what no nearer layer has, so that the unblurred stack is the photograph,
and an even scene stays even however it is blurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from torch import Tensor

from dpanet.containers.header import Header
from dpanet.datasets.depth_map import nearest_known, read_depth_of
from dpanet.errors import ConfigError, shown
from dpanet.recording.display import to_linear
from dpanet.recording.sensor import draw_sensor, record
from dpanet.simulation.optics import Optics
from dpanet.simulation.render import MARGIN, Layer, render
from dpanet.simulation.thin_lens import ThinLens

STEP, GROWTH = 0.5, 0.15
"""Step between the radii of layers: px near focus, share of the radius far from it."""

MIXED = 2
"""Pixels at a border in which a photograph mixes the colors of both sides; layers are not continued from there."""


def layer_radii(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the radii of the layers for a map of signed blur radii in px.

    Returns: px, farthest (largest) first: both extremes of the map exactly, and 0 if it is between them.
    """
    low, high = float(radius.min()), float(radius.max())
    ladder = [0.0]
    while ladder[-1] < max(abs(low), abs(high)):
        ladder.append(ladder[-1] + max(STEP, GROWTH * ladder[-1]))
    both = np.array([-r for r in ladder[:0:-1]] + ladder)
    inner = both[(both > low + STEP / 5) & (both < high - STEP / 5) | (both == 0) & (low < 0) & (high > 0)]
    return np.unique(np.concatenate(([low], inner, [high])))[::-1]


def split_into_layers(color: Tensor, radius: NDArray[np.float64], optics: Optics) -> Iterator[Layer]:
    """Split a photograph into layers, back to front; they are built one at a time.

    Args: color: (3, H, W), linear. radius: (H, W), signed blur radius in px, larger is farther. optics: gives the
          kernels.
    """
    radii = layer_radii(radius)
    place = np.interp(-radius, -radii, np.arange(len(radii)))
    height, width = radius.shape
    first = True
    for node, blur in enumerate(radii):
        if not (np.abs(place - node) < 1).any():
            continue
        seen = place < node + 1
        opacity = np.ones_like(place) if first else np.clip(place - node + 1, 0, 1)
        shown = color
        if not seen.all():
            whole = binary_erosion(seen, iterations=MIXED, border_value=1)
            known = seen if not whole.any() else whole
            rows, columns = nearest_known(known)
            opacity = np.where(seen, opacity, opacity[rows, columns])
            there = torch.from_numpy(seen)
            shown = torch.where(there, color, color[:, torch.from_numpy(rows), torch.from_numpy(columns)])
        yield Layer(
            scenes=torch.zeros(1, dtype=torch.long),
            color=shown[None],
            opacity=None if first else torch.from_numpy(opacity.astype(np.float32))[None, None],
            kernels=optics.kernels_at_radii([float(blur)]),
            owner=torch.zeros(1, dtype=torch.long),
            share=torch.ones(1, 1, height - 2 * MARGIN, width - 2 * MARGIN),
        )
        first = False


def read_blur_radius(
    photograph: Header, depth: Path, lens: ThinLens, limit: float, size: int | None
) -> NDArray[np.float64]:
    """Read a depth map and compute the blur radius of each pixel.

    Args:    photograph: header of the photograph. depth: file of its depth map. limit: largest radius in px that can
             be simulated. size: px a side of the part of the photograph that is needed, or None for the whole.
    Returns: (H, W) of the upright photograph, signed, px, positive behind the focal plane.
    Raises:  DatasetError if map and photograph differ in size; ConfigError if the blur or the part is too large;
             `read_depth_of` for more.
    """
    metres = read_depth_of(photograph, depth)
    height, width = metres.shape
    if size is not None and size > min(height, width):
        raise ConfigError(
            f"size is {size} px, but the photograph of {shown(depth.name)} is {width} x {height}; choose less"
        )
    radius = lens.radius(metres, width) + lens.field_curvature(height, width)
    largest = float(np.abs(radius).max())
    if largest > limit:
        raise ConfigError(
            f"lens blurs {shown(depth.name)} by up to {largest:.1f} px, and at most {limit:.1f} px are simulated; "
            "choose a larger N, a shorter f, or smaller pictures"
        )
    return radius


def simulate_depth_scene(
    rng: Generator,
    photograph: Tensor,
    radius: NDArray[np.float64],
    optics: Optics,
    size: int | None,
    quantized: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Simulate a photograph with a depth map.

    Args:    rng: decides the part and the sensor. photograph: (3, H, W) uint8, upright. radius: (H, W), of
             `read_blur_radius`. size: px a side of a random part of it; None for the whole. quantized: as in
             `SceneConfig`.
    Returns: left, right and sharp (3, h, w), display-encoded, 0..1, and the signed blur radius (h, w) in px.
    """
    height, width = photograph.shape[1:]
    h, w = (height, width) if size is None else (size, size)
    top, left_edge = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = (slice(top, top + h + 2 * MARGIN), slice(left_edge, left_edge + w + 2 * MARGIN))
    around = ((MARGIN, MARGIN), (MARGIN, MARGIN))
    radius = np.pad(radius, around, mode="symmetric")[part]
    codes = np.pad(photograph.numpy(), ((0, 0), *around), mode="symmetric")[(slice(None), *part)]
    color = to_linear(torch.from_numpy(codes.astype(np.float32) / 255))
    views = render(split_into_layers(color, radius, optics))
    noise = torch.Generator().manual_seed(int(rng.integers(2**62)))
    left, right, sharp = record(*views, [draw_sensor(rng, optics.is_measured, quantized=quantized)], [noise])
    inner = radius[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)
    return left[0], right[0], sharp[0], torch.from_numpy(inner)
