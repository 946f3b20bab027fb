"""The lens of one scene: its kernels at any blur, and the blur of each layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import RampedDisc, ramped_disc, view_brightness
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.scene_config import (
    EDGE,
    MAX_RADIUS,
    MILD_RAMP,
    NEARLY_SHARP,
    SHARP_RAMP,
    SQUEEZE,
    SceneConfig,
)

RINGS: tuple[tuple[float, ...], ...] = (ORDERS, CUTOFFS, FLOORS)

FIELD = 1000
"""Pixels across the whole field of the lens; a random scene is a part of it."""

REFERENCE_RADIUS = 12.0
"""Blur radius in px at which the brightness of the views is computed; any but the smallest gives the same."""

NODE_STEP = 0.15
"""Blur between neighboring kernels of a layer whose blur varies, as a share of the largest blur."""


def barrel_clip(position: tuple[float, float], shift: float) -> tuple[float, float]:
    """Compute `RampedDisc.clip` at a position of the field.

    The barrel's front rim cuts off the side of the aperture that is towards the border of the field: right of the
    axis the right view is the darker one.

    Args:    position: (y, x), 0..1 from the top left corner of the field. shift: of the rim against the aperture in
             the corner of the field, in radii.
    Returns: (x, y) in radii.
    """
    y, x = position
    return shift * (1 - 2 * x) / 2**0.5, shift * (1 - 2 * y) / 2**0.5


def draw_softness(rng: Generator, mild_ramp: float) -> float:
    """Draw `RampedDisc.softness`, which is one over the slope of the ramp.

    With probability `mild_ramp` the slope is uniform in `MILD_RAMP`; otherwise its inverse is, in `SHARP_RAMP`.
    """
    if mild_ramp > 0 and rng.random() < mild_ramp:
        return 1 / float(rng.uniform(*MILD_RAMP))
    return float(rng.uniform(1 / SHARP_RAMP[1], 1 / SHARP_RAMP[0]))


class Optics:
    """The lens of one scene, drawn at random.

    Args: rng: decides the lens. measured: kernels of a real lens, or None. config: what may be drawn. strength:
          factor of every blur, 0..1.
    """

    def __init__(
        self, rng: Generator, measured: MeasuredKernels | None, config: SceneConfig, strength: float
    ) -> None:
        if config.nearly_sharp > 0 and rng.random() < config.nearly_sharp:
            strength = strength * float(rng.uniform(0, NEARLY_SHARP))
        self._slanted, self._slant = config.slanted, config.slant
        self._side = float(rng.choice((-1.0, 1.0))) if rng.random() < config.one_sided else 0.0
        self.measured = measured if rng.random() < config.measured else None
        """The measured lens, if the scene is seen through it."""
        self.largest_radius = (
            config.radius * strength
            if self.measured is None
            else config.scale * strength * self.measured.radius
        )
        """Largest blur radius in px of the scene."""
        self.position = (float(rng.uniform()), float(rng.uniform()))
        """(y, x) of the scene's middle in the field, 0..1 from its top left corner."""
        shift = config.clip * float(rng.uniform()) if rng.random() < config.vignetted else 0.0
        curvature = config.curvature * float(rng.uniform(-1, 1))
        self.curvature = curvature if rng.random() < config.curved else 0.0
        """Change of blur from the axis to the corner of the field, as a share of the largest blur."""
        self.lens = RampedDisc(
            radius=0.0,
            softness=draw_softness(rng, config.mild_ramp),
            rim=float(rng.uniform(-0.5, 0.6)),
            edge=float(rng.uniform(*EDGE)),
            squeeze=float(rng.uniform(*SQUEEZE)),
            clip=barrel_clip(self.position, shift),
        )
        """The disc with a ramp; in use if there is neither a measured lens nor a ring."""
        self.ring: Ring | None = None
        """The Butterworth ring, if the scene is seen through one."""
        if config.butterworth > 0 and rng.random() < config.butterworth and not self.is_measured:
            order, cutoff, floor = (values[int(rng.integers(len(values)))] for values in RINGS)
            self.ring = Ring(0.0, int(order), cutoff, floor)

    @property
    def is_measured(self) -> bool:
        """Whether the scene is seen through the measured lens."""
        return self.measured is not None

    @property
    def family(self) -> str:
        """``measured``, ``butterworth`` or ``ramped-disc``."""
        if self.is_measured:
            return "measured"
        return "ramped-disc" if self.ring is None else "butterworth"

    @property
    def max_radius(self) -> float:
        """Largest blur radius in px whose kernel fits whole into `SIZE`, for all lenses of the family."""
        if self.measured is not None:
            return self.measured.radius * self.measured.max_scale
        return MAX_RADIUS[self.family]

    @property
    def view_gains(self) -> tuple[float, float]:
        """Brightness of left and right against their mean; the exposure makes up for what both lose."""
        if self.family != "ramped-disc" or not any(self.lens.clip):
            return 1.0, 1.0
        left, right = view_brightness([replace(self.lens, radius=REFERENCE_RADIUS)])[0].tolist()
        return 2 * left / (left + right), 2 * right / (left + right)

    def draw_blurs(self, rng: Generator, size: int) -> tuple[list[float], Tensor]:
        """Draw the blur of one layer.

        Args:    size: px a side of the scene.
        Returns: N blurs, each -1..1 of the largest, and the share (N, 1, size, size) of each at each pixel; the
                 shares of a pixel sum to 1.
        """
        level = float(rng.uniform(-1, 1))
        level = self._side * abs(level) if self._side else level
        line = torch.linspace(-0.5, 0.5, size)
        levels = torch.full((size, size), level)
        if rng.random() < self._slanted:
            span, angle = float(rng.uniform(0.1, 1)) * self._slant, rng.uniform(0, 2 * np.pi)
            ramp = (line[:, None] * float(np.sin(angle)) + line * float(np.cos(angle))) / 1.2
            levels = levels + span * ramp.clamp(-0.5, 0.5)
        if self.curvature:
            levels = levels + self.curvature * self.squared_axis_distance(line * size)
        levels = levels.clamp(-1, 1)
        low, high = float(levels.min()), float(levels.max())
        if high - low < 1e-3:
            return [level], torch.ones(1, 1, size, size)
        count = 2 + int((high - low) / NODE_STEP)
        place = (levels - low) * ((count - 1) / (high - low))
        share = torch.stack([(1 - (place - n).abs()).clamp(min=0) for n in range(count)])[:, None]
        return [float(v) for v in np.linspace(low, high, count)], share

    def squared_axis_distance(self, offsets: Tensor) -> Tensor:
        """Compute the squared distance from the lens axis, less that of the scene's middle.

        Args:    offsets: (N,) px from the scene's middle, the same for rows and columns.
        Returns: (N, N), in units in which the corner of the field is at 1.
        """
        y, x = (2 * at - 1 + 2 * offsets / FIELD for at in self.position)
        middle = sum((2 * at - 1) ** 2 for at in self.position)
        return (y[:, None] ** 2 + x**2 - middle) / 2

    def kernels_at_blurs(self, blurs: list[float], device: torch.device) -> Tensor:
        """Compute kernel pairs (N, 2, K, K) at N blurs, each -1..1 of the largest."""
        return self.kernels_at_radii([blur * self.largest_radius for blur in blurs], device)

    def kernels_at_radii(self, radii: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Compute kernel pairs (N, 2, K, K) at N signed blur radii in px.

        Raises: ConfigError for a radius whose kernel does not fit.
        """
        if self.measured is not None:
            scales = [radius / self.measured.radius for radius in radii]
            if self.measured.grid is None:  # which kernels are neighbors is unknown
                cell = int(self.position[0] * len(self.measured))
                return self.measured.at([cell] * len(radii), scales, device)
            return self.measured.interpolate([self.position] * len(radii), scales, device)
        if self.ring is not None:
            return butterworth([replace(self.ring, radius=radius) for radius in radii], device)
        return ramped_disc([replace(self.lens, radius=radius) for radius in radii], device)
