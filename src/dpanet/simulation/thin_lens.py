"""A thin lens: the blur radius of a depth.

Sign, as in `kernels`: positive behind the focal plane. Light from there crosses before the sensor, so that, seen
upright, the left half of the lens puts it on the left (-x) side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError

FULL_FRAME = 36.0
"""Width of the sensor in mm, where the pixel pitch is unknown."""

_KEYS = {"f": "focal_length", "N": "f_number", "focus": "focus", "pitch": "pitch", "curvature": "curvature"}

_Depth = TypeVar("_Depth", float, NDArray[np.float64])


@dataclass(frozen=True)
class ThinLens:
    """A thin lens and the pixels behind it.

    Raises: ConfigError naming the value that is impossible.
    """

    focal_length: float
    """mm."""
    f_number: float
    """Focal length over the diameter of the aperture."""
    focus: float
    """Distance in m from the lens to the focal plane."""
    pitch: float | None = None
    """Micrometers from pixel to pixel; None for a full-frame sensor as wide as the photograph."""
    curvature: float = 0.0
    """Blur radius, signed px, in the corner of the photograph at the depth that is in focus in its middle."""

    def __post_init__(self) -> None:
        if not abs(self.curvature) < float("inf"):
            raise ConfigError(f"lens has curvature={self.curvature:g}; it must be a number of pixels")
        for key, name in _KEYS.items():
            value = getattr(self, name)
            if name != "curvature" and value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"lens has {key}={value:g}; it must be a number above zero")
        if self.focus * 1000 <= self.focal_length:
            raise ConfigError(
                f"lens has focus={self.focus:g} (m), within its focal length f={self.focal_length:g} (mm), where "
                "nothing can be sharp; give a larger focus"
            )

    @classmethod
    def parse(cls, text: str) -> ThinLens:
        """Read ``f=50,N=2.8,focus=1.5`` or the same with ``,pitch=6`` or ``,curvature=-3``.

        Raises: ConfigError for a missing, unknown or repeated key, or a value that is no number above zero (for the
                curvature: no number).
        """
        values: dict[str, float] = {}
        for part in text.split(","):
            key, _, value = (piece.strip() for piece in part.partition("="))
            if key not in _KEYS or _KEYS[key] in values:
                raise ConfigError(
                    f"lens has {part.strip()!r}; give each of f=MM, N=F, focus=M once, and pitch=MICROMETRES, "
                    "curvature=PX if wanted"
                )
            try:
                values[_KEYS[key]] = float(value)
            except ValueError:
                raise ConfigError(f"lens has {part.strip()!r}; {key} must be a number") from None
        missing = [key for key in ("f", "N", "focus") if _KEYS[key] not in values]
        if missing:
            raise ConfigError(f"lens is {text!r}, without {missing[0]}; give f=MM,N=F,focus=M")
        return cls(**values)

    def radius(self, depth: _Depth, width: int) -> _Depth:
        """Compute the signed radius in px of the circle of confusion.

        Args:    depth: m from the lens, above zero; infinity is allowed. width: px of the whole photograph.
        Returns: f**2 / (2 N (s - f)) * (1 - s / d) / pitch, all lengths in one unit, s the focus and d the depth:
                 positive behind the focal plane, negative before it.
        Source:  Potmesil and Chakravarty, A Lens and Aperture Camera Model for Synthetic Image Generation
                 (SIGGRAPH 1981), eq. for the diameter |Vd - Vf| f / (N Vd), Vd and Vf the image distances.
        """
        pitch = FULL_FRAME / width if self.pitch is None else self.pitch / 1000
        focal, focus = self.focal_length, self.focus * 1000
        scale = focal**2 / (2 * self.f_number * (focus - focal)) / pitch
        return scale * (1 - self.focus / depth)

    def field_curvature(self, height: int, width: int) -> NDArray[np.float64]:
        """Compute the blur radius that field curvature adds, (height, width), signed px.

        It grows with the squared distance from the middle of the photograph, as on a spherical field of focus.
        """
        y, x = (np.linspace(-1, 1, count) if count > 1 else np.zeros(1) for count in (height, width))
        aspect = (width / height) ** 2
        return self.curvature * (y[:, None] ** 2 + aspect * x**2) / (1 + aspect)
