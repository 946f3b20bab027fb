"""The simulator: photographs, print and kernels become display-encoded pairs with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.errors import ConfigError
from dpanet.simulation.content import crop, outline, printed_page, sparks
from dpanet.simulation.display import to_linear
from dpanet.simulation.kernels import SIZE, MeasuredKernels
from dpanet.simulation.optics import Optics
from dpanet.simulation.render import MARGIN, Layer, defocus_map, render
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.sensor import draw_sensor, record


class Scenes(NamedTuple):
    """Scenes to train on or to write.

    left, right, truth: (N, 3, size, size) float32, display-encoded, 0..1. radius: (N, 1, size, size), the signed blur
    radius in px (docs/simulation.md), or None where it is not known.
    """

    left: Tensor
    right: Tensor
    truth: Tensor
    radius: Tensor | None


class Simulator:
    """Makes dual-pixel scenes, as many as there are seeds.

    Args:   photographs: (3, H, W) uint8 each. measured: kernels of a real lens, or None for other lenses only.
            pages: printed pages, (3, H, W) uint8 each, instead of `settings.pages` of our own. page_seed: decides our
            own pages; another one gives other pages, such as scenes that are held out need.
    Raises: ConfigError if the measured kernels do not fit at `settings.scale`.
    """

    def __init__(
        self,
        photographs: Sequence[Tensor],
        measured: MeasuredKernels | None,
        settings: SceneConfig | None = None,
        device: torch.device | str = "cpu",
        pages: Sequence[Tensor] | None = None,
        page_seed: int = 20,
    ) -> None:
        settings = settings or SceneConfig()
        self.settings = settings if measured is not None else replace(settings, measured=0.0)
        self.measured = measured
        if measured is not None and self.settings.measured > 0 and self.settings.scale > measured.max_scale:
            raise ConfigError(
                f"scale is {self.settings.scale:g}, but the measured kernels ({measured.names[0]}), "
                f"{measured.width} px wide, fit into {SIZE} px up to a scale of {measured.max_scale:.3f}; "
                "choose no more (data.scenes.scale where a recipe sets it), or crop the kernels"
            )
        self.device = torch.device(device)
        self.photographs = photographs
        stock = np.random.default_rng(page_seed)
        self.pages = [printed_page(stock) for _ in range(self.settings.pages)] if pages is None else pages

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """One scene, `size` px a side, for each of `seeds`, with its radius.

        Scene i is drawn from a generator seeded with seeds[i] and from nothing else: it is the same, but for the
        rounding of sums, whatever else is in the batch. `strength` shrinks every blur, so that training may
        begin with what is easy.
        """
        drawn = [np.random.default_rng(list(seed)) for seed in seeds]
        gray = [rng.random() < self.settings.gray for rng in drawn]
        made: dict[int, Sequence[Tensor]] = {}
        for channels, wanted in ((1, True), (3, False)):
            places = [i for i in range(len(drawn)) if gray[i] == wanted]
            if places:
                group = self._group([drawn[i] for i in places], size, channels, strength)
                made |= dict(zip(places, zip(*group, strict=True), strict=True))
        left, right, truth, radius = (
            torch.stack([made[i][part] for i in range(len(drawn))]) for part in range(4)
        )
        return Scenes(left, right, truth, radius)

    def _group(self, drawn: list[Generator], size: int, channels: int, strength: float) -> tuple[Tensor, ...]:
        """left, right, truth, radius of scenes with so many channels, each from its own generator."""
        optics = [Optics(rng, self.measured, self.settings, strength) for rng in drawn]
        depth = [int(rng.choice(3, p=self.settings.layers)) for rng in drawn]
        layers = [
            self._layer(drawn, [i for i in range(len(drawn)) if depth[i] >= k], optics, size, channels, k > 0)
            for k in range(max(depth) + 1)
        ]
        left, right, truth = render(layers)
        gains = torch.tensor([lens.view_gains for lens in optics], device=self.device)
        left, right = (view * gains[:, i, None, None, None] for i, view in enumerate((left, right)))
        sensors = [
            draw_sensor(rng, lens.is_measured, self.settings.unbalanced, self.settings.quantized)
            for rng, lens in zip(drawn, optics, strict=True)
        ]
        noise = [torch.Generator(self.device).manual_seed(int(rng.integers(2**62))) for rng in drawn]
        views = [x.expand(-1, 3, -1, -1) for x in record(left, right, truth, sensors, noise)]
        scenes = zip(drawn, *views, defocus_map(layers), strict=True)
        return tuple(torch.stack(part) for part in zip(*(_mirrored(*one) for one in scenes), strict=True))

    def _layer(
        self,
        drawn: list[Generator],
        scenes: list[int],
        optics: list[Optics],
        size: int,
        channels: int,
        masked: bool,
    ) -> Layer:
        canvas = size + 2 * MARGIN
        color = torch.stack([self._surface(drawn[scene], canvas, channels) for scene in scenes])
        opacity = torch.stack([outline(drawn[scene], canvas) for scene in scenes]) if masked else None
        owner, kernels, shares, radii = [], [], [], []
        for entry, scene in enumerate(scenes):
            blurs, share = optics[scene].draw_blurs(drawn[scene], size)
            kernels.append(optics[scene].kernels_at_blurs(blurs, self.device))
            shares.append(share)
            radii += [blur * optics[scene].largest_radius for blur in blurs]
            owner += [entry] * len(blurs)
        device = self.device
        return Layer(
            scenes=torch.tensor(scenes, device=device),
            color=color.to(device),
            opacity=None if opacity is None else opacity.to(device),
            kernels=torch.cat(kernels),
            owner=torch.tensor(owner, device=device),
            share=torch.cat(shares).to(device),
            radius=torch.tensor(radii, device=device),
        )

    def _surface(self, rng: Generator, canvas: int, channels: int) -> Tensor:
        """Linear light (channels, canvas, canvas): a photograph or print, exposed and tinted at random."""
        stock = self.pages if rng.random() < self.settings.print_share else self.photographs
        picture = to_linear(crop(rng, stock[int(rng.integers(len(stock)))], canvas))
        if channels == 1:
            weights = torch.from_numpy(rng.dirichlet((2.0, 4.0, 2.0)).astype(np.float32))
            picture = (picture * weights[:, None, None]).sum(0, keepdim=True)
        else:
            picture = picture[torch.from_numpy(rng.permutation(3))]
            picture = picture * torch.from_numpy(rng.uniform(0.75, 1.0, (3, 1, 1)).astype(np.float32))
        if rng.random() < self.settings.soft:
            picture = _soften(picture, float(rng.uniform(*self.settings.softness)))
        if rng.random() < 0.2:  # highlights beyond white become discs when out of focus
            picture = picture * (1 + float(rng.exponential(3.0)) * ((picture - 0.85) / 0.15).clamp(0, 1))
        if rng.random() < self.settings.sparkling:
            picture = torch.maximum(picture, sparks(rng, canvas))
        exposure = float(np.exp(rng.uniform(np.log(0.3), np.log(1.15))))
        haze = float(rng.uniform(0, 0.03)) if rng.random() < 0.5 else 0.0
        return picture * exposure * (1 - haze) + haze


def _soften(picture: Tensor, sigma: float) -> Tensor:
    line = np.exp(-0.5 * (np.arange(-3, 4) / sigma) ** 2).astype(np.float32)
    line /= line.sum()
    softened = [cv2.sepFilter2D(plane, -1, line, line) for plane in picture.numpy()]
    return torch.from_numpy(np.stack(softened))


def _mirrored(
    rng: Generator, left: Tensor, right: Tensor, truth: Tensor, radius: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The symmetries of a pair (C, H, W): mirrored left-right with the views swapped, and top-bottom."""
    if rng.random() < 0.5:
        left, right, truth, radius = right.flip(-1), left.flip(-1), truth.flip(-1), radius.flip(-1)
    if rng.random() < 0.5:
        left, right, truth, radius = left.flip(-2), right.flip(-2), truth.flip(-2), radius.flip(-2)
    return left, right, truth, radius
