"""A lens adjusted to a pair: small changes of its kernels, so that it explains the views better.

At known blur scales both residuals of `evidence.py` are linear in the coefficients of an `AdjustedLens`:

    between the views        (y_l k_r - y_r k_l) B + sum_j (c_rj y_l - c_lj y_r) phi_j B
    views and picture        (y_v - k_v x) B - sum_j c_vj phi_j x B,  both v

so that one system of linear equations has the coefficients of least squares. A prior keeps them small where the pair
says little.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.adjusted_lens import AdjustedLens, place_terms
from dpanet.refinement.evidence import BlockPart, EvidenceMeter

Array = NDArray[np.float64]

LEAST_RADIUS = 5.0
"""Blur radius in px from which a block has a say. Smaller blur hardly shows the shape of kernels, and what the
picture lacks would be taken for it."""

LEAST_SHARE = 0.03
"""Share of the blocks of a part that a scale needs, so that it is worth its time."""

PARTS = 60
"""Parts of a picture that are asked at most, evenly spread."""

SPREAD = 0.3
"""Standard deviation of a coefficient before the pair is seen."""

ALIKE = 50.0
"""Values of a residual that count as one, since neighbors are alike."""


def fit_lens(
    lens: AdjustedLens, meter: EvidenceMeter, blocks: NDArray[np.float32], pool: Executor
) -> AdjustedLens:
    """Return the lens with the coefficients that explain a pair best.

    Args:
        lens: that is adjusted; its own coefficients are left out.
        meter: of the base of that lens, and of the pair.
        blocks: (rows, columns), blur scale of each block.
        pool: that computes.
    """
    parts = meter.parts[:: -(-len(meter.parts) // PARTS)]
    polynomials, terms = len(lens.polynomials), len(place_terms(0, 0))
    unknowns = 2 * polynomials * terms
    matrix, vector = np.zeros((unknowns, unknowns)), np.zeros(unknowns)
    squares, count = 0.0, 0
    equations = _Equations(lens, meter, blocks)
    for part, found in zip(parts, pool.map(equations, parts), strict=True):
        if found is None:
            continue
        products, right_side, square, length = found
        place = place_terms(*meter.place(part))
        matrix += np.kron(products, np.outer(place, place))
        vector += np.kron(right_side, place)
        squares, count = squares + square, count + length
    if not count:
        return lens
    prior = ALIKE * squares / count / SPREAD**2
    matrix += (prior + 1e-20) * np.eye(unknowns)
    coefficients: Array = np.linalg.solve(matrix, vector).astype(np.float64).reshape(2, polynomials, terms)
    return AdjustedLens(lens.base, coefficients)


class _Equations:
    """Computes the equations A c = b of a part.

    Args: as of `fit_lens`.
    """

    def __init__(self, lens: AdjustedLens, meter: EvidenceMeter, blocks: NDArray[np.float32]) -> None:
        self.meter = meter
        self.nearest = np.abs(blocks[..., None] - np.array(meter.scales)).argmin(-1)
        self.polynomials = {}
        """Their transforms by scale, of the scales that have a say."""
        for i in np.unique(self.nearest):
            scale = meter.scales[i]
            if abs(scale) * lens.blur_radius >= LEAST_RADIUS:
                self.polynomials[int(i)] = meter.spectra.transform_kernels(lens.resize_polynomials(scale))

    def __call__(self, part: BlockPart) -> tuple[Array, Array, float, int] | None:
        """Return A^T A, A^T b, b^T b and the length of b; None if no block has a say."""
        meter, nearest = self.meter, self.nearest[part]
        numbers, counts = np.unique(nearest, return_counts=True)
        used = [
            int(i)
            for i, count in zip(numbers, counts, strict=True)
            if int(i) in self.polynomials and count >= LEAST_SHARE * nearest.size
        ]
        if not used:
            return None
        size = len(self.polynomials[used[0]])
        views_and_picture = meter.transform(part) * meter.band
        left, right, picture = views_and_picture
        kernels = meter.spectra.kernels(meter.lens, *meter.place(part), [meter.scales[i] for i in used])
        inner = meter.inner(part)
        products, right_side = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)
        square, length = 0.0, 0
        one, other = slice(0, size), slice(size, 2 * size)
        for i, (k_left, k_right) in zip(used, kernels, strict=True):
            residuals = np.stack(
                [left - k_left * picture, right - k_right * picture, left * k_right - right * k_left]
            )
            blurred = self.polynomials[i][:, None] * views_and_picture
            spectra = np.concatenate([residuals[None], blurred])
            values = meter.spectra.inverse(spectra)[..., inner[0], inner[1]]
            values = values[..., _enlarge(nearest == i, values.shape[-2:])]  # (1 + size, 3, px)
            (of_left, of_right, between), (y_left, y_right, x) = values[0], values[1:].swapaxes(0, 1)
            alike = x @ x.T
            products[one, one] += alike + y_right @ y_right.T
            products[other, other] += alike + y_left @ y_left.T
            products[one, other] -= y_right @ y_left.T
            right_side[one] += x @ of_left + y_right @ between
            right_side[other] += x @ of_right - y_left @ between
            square += float(np.square(values[0]).sum())
            length += values[0].size
        products[other, one] = products[one, other].T
        return products, right_side, square, length


def _enlarge(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Repeat each block along both axes, to (rows, columns) px."""
    down, across = (px // count for px, count in zip(shape, blocks.shape, strict=True))
    return blocks.repeat(down, 0).repeat(across, 1)
