"""How likely each property of a random scene is, and how large it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE

EDGE, SQUEEZE = (0.8, 2.0), (0.8, 1.1)
"""Ranges from which discs with a ramp are drawn: px over which the border fades, and height against width."""

MILD_RAMP, SHARP_RAMP = (0.2, 1.5), (1 / 1.6, 1 / 0.15)
"""Slopes a of the ramp in disc * (1 - a x / radius): of measured Canon lenses, well inside, and of sharper halves."""

LENSES: dict[str, Any] = {"radius": 26.0, "mild_ramp": 0.8}
"""Values of `SceneConfig` that hold the lenses of captures well inside (docs/check-fidelity.md)."""

NEARLY_SHARP = 0.15
"""Largest factor of the blurs of a nearly sharp scene."""

MAX_RADIUS = {"ramped-disc": float(int(SIZE / 2 / SQUEEZE[1] - EDGE[1] / 2)), "butterworth": 40.0}
"""Largest blur radius in px at which the kernels of every lens that may be drawn fit whole into `SIZE`."""

MAX_CLIP = 1.5
"""Largest `SceneConfig.clip`; beyond it the barrel can leave one view no light at all in the corner."""

PROBABILITIES = (
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
    "mild_ramp",
    "nearly_sharp",
    "developed",
    "video",
    "shaded",
)
"""Fields of `SceneConfig` that must be 0 to 1."""


@dataclass(frozen=True)
class SceneConfig:
    """Configure random scenes: probabilities, and ranges that are drawn from evenly.

    Raises: ConfigError naming the field whose value is impossible.
    """

    measured: float = 0.65
    """Probability of a scene through the measured lens."""
    scale: float = 1.6
    """Largest |blur scale| of the measured lens; at 1 its kernels are as they were measured."""
    radius: float = 18.0
    """Largest blur radius in px of the disc with a ramp and the Butterworth ring."""
    layers: tuple[float, float, float] = (0.35, 0.4, 0.25)
    """Probabilities of 1, 2 and 3 layers; they sum to 1."""
    print_share: float = 0.35
    """Probability that a layer is a printed page instead of a photograph."""
    slanted: float = 0.35
    """Probability that the blur of a layer varies from one end to the other."""
    slant: float = 0.35
    """Largest variation of the blur of a slanted layer, as a share of the largest blur."""
    one_sided: float = 0.6
    """Probability that the whole scene is on one side of the focal plane."""
    vignetted: float = 0.3
    """Probability that the lens barrel cuts off a part of the disc away from the axis."""
    clip: float = 0.7
    """Largest shift of the barrel against the aperture in the corner of the field, in radii (`RampedDisc.clip`)."""
    curved: float = 0.15
    """Probability of a lens with a curved field of focus."""
    curvature: float = 0.3
    """Largest change of blur from the axis to the corner of a curved field, as a share of the largest blur."""
    soft: float = 0.7
    """Probability that a surface is softened by a Gaussian, to be less sharp than a shrunk photograph."""
    softness: tuple[float, float] = (0.3, 0.9)
    """Least and largest sigma of that Gaussian, px."""
    sparkling: float = 0.05
    """Probability of bright points far beyond white on a surface."""
    unbalanced: float = 0.6
    """Probability that the views differ in brightness, as they do off the axis without an exact flat field."""
    gray: float = 0.5
    """Probability of a scene without color."""
    pages: int = 160
    """Number of printed pages to draw from."""
    butterworth: float = 0.0
    """Probability of a Butterworth ring instead of a disc with a ramp, where the lens is not the measured one."""
    quantized: float = 0.5
    """Probability that a clean raw reading is in whole steps of 10 to 14 bits above a black level (`Sensor`)."""
    mild_ramp: float = 0.0
    """Probability that both views see the whole disc under a mild ramp, as measured on Canon lenses; the others see
    halves that are divided more sharply."""
    nearly_sharp: float = 0.0
    """Probability of a scene whose blurs are at most 0.15 of the usual ones."""
    developed: float = 0.0
    """Probability that a rendered file had a camera's tone curve, sharpening or compression."""
    video: float = 0.0
    """Probability that a rendered file is a frame of a compressed video."""
    shaded: float = 0.0
    """Probability that the views differ in brightness by some tenths, as without the white sheets of a camera."""

    def __post_init__(self) -> None:
        for key in PROBABILITIES:
            if not 0 <= getattr(self, key) <= 1:
                raise ConfigError(f"{key} is {getattr(self, key)}; a share must be 0 to 1")
        # Negated comparisons, so that NaN fails them.
        if len(self.layers) != 3 or not min(self.layers) >= 0 or not abs(sum(self.layers) - 1) <= 1e-6:
            raise ConfigError(f"layers is {self.layers}; the three probabilities must sum to 1")
        for key in ("scale", "slant", "curvature"):
            if not 0 <= getattr(self, key) < float("inf"):
                raise ConfigError(f"{key} is {getattr(self, key)}; it must be a number, 0 or more")
        limits = {
            "radius": MAX_RADIUS["butterworth" if self.butterworth else "ramped-disc"],
            "clip": MAX_CLIP,
        }
        for key, limit in limits.items():
            if not 0 <= getattr(self, key) <= limit:
                raise ConfigError(f"{key} is {getattr(self, key)}; it must be 0 to {limit:g}")
        if not (0 <= self.softness[0] <= self.softness[1] < float("inf") and self.softness[1] > 0):
            raise ConfigError(
                f"softness is {self.softness}; give the least and the largest sigma in px, the largest above 0"
            )
        if self.pages < 1:
            raise ConfigError(f"pages is {self.pages}; it must be 1 or more")
