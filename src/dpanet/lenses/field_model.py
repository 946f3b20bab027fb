"""A lens in few numbers: kernel pairs as a smooth function of the place in the field.

Of the point of light at F, a place in the field against the axis, a total T falls at p, a place in the kernel against
its middle; the sensor divides it between the views:

    left = T * share(D), right = T * share(-D)      share(d) = 1 / (1 + exp(-d))
    T = exp(B) * share((softness[0] + softness[2] t) z + softness[1] z**3 + softness[3] z**2)      z = 1 - O

The lens is round, so that O (its outline, 1 on the border) and B (its brightness) are polynomials of s = p . p,
q = p . F and t = F . F alone: the disc, its ellipse, coma and the cut of the barrel all follow from them. D, the
division, is a polynomial of the coordinates of p and F; it changes sign with those of x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UNIT = 13.0
"""Pixels of p = 1, about the radius of the disc at scale 1."""

INSIDE = 1.15
"""|p| beyond which brightness and division stay as they are there, so that no polynomial grows without bounds."""


@dataclass(frozen=True)
class FieldModel:
    """The parameters of a lens; conventions as in this module."""

    size: tuple[float, float]
    """Height and width of the whole field, in units of F."""

    lens_axis: tuple[float, float]
    """x and y of the lens's axis against the middle of the field."""

    sensor_axis: tuple[float, float]
    """x and y of the place where the sensor divides evenly."""

    softness: tuple[float, float, float, float]
    """How light falls off over the border."""

    outline: Mapping[tuple[int, ...], float]
    """By the exponents of s, q and t."""

    brightness: Mapping[tuple[int, ...], float]
    """By the exponents of s, q and t."""

    division: Mapping[tuple[int, ...], float]
    """By the exponents of p's x and y and F's x and y."""

    def pairs(self, y: Array, x: Array, kernel_y: Array, kernel_x: Array) -> Array:
        """Compute N kernel pairs.

        Args:
            y: (N,), of places in the field, 0..1 from its top left corner.
            x: (N,), the same.
            kernel_y: (N or 1, K, K), px against the middle of the kernel.
            kernel_x: (N or 1, K, K), the same.

        Returns: (N, 2, K, K), left and right, each summing to 1.
        """
        field_x, field_y = (
            ((x - 0.5) * self.size[1])[:, None, None],
            ((y - 0.5) * self.size[0])[:, None, None],
        )
        right, down = kernel_x / UNIT, kernel_y / UNIT
        square = right**2 + down**2
        lens_x, lens_y = field_x - self.lens_axis[0], field_y - self.lens_axis[1]
        along, height = right * lens_x + down * lens_y, lens_x**2 + lens_y**2
        z = np.maximum(1 - _polynomial(self.outline, square, along, height), -6)
        w = self.softness
        fall = (w[0] + w[2] * height) * z + w[1] * z**3 + w[3] * z**2

        inward = np.minimum(1, INSIDE / np.sqrt(np.maximum(square, 1e-12)))
        brightness = _polynomial(self.brightness, square * inward**2, along * inward, height)
        sensor_x, sensor_y = field_x - self.sensor_axis[0], field_y - self.sensor_axis[1]
        division = _polynomial(self.division, right * inward, down * inward, sensor_x, sensor_y)

        total = _log_share(fall) + brightness.clip(-8, 8)
        light = np.stack((total + _log_share(division), total + _log_share(-division)), axis=1)
        kernels = np.exp(light - light.max((-1, -2), keepdims=True))
        return np.asarray(kernels / kernels.sum((-1, -2), keepdims=True), np.float64)


def _log_share(value: Array) -> Array:
    return np.asarray(-np.logaddexp(0, -value), np.float64)


def _polynomial(terms: Mapping[tuple[int, ...], float], *variables: Array) -> Array:
    total = np.zeros(np.broadcast_shapes(*(variable.shape for variable in variables)))
    for exponents, factor in terms.items():
        term = np.asarray(factor)
        for variable, exponent in zip(variables, exponents, strict=True):
            if exponent:
                term = term * variable**exponent
        total = total + term
    return total
