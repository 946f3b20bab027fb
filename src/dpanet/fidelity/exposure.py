"""Brings a truth that was exposed separately to the brightness and color of its views."""

from __future__ import annotations

import cv2
import numpy as np

from dpanet.datasets.captures import Capture
from dpanet.evaluation.registration import find_affine
from dpanet.fidelity.refine_registration import Matrix, warp_truth
from dpanet.images.encoding import srgb_to_linear
from dpanet.pair import Pixels

BLUR_SIGMA = 8.0
"""Sigma in px of the blur under which colors are compared, so that sharpness does not matter."""

BORDER = 32
"""Pixels at the picture's border that do not count."""


def linear_planes(capture: Capture) -> tuple[Pixels, Pixels, Matrix]:
    """Return truth (H, W) and views (2, H, W), gray, linear, white = 1, and the affine map from views to truth.

    sRGB values are taken to linear light by the curve of sRGB. If the capture's colors are to be matched, each
    channel of the truth gets the gain and offset that bring it closest to the mean of the views.
    """
    truth, left, right = (
        pixels if capture.pair.encoding == "linear" else srgb_to_linear(pixels)
        for pixels in (capture.truth.pixels, capture.pair.left, capture.pair.right)
    )
    mean = np.asarray((left + right) / 2, np.float32)
    found = find_affine(_repeat_gray(truth), _repeat_gray(mean))
    warp: Matrix = np.eye(2, 3) if found is None else found.astype(np.float64)
    if capture.match_color:
        truth = _match_channels(truth, mean, warp)
    gray = [np.asarray(pixels.mean(axis=2) / capture.white, np.float32) for pixels in (truth, left, right)]
    return gray[0], np.stack(gray[1:]), warp


def _match_channels(truth: Pixels, mean: Pixels, warp: Matrix) -> Pixels:
    """Return the truth (H, W, 3) with a gain and an offset for each channel, as on the blurred views (H, W, 3)."""
    matched = np.empty_like(truth)
    border = min(BORDER, min(mean.shape[:2]) // 4)
    inside = (slice(border, -border), slice(border, -border))
    for channel in range(truth.shape[2]):
        one, other = (
            cv2.GaussianBlur(plane, (0, 0), BLUR_SIGMA)[inside].ravel()
            for plane in (warp_truth(truth[..., channel], warp, 0), np.ascontiguousarray(mean[..., channel]))
        )
        spread = float(one.var())
        gain = float(np.mean((one - one.mean()) * (other - other.mean()))) / spread if spread > 1e-9 else 1.0
        matched[..., channel] = gain * truth[..., channel] + (other.mean() - gain * one.mean())
    return matched


def _repeat_gray(pixels: Pixels) -> Pixels:
    return np.asarray(np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2), np.float32)
