"""The affine map between a scene's truth and its views, refined by the shifts that single windows still need."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels

Matrix = NDArray[np.float64]

ITERATIONS = 20
"""Rounds of reweighting, which remove the windows at another depth or with a repeated pattern."""

TOLERANCE = 0.3
"""Pixels; windows farther from the common map than this lose weight, as (tolerance / distance) squared."""

MIN_WINDOWS = 6
"""Number of windows below which the map is not changed."""


def refine_warp(
    warp: Matrix,
    centers: Sequence[tuple[float, float]],
    shifts: Sequence[tuple[float, float]],
    informations: Sequence[Matrix],
) -> Matrix:
    """Correct an affine map by the shifts of many windows, fitted robustly.

    Args:
        warp: (2, 3), takes (x, y, 1) of the views to (x, y) of the truth, px.
        centers: (x, y) of each window in the views, px.
        shifts: (x, y) in px by which the warped truth still has to be moved there, +x right, +y down.
        informations: (2, 2) each, inverse covariances of the shifts, up to a common factor; zeros for a window
            without texture.
    Returns: (2, 3); `warp` itself if there are too few windows, or all in one place.
    """
    if len(centers) < MIN_WINDOWS:
        return warp
    # The six coefficients of the correction: shift = correction @ (x, y, 1).
    design = np.array([np.kron(np.eye(2), [x, y, 1.0]) for x, y in centers])
    targets = np.array(shifts, float)
    weights = np.array(informations, float)
    # A window with ten times the texture is not ten times as right about the whole picture.
    strength = np.sqrt(np.trace(weights, axis1=1, axis2=2))
    median = float(np.median(strength)) or 1.0
    weights = (
        weights
        / np.maximum(strength, 1e-12)[:, None, None] ** 2
        * np.minimum(strength / median, 1)[:, None, None]
    )
    coefficients, distance = np.zeros(6), np.zeros(len(targets))  # at first all windows have full weight
    for _ in range(ITERATIONS):
        robust = weights * np.minimum(1, TOLERANCE / np.maximum(distance, 1e-9))[:, None, None] ** 2
        normal = np.einsum("nip,nij,njq->pq", design, robust, design)
        if np.linalg.matrix_rank(normal) < 6:
            return warp
        right_side = np.einsum("nip,nij,nj->p", design, robust, targets)
        coefficients = np.linalg.solve(normal, right_side)
        distance = np.linalg.norm(design @ coefficients - targets, axis=1)
    correction = coefficients.reshape(2, 3)
    backwards = np.vstack([np.eye(2, 3) - correction, [0, 0, 1]])  # what is moved by +d is read at -d
    return np.asarray(warp @ backwards, np.float64)


def warp_truth(truth: Pixels, warp: Matrix, border: int) -> Pixels:
    """Warp a truth onto its views, with a border around it.

    Args:
        truth: (H, W).
        warp: (2, 3), takes (x, y, 1) of the views to (x, y) of the truth, px.
        border: px on each side; outside of the truth it is reflected.
    Returns: (H + 2 border, W + 2 border), float32, Lanczos interpolation.
    """
    shifted = warp.copy()
    shifted[:, 2] -= warp[:, :2] @ np.full(2, border)
    height, width = truth.shape
    return np.asarray(
        cv2.warpAffine(
            truth,
            shifted,
            (width + 2 * border, height + 2 * border),
            flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )
