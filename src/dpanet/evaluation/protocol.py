"""The two protocols: as published, and aligned.

Values are compared as they come, on a scale where white is 1.0, and are not clipped: what is above white
costs what it is above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from dpanet.errors import ShapeError
from dpanet.evaluation.metrics import mae, psnr, ssim
from dpanet.evaluation.registration import register
from dpanet.pair import Encoding, Pixels

DATA_RANGE = 1.0
"""White."""
BORDER = 24
"""Pixels dropped on each side by the aligned protocol, where a warped truth may hold reflections."""


@dataclass(frozen=True)
class Score:
    """psnr: dB, infinite for a perfect picture. ssim: -1..1. mae: mean absolute error, white = 1.

    lpips: perceptual distance, 0 for a perfect picture; None where it was not measured.
    """

    psnr: float
    ssim: float
    mae: float
    lpips: float | None = None

    @classmethod
    def mean(cls, scores: Iterable[Score]) -> Score:
        """Mean over pictures of each figure (of the decibels, not of the errors under them), LPIPS aside."""
        rows = np.array([(score.psnr, score.ssim, score.mae) for score in scores], np.float64)
        if not rows.size:
            raise ShapeError("there is no score to take the mean of; score at least one picture")
        return cls(*(float(value) for value in rows.mean(axis=0)))


def score_as_published(
    output: Pixels,
    truth: Pixels,
    *,
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Score:
    """Score the output against the truth where it lies, to the very border.

    Args:    output, truth: (H, W, 3), float32, same size, encoding and scale, white = 1.0.
             match_color: first bring the output's colours to the truth's with `fit_color`.
             perceptual: measures LPIPS, if it is to be measured.
    Raises:  ShapeError if the sizes differ, PairError for NaN or infinite pixels.
    """
    if match_color:
        output = fit_color(output, truth)
    return Score(
        psnr(output, truth, data_range=DATA_RANGE),
        ssim(output, truth, data_range=DATA_RANGE),
        mae(output, truth),
        None if perceptual is None else perceptual(output, truth),
    )


def score_aligned(
    output: Pixels,
    truth: Pixels,
    *,
    encoding: Encoding = "linear",
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Score:
    """Score the output against the truth laid over it, and keep the better of warped and unwarped.

    The truth is registered to this very output by `register`; 24 px of border are dropped; the output is
    scored against the warped truth and against the unwarped one, and the score with the better PSNR counts,
    with its SSIM and MAE. So registration never makes a score worse. Without convergence: unwarped.

    Args:    output, truth: (H, W, 3), float32, same size, both in `encoding`, white = 1.0.
             match_color: before each of the two comparisons, and without the border, bring the output's
             colours to that truth's with `fit_color`. The search itself is blind to gain and offset.
             perceptual: measures LPIPS, if it is to be measured.
    Raises:  ShapeError if the sizes differ or nothing would be left, PairError for NaN or infinite pixels.
    """
    warped = register(truth, output, encoding)
    candidates = [truth] if warped is None else [truth, warped]
    inner = _without_border(output)
    scores = [
        score_as_published(inner, _without_border(candidate), match_color=match_color, perceptual=perceptual)
        for candidate in candidates
    ]
    return max(scores, key=lambda score: score.psnr)


def fit_color(output: Pixels, truth: Pixels) -> Pixels:
    """Give each channel of the output the gain and offset that bring it closest to the truth.

    For a truth that was exposed separately. Least squares over all pixels of a channel; a flat channel has
    no gain to find and is only offset. Values are not clipped.

    Args:    output, truth: (H, W, C), float32, same size.
    Returns: (H, W, C), float32.
    Raises:  ShapeError if the sizes differ.
    """
    if output.shape != truth.shape or output.ndim != 3:
        raise ShapeError(
            f"the output has shape {output.shape} and the truth {truth.shape}; both must be height x width x "
            "channels of one size, so give the two pictures of one scene"
        )
    source, target = output.astype(np.float64), truth.astype(np.float64)
    source_mean, target_mean = source.mean(axis=(0, 1)), target.mean(axis=(0, 1))
    source -= source_mean
    target -= target_mean
    variance = np.mean(source**2, axis=(0, 1))
    covariance = np.mean(source * target, axis=(0, 1))
    gain = np.divide(covariance, variance, out=np.ones_like(variance), where=variance > 1e-12)
    return np.asarray(source * gain + target_mean, np.float32)


def _without_border(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if min(height, width) <= 2 * BORDER:
        raise ShapeError(
            f"the picture is {width} x {height} px; the aligned protocol drops {BORDER} px on each side, "
            "so give a larger one"
        )
    return pixels[BORDER:-BORDER, BORDER:-BORDER]
