"""The two protocols: as published, and aligned.

Values are compared as they are, on a scale where white is 1.0, and are not clipped: what is above white counts as an
error of its full size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dpanet.errors import ShapeError
from dpanet.evaluation.metrics import mae, psnr, ssim
from dpanet.evaluation.registration import register
from dpanet.evaluation.scores import Score
from dpanet.pair import Encoding, Pixels

DATA_RANGE = 1.0
"""The value of white."""
BORDER = 24
"""Pixels that the aligned protocol drops on each side, where a warped truth may consist of reflections."""


@dataclass(frozen=True)
class Compared:
    """Two pictures as a protocol compares them, and the score."""

    score: Score
    """Of all pixels."""
    output: Pixels
    """(H, W, 3), with the colors of the truth, without the border, if the protocol says so."""
    truth: Pixels
    """Of the same size, moved if that scored better."""


def score_as_published(
    output: Pixels,
    truth: Pixels,
    *,
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Score:
    """Score the output against the truth as it lies, to the very border.

    Args:
        output: Picture to be scored, (H, W, 3), float32, white = 1.0.
        truth: The perfect picture, of the same size, encoding and scale.
        match_color: Whether to bring the output's colors to the truth's first, with `fit_color`.
        perceptual: Computes LPIPS; it is not measured without.

    Returns:
        PSNR, SSIM and MAE over all pixels, and LPIPS.

    Raises:
        ShapeError: If the sizes differ.
        PairError: If a pixel is NaN or infinite.

    >>> import numpy as np
    >>> from dpanet.evaluation import score_as_published
    >>> truth = np.full((16, 16, 3), 0.5, np.float32)
    >>> round(score_as_published(truth + np.float32(0.1), truth).psnr, 3)
    20.0
    >>> score_as_published(truth * 0.5, truth, match_color=True).psnr
    inf
    """
    return compare_as_published(output, truth, match_color=match_color, perceptual=perceptual).score


def compare_as_published(
    output: Pixels,
    truth: Pixels,
    *,
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Compared:
    """Return the score of `score_as_published`, which see, and what was compared."""
    if match_color:
        output = fit_color(output, truth)
    score = Score(
        psnr(output, truth, data_range=DATA_RANGE),
        ssim(output, truth, data_range=DATA_RANGE),
        mae(output, truth),
        None if perceptual is None else perceptual(output, truth),
    )
    return Compared(score, output, truth)


def score_aligned(
    output: Pixels,
    truth: Pixels,
    *,
    encoding: Encoding = "linear",
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Score:
    """Score the output against the truth laid over it, or against the truth as it lies if that is better.

    The truth is registered to this very output by `register`, and 24 px of border are dropped. The output is scored
    against the warped truth and against the unwarped one; the score with the better PSNR counts, with its SSIM and
    MAE, so that registration never makes a score worse. If registration does not converge, the unwarped one counts.

    Args:
        output: Picture to be scored, (H, W, 3), float32, white = 1.0, more than 48 px a side.
        truth: The perfect picture, of the same size, encoding and scale.
        encoding: Of both, ``linear`` or ``srgb``; the registration sees linear pictures square-rooted.
        match_color: Whether to bring the output's colors to that truth's with `fit_color`, before each of the two
            comparisons and without the border. The registration itself does not depend on gain and offset.
        perceptual: Computes LPIPS; it is not measured without.

    Returns:
        PSNR, SSIM and MAE without the border, and LPIPS.

    Raises:
        ShapeError: If the sizes differ, or nothing would be left without the border.
        PairError: If a pixel is NaN or infinite.

    >>> import numpy as np
    >>> from dpanet.evaluation import score_aligned, score_as_published
    >>> y, x = np.mgrid[:96, :128] / 16
    >>> scene = np.float32(0.5 + 0.2 * np.sin(3 * x + y) + 0.2 * np.cos(x - 2 * y))
    >>> truth = np.stack([scene] * 3, axis=2)
    >>> moved = np.roll(truth, 1, axis=1)
    >>> score_aligned(moved, truth, encoding="srgb").psnr > score_as_published(moved, truth).psnr + 10
    True
    """
    return compare_aligned(
        output, truth, encoding=encoding, match_color=match_color, perceptual=perceptual
    ).score


def compare_aligned(
    output: Pixels,
    truth: Pixels,
    *,
    encoding: Encoding = "linear",
    match_color: bool = False,
    perceptual: Callable[[Pixels, Pixels], float] | None = None,
) -> Compared:
    """Return the score of `score_aligned`, which see, and what was compared."""
    warped = register(truth, output, encoding)
    candidates = [truth] if warped is None else [truth, warped]
    inner = without_border(output)
    compared = [
        compare_as_published(inner, without_border(candidate), match_color=match_color, perceptual=perceptual)
        for candidate in candidates
    ]
    return max(compared, key=lambda one: one.score.psnr)


def fit_color(output: Pixels, truth: Pixels) -> Pixels:
    """Return the output with the gain and offset of each channel that bring it closest to the truth.

    For a truth that was exposed separately. Least squares over all pixels of a channel; a flat channel gets an offset
    alone. Values are not clipped.

    Args:
        output: (H, W, C), float32.
        truth: (H, W, C), float32, same size.

    Returns:
        (H, W, C), float32.

    Raises:
        ShapeError: If the sizes differ.
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


def without_border(pixels: Pixels) -> Pixels:
    """Return a picture without the border that the aligned protocol drops.

    Raises:
        ShapeError: If nothing would be left.
    """
    height, width = pixels.shape[:2]
    if min(height, width) <= 2 * BORDER:
        raise ShapeError(
            f"the picture is {width} x {height} px; the aligned protocol drops {BORDER} px on each side, "
            "so give a larger one"
        )
    return pixels[BORDER:-BORDER, BORDER:-BORDER]
