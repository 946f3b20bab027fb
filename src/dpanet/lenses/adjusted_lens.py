"""A lens whose kernels are changed by polynomials over the disc of confusion, differently over the field.

    k_v(p) = base_v(p) + sum_j c_vj phi_j(p / s) / s^2      at scale s, not below 0
    c_vj = sum_f a_vjf psi_f(y, x)

The phi_j are the products x^m y^n up to a degree, within a disc, less their mean, so that they add no light; the
psi_f are those of the place in the field, up to its square. So a ramp can be slanted, or steeper in one view, and a
disc an ellipse or a cat's eye.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.lens import KernelPairs, Lens, blur_radius
from dpanet.lenses.resizing import Array, resize

DEGREE = 4
"""Highest degree of the polynomials."""

REACH = 1.25
"""Radius of the disc in blur radii of the base: light also lies beyond the even disc of the same spread."""

OVERSAMPLING = 4
"""Points a px, along each axis, of which a pixel is the mean."""


class AdjustedLens:
    """A base lens with changed kernels.

    The centroid that both views share is that of the coefficients, not removed: of a pair's own fit it is where the
    picture that was fitted lies.

    Args:
        base: the lens.
        coefficients: (2, polynomials, terms of the place), a_vjf; zeros if None.
    """

    def __init__(self, base: Lens, coefficients: NDArray[np.float64] | None = None) -> None:
        self.base = base
        self.blur_radius = abs(blur_radius(base))
        """Of the base at scale 1, px."""
        self.polynomials = draw_polynomials(REACH * self.blur_radius)
        """(polynomials, W, W), px at scale 1."""
        if coefficients is None:
            coefficients = np.zeros((2, len(self.polynomials), len(place_terms(0, 0))))
        self.coefficients = coefficients

    @property
    def name(self) -> str:
        return f"{self.base.name}, adjusted"

    @property
    def max_scale(self) -> float:
        return self.base.max_scale

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        change = np.tensordot(self.coefficients @ place_terms(y, x), self.polynomials, 1)
        kernels = (self.base.kernels(y, x, scales) + resize(change, scales)).clip(0)
        return np.asarray(kernels / kernels.sum((-1, -2), keepdims=True), np.float32)

    def resize_polynomials(self, scale: float) -> Array:
        """Return the polynomials at a scale, (polynomials, SIZE, SIZE)."""
        polynomials: Array = resize(self.polynomials, [scale])[0]
        return polynomials


def place_terms(y: float, x: float) -> Array:
    """Return the terms of a place in the field, y and x each 0..1: 1, x, y, x^2, xy, y^2, from the middle."""
    down, across = 2 * y - 1, 2 * x - 1
    return np.array([1, across, down, across**2, across * down, down**2], np.float64)


def draw_polynomials(radius: float) -> Array:
    """Return the polynomials within a disc, (polynomials, W, W); each sums to 0, its absolute values to 1.

    Args: radius: of the disc, px.
    """
    side = 2 * int(np.ceil(radius)) + 1
    line = ((np.arange(side * OVERSAMPLING) + 0.5) / OVERSAMPLING - side / 2) / radius
    disc = (np.hypot(line[:, None], line) <= 1).astype(np.float64)
    products = np.stack(
        [
            disc * line[:, None] ** n * line ** (degree - n)
            for degree in range(DEGREE + 1)
            for n in range(degree + 1)
        ]
    )
    pixels = products.reshape(-1, side, OVERSAMPLING, side, OVERSAMPLING).mean((2, 4))
    even, rest = pixels[0] / pixels[0].sum(), pixels[1:]
    rest = rest - rest.sum((1, 2), keepdims=True) * even
    polynomials: Array = rest / np.abs(rest).sum((1, 2), keepdims=True)
    return polynomials
