"""The simulator: photographs, print and kernels become display-encoded pairs with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from torch import Tensor

from dpanet.simulation.content import crop, outline, printed_page
from dpanet.simulation.display import to_linear
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.simulation.optics import Optics, SceneSettings
from dpanet.simulation.render import MARGIN, Layer, defocus_map, render
from dpanet.simulation.sensor import draw_sensor, record

__all__ = ["SceneSettings", "Simulator"]


class Simulator:
    """Makes batches of pairs, without end. The same generator state gives the same scenes.

    Args: photographs: (3, H, W) uint8 each. measured: kernels of a real lens, or None for other lenses only.
          pages: printed pages, (3, H, W) uint8 each, instead of `settings.pages` of our own.
    """

    def __init__(
        self,
        photographs: Sequence[Tensor],
        measured: MeasuredKernels | None,
        settings: SceneSettings | None = None,
        device: torch.device | str = "cpu",
        pages: Sequence[Tensor] | None = None,
    ) -> None:
        settings = settings or SceneSettings()
        self.settings = settings if measured is not None else replace(settings, measured=0.0)
        self.measured = measured
        self.device = torch.device(device)
        self.photographs = photographs
        stock = np.random.default_rng(20)
        self.pages = [printed_page(stock) for _ in range(self.settings.pages)] if pages is None else pages

    def batch(
        self, rng: Generator, count: int, size: int, strength: float = 1.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`count` scenes: left, right, truth, each (count, 3, size, size), display-encoded, 0..1.

        `strength` shrinks every blur, so that training may begin with what is easy.
        """
        left, right, truth, _ = self.batch_with_defocus(rng, count, size, strength)
        return left, right, truth

    def batch_with_defocus(
        self, rng: Generator, count: int, size: int, strength: float = 1.0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As `batch`, and the signed blur radius (count, 1, size, size) in px."""
        grey = int(rng.binomial(count, self.settings.grey))
        parts = [self._scenes(rng, n, size, c, strength) for n, c in ((grey, 1), (count - grey, 3)) if n]
        left, right, truth = (torch.cat([p[i].expand(-1, 3, -1, -1) for p in parts]) for i in range(3))
        return left, right, truth, torch.cat([p[3] for p in parts])

    def _scenes(
        self, rng: Generator, count: int, size: int, channels: int, strength: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        optics = [Optics(rng, self.measured, self.settings, strength) for _ in range(count)]
        depth = rng.choice(3, count, p=self.settings.layers)
        layers = [
            self._layer(rng, [i for i in range(count) if depth[i] >= k], optics, size, channels, k > 0)
            for k in range(int(depth.max()) + 1)
        ]
        left, right, truth = render(layers)
        sensors = [draw_sensor(rng, optics[i].is_measured) for i in range(count)]
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        left, right, truth = record(left, right, truth, sensors, noise)
        return _mirrored(rng, left, right, truth, defocus_map(layers))

    def _layer(
        self, rng: Generator, scenes: list[int], optics: list[Optics], size: int, channels: int, masked: bool
    ) -> Layer:
        canvas = size + 2 * MARGIN
        colour = torch.stack([self._surface(rng, canvas, channels) for _ in scenes])
        opacity = torch.stack([outline(rng, canvas) for _ in scenes]) if masked else None
        owner, kernels, shares, radii = [], [], [], []
        for entry, scene in enumerate(scenes):
            blurs, share = optics[scene].blurs(rng, size)
            kernels.append(optics[scene].kernels(blurs, self.device))
            shares.append(share)
            radii += [blur * optics[scene].largest_radius for blur in blurs]
            owner += [entry] * len(blurs)
        device = self.device
        return Layer(
            scenes=torch.tensor(scenes, device=device),
            colour=colour.to(device),
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
        if rng.random() < 0.4:  # not every scene's pixels are as sharp as a shrunk photograph's
            picture = _soften(picture, float(rng.uniform(0.3, 0.75)))
        if rng.random() < 0.2:  # highlights beyond white become discs when out of focus
            picture = picture * (1 + float(rng.exponential(3.0)) * ((picture - 0.85) / 0.15).clamp(0, 1))
        exposure = float(np.exp(rng.uniform(np.log(0.3), np.log(1.15))))
        haze = float(rng.uniform(0, 0.03)) if rng.random() < 0.5 else 0.0
        return picture * exposure * (1 - haze) + haze


def _soften(picture: Tensor, sigma: float) -> Tensor:
    line = torch.exp(-0.5 * (torch.arange(-2, 3) / sigma) ** 2)
    line = line / line.sum()
    padded = F.pad(picture[:, None], (2, 2, 2, 2), mode="reflect")
    return F.conv2d(F.conv2d(padded, line.reshape(1, 1, 1, 5)), line.reshape(1, 1, 5, 1))[:, 0]


def _mirrored(
    rng: Generator, left: Tensor, right: Tensor, truth: Tensor, radius: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The symmetries of a pair: mirrored left-right with the views swapped, and top-bottom."""
    if rng.random() < 0.5:
        left, right, truth, radius = right.flip(-1), left.flip(-1), truth.flip(-1), radius.flip(-1)
    if rng.random() < 0.5:
        left, right, truth, radius = left.flip(-2), right.flip(-2), truth.flip(-2), radius.flip(-2)
    return left, right, truth, radius
