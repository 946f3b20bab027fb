"""A thin lens: how far out of focus a depth is.

Sign, as in `kernels`: positive for what lies behind the focal plane. Its light crosses before the sensor, so
that, seen upright, the left half of the lens puts it on the left (-x) side, as a left eye would that looks at the
focal plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError

FULL_FRAME = 36.0
"""Millimetres; width of the sensor unless a pixel pitch is given."""

_KEYS = {"f": "focal_length", "N": "f_number", "focus": "focus", "pitch": "pitch", "curvature": "curvature"}

_Depth = TypeVar("_Depth", float, NDArray[np.float64])


@dataclass(frozen=True)
class ThinLens:
    """focal_length: mm. f_number: focal length over the aperture's diameter. focus: m, from lens to what is sharp.

    pitch: micrometres from pixel to pixel; None for a full-frame sensor under the whole width of the photograph.
    curvature: px, signed; the blur radius in the corner of the photograph of what is in focus in its middle.
    """

    focal_length: float
    f_number: float
    focus: float
    pitch: float | None = None
    curvature: float = 0.0

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
        """From ``f=50,N=2.8,focus=1.5`` or the same with ``,pitch=6`` or ``,curvature=-3``.

        Raises: ConfigError for a missing, unknown or repeated key, or a value that is no number above zero (or,
                for the curvature, none at all).
        """
        given: dict[str, float] = {}
        for part in text.split(","):
            key, _, value = (piece.strip() for piece in part.partition("="))
            if key not in _KEYS or _KEYS[key] in given:
                raise ConfigError(
                    f"lens has {part.strip()!r}; give each of f=MM, N=F, focus=M once, and pitch=MICROMETRES, "
                    "curvature=PX if wanted"
                )
            try:
                given[_KEYS[key]] = float(value)
            except ValueError:
                raise ConfigError(f"lens has {part.strip()!r}; {key} must be a number") from None
        absent = [key for key in ("f", "N", "focus") if _KEYS[key] not in given]
        if absent:
            raise ConfigError(f"lens is {text!r}, without {absent[0]}; give f=MM,N=F,focus=M")
        return cls(**given)

    def radius(self, depth: _Depth, width: int) -> _Depth:
        """Signed radius in px of the circle of confusion.

        Args:    depth: m from the lens, above zero; infinity is allowed. width: px of the whole photograph.
        Returns: f**2 / (2 N (s - f)) * (1 - s / d) / pitch, all lengths in one unit, s the focus and d the depth:
                 positive behind the focal plane, negative before it.
        Source:  Potmesil and Chakravarty, A Lens and Aperture Camera Model for Synthetic Image Generation
                 (SIGGRAPH 1981), eq. for the diameter |Vd - Vf| f / (N Vd), Vd and Vf the image distances.
        """
        pitch = FULL_FRAME / width if self.pitch is None else self.pitch / 1000
        focal, focus = self.focal_length, self.focus * 1000
        reach = focal**2 / (2 * self.f_number * (focus - focal)) / pitch
        return reach * (1 - self.focus / depth)

    def field_curvature(self, height: int, width: int) -> NDArray[np.float64]:
        """What field curvature adds to the radius, (height, width) in px.

        It grows with the squared distance from the middle of the photograph, as that of a spherical field does.
        """
        y, x = (np.linspace(-1, 1, count) if count > 1 else np.zeros(1) for count in (height, width))
        aspect = (width / height) ** 2
        return self.curvature * (y[:, None] ** 2 + aspect * x**2) / (1 + aspect)
