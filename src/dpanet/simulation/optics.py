"""The lens that one scene is seen through."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.errors import SettingsError
from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import SIZE, HalfDisc, MeasuredKernels, half_disc

RINGS: tuple[tuple[float, ...], ...] = (ORDERS, CUTOFFS, FLOORS)


@dataclass(frozen=True)
class SceneSettings:
    """How likely is what. Shares are probabilities; ranges are uniform unless said otherwise.

    measured: of scenes seen through the measured lens; the others through a half disc.
    butterworth: of those others, seen through a Butterworth ring instead.
    scale: largest |blur scale| of the measured lens. radius: largest blur radius of the half disc and the ring, px.
    layers: probabilities of 1, 2, 3 layers. print_share: of layers that are printed pages.
    slanted: of layers whose blur varies inside, by up to `slant` of the largest blur.
    one_sided: of scenes that lie on one side of the focal plane as a whole.
    vignetted: of scenes through a half disc that are seen off the axis, by up to `clip` (`HalfDisc`).
    soft: of surfaces whose pixels are softer than a shrunk photograph's, by a Gaussian of sigma `softness` px.
    sparkling: of surfaces with bright points far beyond white. unbalanced: of scenes whose views differ in
    brightness, as they do beside the axis when the flat field is not exact.
    grey: of scenes without colour. pages: printed pages kept in stock.
    """

    measured: float = 0.65
    scale: float = 1.6
    radius: float = 18.0
    layers: tuple[float, float, float] = (0.35, 0.4, 0.25)
    print_share: float = 0.35
    slanted: float = 0.35
    slant: float = 0.35
    one_sided: float = 0.6
    vignetted: float = 0.3
    clip: float = 0.7
    soft: float = 0.7
    softness: tuple[float, float] = (0.3, 0.9)
    sparkling: float = 0.05
    unbalanced: float = 0.6
    grey: float = 0.5
    pages: int = 160
    butterworth: float = 0.0

    def __post_init__(self) -> None:
        if abs(sum(self.layers) - 1) > 1e-6:
            raise SettingsError(f"layers is {self.layers}; the three probabilities must sum to 1")


class Optics:
    """The lens one scene is seen through: a kind of kernel and, for each layer, blur scales."""

    def __init__(
        self, rng: Generator, measured: MeasuredKernels | None, settings: SceneSettings, strength: float
    ) -> None:
        self.slanted, self.slant = settings.slanted, settings.slant
        self.scale, self.radius = settings.scale * strength, settings.radius * strength
        self.side = float(rng.choice((-1.0, 1.0))) if rng.random() < settings.one_sided else 0.0
        self.measured = measured if rng.random() < settings.measured else None
        self.is_measured = self.measured is not None
        self.largest_radius = self.radius if self.measured is None else self.scale * self.measured.radius
        self.place = (float(rng.uniform()), float(rng.uniform()))
        """(y, x) in the field of the measured lens, 0..1."""
        far, angle = settings.clip * float(rng.uniform()), float(rng.uniform(0, 2 * np.pi))
        off_axis = rng.random() < settings.vignetted
        self.lens = HalfDisc(
            radius=0.0,
            softness=float(rng.uniform(0.15, 1.6)),
            rim=float(rng.uniform(-0.5, 0.6)),
            edge=float(rng.uniform(0.8, 2.0)),
            squeeze=float(rng.uniform(0.8, 1.1)),
            clip=(far * float(np.cos(angle)), far * float(np.sin(angle))) if off_axis else (0.0, 0.0),
        )
        self.ring: Ring | None = None
        if settings.butterworth > 0 and rng.random() < settings.butterworth and not self.is_measured:
            order, cutoff, floor = (values[int(rng.integers(len(values)))] for values in RINGS)
            self.ring = Ring(0.0, int(order), cutoff, floor)

    @property
    def family(self) -> str:
        """``measured``, ``butterworth`` or ``half-disc``."""
        if self.is_measured:
            return "measured"
        return "half-disc" if self.ring is None else "butterworth"

    @property
    def most_radius(self) -> float:
        """The largest blur radius in px whose kernel is whole within `SIZE`."""
        if self.measured is not None:
            return self.measured.radius * SIZE / self.measured.pairs.shape[-1]
        return 46.0 if self.ring is None else 40.0

    def blurs(self, rng: Generator, size: int) -> tuple[list[float], Tensor]:
        """Blurs of one layer, -1..1 of the largest, and each one's share (N, 1, size, size)."""
        level = float(rng.uniform(-1, 1))
        level = self.side * abs(level) if self.side else level
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
        """Kernel pairs (N, 2, K, K) at those blurs, -1..1 of the largest."""
        return self.at_radii([blur * self.largest_radius for blur in blurs], device)

    def at_radii(self, radii: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Kernel pairs (N, 2, K, K) at signed blur radii in px.

        Raises: SettingsError for a radius whose kernel does not fit.
        """
        if self.measured is not None:
            scales = [radius / self.measured.radius for radius in radii]
            if self.measured.grid is None:  # no telling which kernels are neighbours
                cell = int(self.place[0] * len(self.measured))
                return self.measured.at([cell] * len(radii), scales, device)
            return self.measured.between([self.place] * len(radii), scales, device)
        if self.ring is not None:
            return butterworth([replace(self.ring, radius=radius) for radius in radii], device)
        return half_disc([replace(self.lens, radius=radius) for radius in radii], device)
