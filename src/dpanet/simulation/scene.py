"""The simulator: photographs, print and kernels become display-encoded pairs with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from torch import Tensor

from dpanet.errors import SettingsError
from dpanet.simulation.content import crop, outline, printed_page
from dpanet.simulation.display import to_linear
from dpanet.simulation.kernels import HalfDisc, MeasuredKernels, half_disc
from dpanet.simulation.render import MARGIN, Layer, defocus_map, render
from dpanet.simulation.sensor import Sensor, record


@dataclass(frozen=True)
class SceneSettings:
    """How likely is what. Shares are probabilities; ranges are uniform unless said otherwise.

    measured: of scenes seen through the measured lens; the others through a half disc.
    scale: largest |blur scale| of the measured lens. radius: largest blur radius of the half disc, px.
    layers: probabilities of 1, 2, 3 layers. print_share: of layers that are printed pages.
    slanted: of layers whose blur varies inside, by up to `slant` of the largest blur.
    grey: of scenes without colour. pages: printed pages kept in stock.
    """

    measured: float = 0.65
    scale: float = 1.6
    radius: float = 18.0
    layers: tuple[float, float, float] = (0.35, 0.4, 0.25)
    print_share: float = 0.35
    slanted: float = 0.35
    slant: float = 0.35
    grey: float = 0.5
    pages: int = 160

    def __post_init__(self) -> None:
        if abs(sum(self.layers) - 1) > 1e-6:
            raise SettingsError(f"layers is {self.layers}; the three probabilities must sum to 1")


class Simulator:
    """Makes batches of pairs, without end. The same generator state gives the same scenes.

    Args: photographs: (3, H, W) uint8 each. measured: kernels of a real lens, or None for half discs only.
    """

    def __init__(
        self,
        photographs: Sequence[Tensor],
        measured: MeasuredKernels | None,
        settings: SceneSettings | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        settings = settings or SceneSettings()
        self.settings = settings if measured is not None else replace(settings, measured=0.0)
        self.measured = measured
        self.device = torch.device(device)
        self.photographs = list(photographs)
        stock = np.random.default_rng(20)
        self.pages = [printed_page(stock) for _ in range(self.settings.pages)]

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
        optics = [_Optics(rng, self.measured, self.settings, strength) for _ in range(count)]
        depth = rng.choice(3, count, p=self.settings.layers)
        layers = [
            self._layer(rng, [i for i in range(count) if depth[i] >= k], optics, size, channels, k > 0)
            for k in range(int(depth.max()) + 1)
        ]
        left, right, truth = render(layers)
        sensors = [_sensor(rng, optics[i].is_measured) for i in range(count)]
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        left, right, truth = record(left, right, truth, sensors, noise)
        return _mirrored(rng, left, right, truth, defocus_map(layers))

    def _layer(
        self, rng: Generator, scenes: list[int], optics: list[_Optics], size: int, channels: int, masked: bool
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


class _Optics:
    """The lens one scene is seen through: a kind of kernel and, for each layer, blur scales."""

    def __init__(
        self, rng: Generator, measured: MeasuredKernels | None, settings: SceneSettings, strength: float
    ) -> None:
        self.slanted, self.slant = settings.slanted, settings.slant
        self.scale, self.radius = settings.scale * strength, settings.radius * strength
        self.measured = measured if rng.random() < settings.measured else None
        self.is_measured = self.measured is not None
        self.largest_radius = self.radius if self.measured is None else self.scale * self.measured.radius
        self.cell = int(rng.integers(len(measured))) if measured is not None else 0
        self.lens = HalfDisc(
            radius=0.0,
            softness=float(rng.uniform(0.15, 1.6)),
            rim=float(rng.uniform(-0.5, 0.6)),
            edge=float(rng.uniform(0.8, 2.0)),
            squeeze=float(rng.uniform(0.8, 1.1)),
        )

    def blurs(self, rng: Generator, size: int) -> tuple[list[float], Tensor]:
        """Blurs of one layer, -1..1 of the largest, and each one's share (N, 1, size, size)."""
        level = rng.uniform(-1, 1)
        level = float(np.sign(level)) * abs(level) ** 1.4  # what can be won is won at moderate blurs
        if rng.random() < 0.08:
            level *= 0.05
        if rng.random() >= self.slanted:
            return [float(level)], torch.ones(1, 1, size, size)
        span = float(rng.uniform(0.1, 1)) * self.slant
        near, far = max(level - span / 2, -1.0), min(level + span / 2, 1.0)
        nodes = 2 + int((far - near) / 0.15)
        angle = rng.uniform(0, 2 * np.pi)
        line = torch.linspace(-0.5, 0.5, size)
        ramp = (line[:, None] * float(np.sin(angle)) + line * float(np.cos(angle))) / 1.2 + 0.5
        place = ramp.clamp(0, 1) * (nodes - 1)
        share = torch.stack([(1 - (place - n).abs()).clamp(min=0) for n in range(nodes)])[:, None]
        return [float(v) for v in np.linspace(near, far, nodes)], share

    def kernels(self, blurs: list[float], device: torch.device) -> Tensor:
        """Kernel pairs (N, 2, K, K) at those blurs."""
        if self.measured is not None:
            return self.measured.at([self.cell] * len(blurs), [b * self.scale for b in blurs], device)
        return half_disc([replace(self.lens, radius=b * self.radius) for b in blurs], device)


def _sensor(rng: Generator, raw: bool) -> Sensor:
    """A clean raw reading, or a rendered file of some camera."""
    strength = float(np.exp(rng.uniform(np.log(0.3), np.log(10))))
    sensor = Sensor(shot=1e-6 * strength, read=3e-4 * strength**0.5)
    if rng.random() < 0.4:
        sensor = replace(sensor, tilt=float(rng.normal(0, 0.015)))
    if raw and rng.random() < 0.8:
        return sensor
    if rng.random() < 0.6:
        sensor = replace(sensor, contrast=float(rng.uniform(-0.2, 0.7)))
    if rng.random() < 0.4:
        sensor = replace(sensor, grain=float(rng.uniform(0.002, 0.02)))
    if rng.random() < 0.3:
        sensor = replace(sensor, levels=int(rng.choice((31, 63, 127, 255))))
    return sensor


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
