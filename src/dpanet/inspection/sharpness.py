"""Estimate how blurred each block of a view is, from its detail at two scales."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.inspection.block_match import BlockShifts, Plane

FINE, COARSE = 1.0, 4.0
"""Sigmas in px of the Gaussians through which gradients are taken."""

MIN_DETAIL = 1.0
"""Energy of fine gradients, in that of the noise there, from which a blur is estimated."""

WIDEST = 24.0
"""px; a blur beyond it is reported as it."""


def blur_widths(view: Plane, blocks: BlockShifts, noise: float) -> NDArray[np.float64]:
    """Estimate the blur of each block as the sigma of the Gaussian that explains its detail.

    A natural scene has as much contrast in each octave of frequency, so that the energy of its gradients through a
    Gaussian of sigma s falls as 1 / s**2; blurred by w more, as 1 / (s**2 + w**2). The ratio of two scales gives w.

    Args:
        view: (H, W), float32.
        blocks: whose centers and size are used.
        noise: standard deviation of the view's noise; its energy is subtracted.

    Returns:
        (rows, columns), px, 0 to `WIDEST`; NaN for a block whose gradients do not exceed the noise.
    """
    energies = []
    for sigma in (FINE, COARSE):
        smooth = cv2.GaussianBlur(view, (0, 0), sigma)
        slopes = [cv2.Sobel(smooth, cv2.CV_32F, x, 1 - x, ksize=1, scale=0.5) for x in (0, 1)]
        energy = slopes[0] ** 2 + slopes[1] ** 2
        mean = cv2.boxFilter(energy, -1, (blocks.size, blocks.size), borderType=cv2.BORDER_REFLECT_101)
        rows, columns = (np.rint(centers).astype(np.intp) for centers in (blocks.center_y, blocks.center_x))
        energies.append(mean[np.ix_(rows, columns)] - noise**2 / (4 * math.pi * sigma**4))
    fine, coarse = energies
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = fine / coarse
        squares = (COARSE**2 - ratio * FINE**2) / (ratio - 1)
    squares = np.where(ratio <= 1, WIDEST**2, np.clip(squares, 0, WIDEST**2))
    known = (fine > MIN_DETAIL * noise**2 / (4 * math.pi * FINE**4)) & (coarse > 1e-12)
    return np.where(known, np.sqrt(squares), np.nan)
