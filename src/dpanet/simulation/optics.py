"""The lens that one scene is seen through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.errors import ConfigError
from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import SIZE, HalfDisc, MeasuredKernels, brightness, half_disc

RINGS: tuple[tuple[float, ...], ...] = (ORDERS, CUTOFFS, FLOORS)

FIELD = 1000
"""Pixels across the field that random scenes are parts of."""

EDGE, SQUEEZE = (0.8, 2.0), (0.8, 1.1)
"""What is drawn of half discs: px over which their border fades, and their height against their width."""

MAX_RADIUS = {"half-disc": float(int(SIZE / 2 / SQUEEZE[1] - EDGE[1] / 2)), "butterworth": 40.0}
"""The largest blur radius in px at which every lens that may be drawn has its kernels whole within `SIZE`."""

MAX_CLIP = 1.5
"""The largest `SceneConfig.clip`; beyond it the barrel can leave one view no light at all in the corner."""

GAUGE = 12.0
"""Blur radius in px at which the brightness of views is told; it is the same at any but the smallest."""


def off_axis(place: tuple[float, float], barrel: float) -> tuple[float, float]:
    """The `clip` of a `HalfDisc` at a place (y, x) of the field, 0..1.

    The barrel's front rim cuts off the side of the aperture that lies towards the border of the field: right of the
    axis the right view is the darker one. `barrel`: how far the rim is beside the aperture in the corner, in radii.
    """
    y, x = place
    return barrel * (1 - 2 * x) / 2**0.5, barrel * (1 - 2 * y) / 2**0.5


SHARES = (
    "measured",
    "butterworth",
    "print_share",
    "slanted",
    "one_sided",
    "vignetted",
    "curved",
    "soft",
    "sparkling",
    "unbalanced",
    "gray",
    "quantized",
)
"""Settings of scenes that are probabilities."""


@dataclass(frozen=True)
class SceneConfig:
    """How likely is what. Shares are probabilities; ranges are uniform unless said otherwise.

    measured: of scenes seen through the measured lens; the others through a half disc.
    butterworth: of those others, seen through a Butterworth ring instead.
    scale: largest |blur scale| of the measured lens. radius: largest blur radius of the half disc and the ring, px.
    layers: probabilities of 1, 2, 3 layers. print_share: of layers that are printed pages.
    slanted: of layers whose blur varies inside, by up to `slant` of the largest blur.
    one_sided: of scenes that lie on one side of the focal plane as a whole.
    vignetted: of scenes through a half disc whose barrel cuts into it off the axis, in the corner of the field by up
    to `clip` (`HalfDisc`). curved: of lenses with a curved field of focus, by up to `curvature` of the largest blur
    from the axis to the corner.
    soft: of surfaces whose pixels are softer than a shrunk photograph's, by a Gaussian of sigma `softness` px.
    sparkling: of surfaces with bright points far beyond white. unbalanced: of scenes whose views differ in
    brightness, as they do beside the axis when the flat field is not exact.
    gray: of scenes without color. pages: printed pages kept in stock.
    quantized: of clean raw readings that are in whole steps of 10 to 14 bits above a black level (`Sensor`).
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
    curved: float = 0.15
    curvature: float = 0.3
    soft: float = 0.7
    softness: tuple[float, float] = (0.3, 0.9)
    sparkling: float = 0.05
    unbalanced: float = 0.6
    gray: float = 0.5
    pages: int = 160
    butterworth: float = 0.0
    quantized: float = 0.5

    def __post_init__(self) -> None:
        for key in SHARES:
            if not 0 <= getattr(self, key) <= 1:
                raise ConfigError(f"{key} is {getattr(self, key)}; a share must be 0 to 1")
        # Negated comparisons, so that NaN fails them.
        if len(self.layers) != 3 or not min(self.layers) >= 0 or not abs(sum(self.layers) - 1) <= 1e-6:
            raise ConfigError(f"layers is {self.layers}; the three probabilities must sum to 1")
        for key in ("scale", "slant", "curvature"):
            if not 0 <= getattr(self, key) < float("inf"):
                raise ConfigError(f"{key} is {getattr(self, key)}; it must be a number, 0 or more")
        most = {"radius": MAX_RADIUS["butterworth" if self.butterworth else "half-disc"], "clip": MAX_CLIP}
        for key, value in most.items():
            if not 0 <= getattr(self, key) <= value:
                raise ConfigError(f"{key} is {getattr(self, key)}; it must be 0 to {value:g}")
        if not (0 <= self.softness[0] <= self.softness[1] < float("inf") and self.softness[1] > 0):
            raise ConfigError(
                f"softness is {self.softness}; give the least and the largest sigma in px, the largest above 0"
            )
        if self.pages < 1:
            raise ConfigError(f"pages is {self.pages}; it must be 1 or more")


BEFORE: Mapping[str, Any] = {"quantized": 0.0}
"""What scenes were made with before there were these settings: read for them where a record lacks them."""


class Optics:
    """The lens one scene is seen through: a kind of kernel and, for each layer, blur scales."""

    def __init__(
        self, rng: Generator, measured: MeasuredKernels | None, settings: SceneConfig, strength: float
    ) -> None:
        self.slanted, self.slant = settings.slanted, settings.slant
        self.scale, self.radius = settings.scale * strength, settings.radius * strength
        self.side = float(rng.choice((-1.0, 1.0))) if rng.random() < settings.one_sided else 0.0
        self.measured = measured if rng.random() < settings.measured else None
        self.is_measured = self.measured is not None
        self.largest_radius = self.radius if self.measured is None else self.scale * self.measured.radius
        self.place = (float(rng.uniform()), float(rng.uniform()))
        """(y, x) in the field, 0..1 from its top left corner: which measured kernels apply, and how far off axis."""
        barrel = settings.clip * float(rng.uniform()) if rng.random() < settings.vignetted else 0.0
        bend = settings.curvature * float(rng.uniform(-1, 1))
        self.bend = bend if rng.random() < settings.curved else 0.0
        self.lens = HalfDisc(
            radius=0.0,
            softness=float(rng.uniform(0.15, 1.6)),
            rim=float(rng.uniform(-0.5, 0.6)),
            edge=float(rng.uniform(*EDGE)),
            squeeze=float(rng.uniform(*SQUEEZE)),
            clip=off_axis(self.place, barrel),
        )
        self.ring: Ring | None = None
        if settings.butterworth > 0 and rng.random() < settings.butterworth and not self.is_measured:
            order, cutoff, floor = (values[int(rng.integers(len(values)))] for values in RINGS)
            self.ring = Ring(0.0, int(order), cutoff, floor)

    @property
    def gains(self) -> tuple[float, float]:
        """How bright left and right are against their mean; the light that both lose is left to the exposure."""
        if self.family != "half-disc" or not any(self.lens.clip):
            return 1.0, 1.0
        left, right = brightness([replace(self.lens, radius=GAUGE)])[0].tolist()
        return 2 * left / (left + right), 2 * right / (left + right)

    @property
    def family(self) -> str:
        """``measured``, ``butterworth`` or ``half-disc``."""
        if self.is_measured:
            return "measured"
        return "half-disc" if self.ring is None else "butterworth"

    @property
    def max_radius(self) -> float:
        """The largest blur radius in px whose kernel is whole within `SIZE`, for all lenses of the family."""
        if self.measured is not None:
            return self.measured.radius * self.measured.max_scale
        return MAX_RADIUS[self.family]

    def blurs(self, rng: Generator, size: int) -> tuple[list[float], Tensor]:
        """Blurs of one layer, -1..1 of the largest, and each one's share (N, 1, size, size)."""
        level = float(rng.uniform(-1, 1))
        level = self.side * abs(level) if self.side else level
        line = torch.linspace(-0.5, 0.5, size)
        levels = torch.full((size, size), level)
        if rng.random() < self.slanted:
            span, angle = float(rng.uniform(0.1, 1)) * self.slant, rng.uniform(0, 2 * np.pi)
            ramp = (line[:, None] * float(np.sin(angle)) + line * float(np.cos(angle))) / 1.2
            levels = levels + span * ramp.clamp(-0.5, 0.5)
        if self.bend:
            levels = levels + self.bend * self.farther(line * size)
        levels = levels.clamp(-1, 1)
        near, far = float(levels.min()), float(levels.max())
        if far - near < 1e-3:
            return [level], torch.ones(1, 1, size, size)
        nodes = 2 + int((far - near) / 0.15)
        place = (levels - near) * ((nodes - 1) / (far - near))
        share = torch.stack([(1 - (place - n).abs()).clamp(min=0) for n in range(nodes)])[:, None]
        return [float(v) for v in np.linspace(near, far, nodes)], share

    def farther(self, line: Tensor) -> Tensor:
        """(N, N) of N offsets in px from the middle of the scene: how much farther from the axis than the middle.

        Squared distance, 0 on the axis and 1 in the corner of the field, that of the middle subtracted.
        """
        y, x = (2 * at - 1 + 2 * line / FIELD for at in self.place)
        middle = sum((2 * at - 1) ** 2 for at in self.place)
        return (y[:, None] ** 2 + x**2 - middle) / 2

    def kernels(self, blurs: list[float], device: torch.device) -> Tensor:
        """Kernel pairs (N, 2, K, K) at those blurs, -1..1 of the largest."""
        return self.at_radii([blur * self.largest_radius for blur in blurs], device)

    def at_radii(self, radii: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Kernel pairs (N, 2, K, K) at signed blur radii in px.

        Raises: ConfigError for a radius whose kernel does not fit.
        """
        if self.measured is not None:
            scales = [radius / self.measured.radius for radius in radii]
            if self.measured.grid is None:  # no telling which kernels are neighbours
                cell = int(self.place[0] * len(self.measured))
                return self.measured.at([cell] * len(radii), scales, device)
            return self.measured.interpolate([self.place] * len(radii), scales, device)
        if self.ring is not None:
            return butterworth([replace(self.ring, radius=radius) for radius in radii], device)
        return half_disc([replace(self.lens, radius=radius) for radius in radii], device)
