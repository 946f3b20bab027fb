"""The simulator of random scenes: photographs, print and kernels become display-encoded pairs with their truth."""

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
from dpanet.recording.display import to_linear
from dpanet.recording.sensor import draw_sensor, record
from dpanet.simulation.content import draw_bright_points, draw_mask, draw_printed_page, random_crop
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.optics import Optics
from dpanet.simulation.render import MARGIN, Layer, defocus_map, render
from dpanet.simulation.scene_config import SceneConfig


class Scenes(NamedTuple):
    """A batch of N scenes, views and truth display-encoded."""

    left: Tensor
    """(N, 3, size, size) float32, 0..1."""
    right: Tensor
    """(N, 3, size, size) float32, 0..1."""
    truth: Tensor
    """(N, 3, size, size) float32, 0..1: the scene without blur and noise."""
    radius: Tensor | None
    """(N, 1, size, size), signed blur radius in px, positive behind the focal plane; None if it is unknown."""


class Simulator:
    """Simulates batches of random scenes.

    Args:   photographs: (3, H, W) uint8 each. measured: kernels of a real lens, or None for other lenses only.
            pages: printed pages, (3, H, W) uint8 each, instead of `config.pages` drawn here. page_seed: decides the
            pages that are drawn here; validation scenes take another one.
    Raises: ConfigError if the measured kernels do not fit at `config.scale`.
    """

    def __init__(
        self,
        photographs: Sequence[Tensor],
        measured: MeasuredKernels | None,
        config: SceneConfig | None = None,
        device: torch.device | str = "cpu",
        pages: Sequence[Tensor] | None = None,
        page_seed: int = 20,
    ) -> None:
        config = config or SceneConfig()
        self.config = config if measured is not None else replace(config, measured=0.0)
        self.measured = measured
        if measured is not None and self.config.measured > 0 and self.config.scale > measured.max_scale:
            raise ConfigError(
                f"scale is {self.config.scale:g}, but the measured kernels ({measured.names[0]}), "
                f"{measured.width} px wide, fit into {SIZE} px up to a scale of {measured.max_scale:.3f}; "
                "choose no more (data.scenes.scale where a config sets it), or crop the kernels"
            )
        self.device = torch.device(device)
        self.photographs = photographs
        rng = np.random.default_rng(page_seed)
        self.pages = [draw_printed_page(rng) for _ in range(self.config.pages)] if pages is None else pages

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """Simulate one scene for each seed.

        Scene i depends on seeds[i] alone, but for the rounding of sums: the rest of the batch does not matter.

        Args: seeds: N sequences of whole numbers, 0 or more. size: px a side. strength: factor of every blur, 0..1.
        """
        rngs = [np.random.default_rng(list(seed)) for seed in seeds]
        gray = [rng.random() < self.config.gray for rng in rngs]
        scenes: dict[int, Sequence[Tensor]] = {}
        for channels, is_gray in ((1, True), (3, False)):
            indices = [i for i in range(len(rngs)) if gray[i] == is_gray]
            if indices:
                group = self._simulate([rngs[i] for i in indices], size, channels, strength)
                scenes |= dict(zip(indices, zip(*group, strict=True), strict=True))
        left, right, truth, radius = (
            torch.stack([scenes[i][part] for i in range(len(rngs))]) for part in range(4)
        )
        return Scenes(left, right, truth, radius)

    def _simulate(
        self, rngs: list[Generator], size: int, channels: int, strength: float
    ) -> tuple[Tensor, ...]:
        """Simulate left, right, truth and radius of scenes with that many channels, one for each generator."""
        optics = [Optics(rng, self.measured, self.config, strength) for rng in rngs]
        top = [int(rng.choice(3, p=self.config.layers)) for rng in rngs]
        layers = [
            self._draw_layer(
                rngs, [i for i in range(len(rngs)) if top[i] >= k], optics, size, channels, k > 0
            )
            for k in range(max(top) + 1)
        ]
        left, right, truth = render(layers)
        gains = torch.tensor([lens.view_gains for lens in optics], device=self.device)
        left, right = (view * gains[:, i, None, None, None] for i, view in enumerate((left, right)))
        sensors = [
            draw_sensor(
                rng,
                lens.is_measured,
                self.config.unbalanced,
                self.config.quantized,
                self.config.developed,
                self.config.video,
                self.config.shaded,
            )
            for rng, lens in zip(rngs, optics, strict=True)
        ]
        noise = [torch.Generator(self.device).manual_seed(int(rng.integers(2**62))) for rng in rngs]
        views = [x.expand(-1, 3, -1, -1) for x in record(left, right, truth, sensors, noise)]
        scenes = zip(rngs, *views, defocus_map(layers), strict=True)
        return tuple(
            torch.stack(part) for part in zip(*(_flip_randomly(*scene) for scene in scenes), strict=True)
        )

    def _draw_layer(
        self,
        rngs: list[Generator],
        scenes: list[int],
        optics: list[Optics],
        size: int,
        channels: int,
        masked: bool,
    ) -> Layer:
        """Draw one layer of those of the batch's `scenes` that have it; `masked` unless it is the background."""
        canvas = size + 2 * MARGIN
        color = torch.stack([self._draw_surface(rngs[scene], canvas, channels) for scene in scenes])
        opacity = torch.stack([draw_mask(rngs[scene], canvas) for scene in scenes]) if masked else None
        owner, kernels, shares, radii = [], [], [], []
        for entry, scene in enumerate(scenes):
            blurs, share = optics[scene].draw_blurs(rngs[scene], size)
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

    def _draw_surface(self, rng: Generator, canvas: int, channels: int) -> Tensor:
        """Draw a photograph or print, exposed and tinted at random: linear light (channels, canvas, canvas)."""
        pictures = self.pages if rng.random() < self.config.print_share else self.photographs
        picture = to_linear(random_crop(rng, pictures[int(rng.integers(len(pictures)))], canvas))
        if channels == 1:
            weights = torch.from_numpy(rng.dirichlet((2.0, 4.0, 2.0)).astype(np.float32))
            picture = (picture * weights[:, None, None]).sum(0, keepdim=True)
        else:
            picture = picture[torch.from_numpy(rng.permutation(3))]
            picture = picture * torch.from_numpy(rng.uniform(0.75, 1.0, (3, 1, 1)).astype(np.float32))
        if rng.random() < self.config.soft:
            picture = _soften(picture, float(rng.uniform(*self.config.softness)))
        if rng.random() < 0.2:  # highlights beyond white become discs when out of focus
            picture = picture * (1 + float(rng.exponential(3.0)) * ((picture - 0.85) / 0.15).clamp(0, 1))
        if rng.random() < self.config.sparkling:
            picture = torch.maximum(picture, draw_bright_points(rng, canvas))
        exposure = float(np.exp(rng.uniform(np.log(0.3), np.log(1.15))))
        haze = float(rng.uniform(0, 0.03)) if rng.random() < 0.5 else 0.0
        return picture * exposure * (1 - haze) + haze


def _soften(picture: Tensor, sigma: float) -> Tensor:
    """Blur a picture (C, H, W) by a Gaussian of `sigma` px, cut off at 3 px."""
    line = np.exp(-0.5 * (np.arange(-3, 4) / sigma) ** 2).astype(np.float32)
    line /= line.sum()
    softened = [cv2.sepFilter2D(plane, -1, line, line) for plane in picture.numpy()]
    return torch.from_numpy(np.stack(softened))


def _flip_randomly(
    rng: Generator, left: Tensor, right: Tensor, truth: Tensor, radius: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mirror a pair (C, H, W) left-right, which swaps the views, and top-bottom, each with probability 1/2."""
    if rng.random() < 0.5:
        left, right, truth, radius = right.flip(-1), left.flip(-1), truth.flip(-1), radius.flip(-1)
    if rng.random() < 0.5:
        left, right, truth, radius = left.flip(-2), right.flip(-2), truth.flip(-2), radius.flip(-2)
    return left, right, truth, radius
