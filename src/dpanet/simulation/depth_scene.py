"""A photograph with a depth map, seen through a lens: a stack of layers from the farthest to the nearest.

Blur radii are sorted to nodes; a pixel belongs to the two nodes around its radius, in shares, so that blur varies
smoothly on a slope. Behind what is nearer, each layer goes on with what is next to it: that is what a blurred
border shows. A node's opacity is its share of what no nearer node has, so that the unblurred stack is the
photograph, and an even scene stays even however it is blurred.
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

from dpanet.errors import ConfigError, DatasetError
from dpanet.simulation.depth_map import nearest, read_depth
from dpanet.simulation.display import to_linear
from dpanet.simulation.optics import Optics
from dpanet.simulation.render import MARGIN, Layer, render
from dpanet.simulation.sensor import draw_sensor, record
from dpanet.simulation.thin_lens import ThinLens

STEP, GROWTH = 0.5, 0.15
"""Pixels between nodes near focus, and part of the radius between them far from it."""

MIXED = 2
"""Pixels at a border in which a photograph mixes both sides' colors; no color goes on from there."""


def nodes(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signed radii in px of the layers, farthest (largest) first: both ends exactly, and 0 where it lies between."""
    low, high = float(radius.min()), float(radius.max())
    ladder = [0.0]
    while ladder[-1] < max(abs(low), abs(high)):
        ladder.append(ladder[-1] + max(STEP, GROWTH * ladder[-1]))
    both = np.array([-r for r in ladder[:0:-1]] + ladder)
    inner = both[(both > low + STEP / 5) & (both < high - STEP / 5) | (both == 0) & (low < 0) & (high > 0)]
    return np.unique(np.concatenate(([low], inner, [high])))[::-1]


def layers(color: Tensor, radius: NDArray[np.float64], optics: Optics) -> Iterator[Layer]:
    """The layers, one at a time, back to front.

    Args: color: (3, H, W), linear. radius: (H, W), signed blur radius in px, larger is farther.
    """
    radii = nodes(radius)
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
            rows, columns = nearest(known)
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


def blur_radius(
    depth: Path, shape: tuple[int, int], lens: ThinLens, most: float, size: int | None
) -> NDArray[np.float64]:
    """The signed blur radius (H, W) in px of a photograph of `shape` (H, W) with a depth map.

    Args:   most: the largest radius in px that can be simulated. size: px a side of the part that is wanted of it.
    Raises: DatasetError if map and photograph differ in size; ConfigError if the blur or the part is too large;
            `read_depth` for more.
    """
    height, width = shape
    metres = read_depth(depth)
    if metres.shape != (height, width):
        raise DatasetError(
            f"{depth} is {metres.shape[1]} x {metres.shape[0]} px, its photograph {width} x {height}; give a depth "
            "map of the photograph's size"
        )
    if size is not None and size > min(height, width):
        raise ConfigError(
            f"size is {size} px, but the photograph of {depth.name} is {width} x {height}; choose less"
        )
    radius = lens.radius(metres, width) + lens.field_curvature(height, width)
    largest = float(np.abs(radius).max())
    if largest > most:
        raise ConfigError(
            f"lens blurs {depth.name} by up to {largest:.1f} px, and at most {most:.1f} px are simulated; "
            "choose a larger N, a shorter f, or smaller pictures"
        )
    return radius


def depth_scene(
    rng: Generator,
    photograph: Tensor,
    depth: Path,
    lens: ThinLens,
    optics: Optics,
    size: int | None,
    quantized: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left, right, sharp (3, h, w) display-encoded, and the signed blur radius (h, w) in px.

    Args:   photograph: (3, H, W) uint8. size: px a side of a random part of it; None for the whole. quantized: as in
            `SceneConfig`.
    Raises: as `blur_radius`.
    """
    height, width = photograph.shape[1:]
    radius = blur_radius(depth, (height, width), lens, optics.max_radius, size)
    h, w = (height, width) if size is None else (size, size)
    top, left_edge = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = (slice(top, top + h + 2 * MARGIN), slice(left_edge, left_edge + w + 2 * MARGIN))
    around = ((MARGIN, MARGIN), (MARGIN, MARGIN))
    radius = np.pad(radius, around, mode="symmetric")[part]
    codes = np.pad(photograph.numpy(), ((0, 0), *around), mode="symmetric")[(slice(None), *part)]
    color = to_linear(torch.from_numpy(codes.astype(np.float32) / 255))
    views = render(layers(color, radius, optics))
    noise = torch.Generator().manual_seed(int(rng.integers(2**62)))
    left, right, sharp = record(*views, [draw_sensor(rng, optics.is_measured, quantized=quantized)], [noise])
    inner = radius[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)
    return left[0], right[0], sharp[0], torch.from_numpy(inner)
