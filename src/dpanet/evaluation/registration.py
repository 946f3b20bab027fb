"""Registration: lay a truth over an output whose scene is slightly magnified, shifted or rotated against it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ShapeError
from dpanet.pair import Encoding, Pixels

ITERATIONS = 200
PRECISION = 1e-6
"""Increase of the correlation coefficient below which the search has converged."""
BLUR_SIGMA = 2.0
"""Sigma in px of the blur before the search, so that a sharp and a soft picture of one scene match."""
ECC_WINDOW = 5
"""Side in px of the smoothing window that the search itself applies."""


def register(truth: Pixels, output: Pixels, encoding: Encoding = "linear") -> Pixels | None:
    """Return the truth, warped so that it lies on the output.

    Focus breathing magnifies the truth of a capture against its views, so that the shift grows by several pixels
    across the picture. The warp removes that and changes the sharpness of neither.

    Args:
        truth: (H, W, 3), float32, in `encoding`.
        output: (H, W, 3), float32, in `encoding`, same size.
        encoding: Of both, ``linear`` or ``srgb``.

    Returns:
        The warped truth, same size: cubic interpolation, the border reflected, values not clipped. None if the search
        does not converge (a flat picture, two different scenes).

    Raises:
        ShapeError: If the sizes differ.
    """
    warp = find_affine(truth, output, encoding)
    if warp is None:
        return None
    height, width = output.shape[:2]
    warped = cv2.warpAffine(
        truth,
        warp,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(warped, np.float32)


def find_affine(truth: Pixels, output: Pixels, encoding: Encoding = "linear") -> NDArray[np.float32] | None:
    """Find the affine map from points of the output to the same points of the truth.

    Args:
        truth: (H, W, 3), float32, in `encoding`.
        output: (H, W, 3), float32, in `encoding`, same size.
        encoding: Of both, ``linear`` or ``srgb``.

    Returns:
        (2, 3), float32: maps (x, y, 1) of the output to (x, y) of the truth, in px, +x right, +y down. None if the
        search does not converge.

    Raises:
        ShapeError: If the sizes differ.

    Source:
        Enhanced correlation coefficient of Evangelidis and Psarakis, PAMI 2008 (OpenCV's `findTransformECC`), affine,
        started at the identity; it does not depend on gain and offset.
    """
    if truth.shape != output.shape or truth.ndim != 3:
        raise ShapeError(
            f"the truth has shape {truth.shape} and the output {output.shape}; both must be height x width x "
            "channels of one size, so give the two pictures of one scene"
        )
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, ITERATIONS, PRECISION)
    start: NDArray[Any] = np.eye(2, 3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(  # type: ignore[call-overload]  # the stub does not allow None as mask
            _search_image(output, encoding),
            _search_image(truth, encoding),
            start,
            cv2.MOTION_AFFINE,
            criteria,
            None,
            ECC_WINDOW,
        )
    except cv2.error as error:
        if error.code == cv2.Error.StsNoConv:
            return None
        raise
    affine = np.asarray(warp, np.float32)
    return affine if np.isfinite(affine).all() else None


def _search_image(pixels: Pixels, encoding: Encoding) -> NDArray[np.float32]:
    """Return what the search compares: the blurred luminance, (H, W).

    Luminance is the plain mean of the channels. Linear values are square-rooted, so that highlights do not decide
    alone; sRGB values need no root.
    """
    luminance = np.maximum(pixels.mean(axis=2, dtype=np.float32), np.float32(0))
    if encoding == "linear":
        luminance = np.sqrt(luminance)
    return np.asarray(cv2.GaussianBlur(luminance, (0, 0), BLUR_SIGMA), np.float32)
