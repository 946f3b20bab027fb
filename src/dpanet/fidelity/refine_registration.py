"""How the truth of a scene lies under its views: one affine map, from the shifts of many windows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Pixels

Matrix = NDArray[np.float64]
"""(2, 3): takes (x, y, 1) of the views to (x, y) of the truth, in px."""

ROUNDS = 20
"""Of reweighting, so that windows that lie elsewhere (another depth, a repeated pattern) do not count."""
TOLERANCE = 0.3
"""Pixels; a window farther from the common map than this counts less, as the square of the ratio of the two."""
LEAST = 6
"""Windows below which the map is left as it is."""


def refined(
    warp: Matrix,
    centres: Sequence[tuple[float, float]],
    shifts: Sequence[tuple[float, float]],
    informations: Sequence[Matrix],
) -> Matrix:
    """Take the shifts (x, y) that windows at `centres` (x, y) still need into the map.

    Args: warp: (2, 3), under which the truth was laid. shifts: by which it had to be moved beyond that, +x right.
          informations: (2, 2) each, inverse covariances of the shifts up to a common factor; 0 for a window that
          tells nothing.
    """
    if len(centres) < LEAST:
        return warp
    rows, wanted, sure = [], [], []
    for (x, y), shift, information in zip(centres, shifts, informations, strict=True):
        at = np.array([x, y, 1.0])
        rows.append(np.kron(np.eye(2), at))
        wanted.append(np.array(shift, float))
        sure.append(np.asarray(information, float))
    a, b, weights = np.array(rows), np.array(wanted), np.array(sure)
    # A window with ten times the texture is not ten times as right about the whole picture.
    strength = np.sqrt(np.trace(weights, axis1=1, axis2=2))
    median = float(np.median(strength)) or 1.0
    weights = (
        weights
        / np.maximum(strength, 1e-12)[:, None, None] ** 2
        * np.minimum(strength / median, 1)[:, None, None]
    )
    field, far = np.zeros(6), np.zeros(len(b))  # all windows count fully at first
    for _ in range(ROUNDS):
        counts = weights * np.minimum(1, TOLERANCE / np.maximum(far, 1e-9))[:, None, None] ** 2
        normal = np.einsum("nip,nij,njq->pq", a, counts, a)
        if np.linalg.matrix_rank(normal) < 6:
            return warp
        field = np.linalg.solve(normal, np.einsum("nip,nij,nj->p", a, counts, b))
        far = np.linalg.norm(a @ field - b, axis=1)
    move = field.reshape(2, 3)
    back = np.vstack([np.eye(2, 3) - move, [0, 0, 1]])  # what was moved by +d is read at -d
    return np.asarray(warp @ back, np.float64)


def laid_under(truth: Pixels, warp: Matrix, border: int) -> Pixels:
    """The truth (H, W) as `warp` lays it under the views, with `border` px more on each side, reflected."""
    start = warp.copy()
    start[:, 2] -= warp[:, :2] @ np.full(2, border)
    height, width = truth.shape
    return np.asarray(
        cv2.warpAffine(
            truth,
            start,
            (width + 2 * border, height + 2 * border),
            flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )
