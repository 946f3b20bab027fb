"""Sum up the scores of many scenes: means, medians, and how far chance alone could have moved the mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import numpy as np

from dpanet.evaluation.scores import (
    DEFOCUS_METRICS,
    GAIN,
    METRICS,
    DefocusScore,
    SceneScores,
    Spread,
    Spreads,
    Summary,
)

RESAMPLES = 10_000
"""Draws of the bootstrap."""


def summarize(values: Sequence[float]) -> Spread:
    """Return mean, median and the 95 % bootstrap interval of the mean of one figure.

    The values are drawn anew with replacement, 10,000 times, from a fixed seed; the interval lies between the 2.5th
    and the 97.5th percentile of the means.

    Args:
        values: One a scene, at least one; may be infinite.

    Returns:
        With an infinite value the mean has its sign and no interval; with both infinities it is NaN.

    Source:
        Efron, 1979 (percentile bootstrap).
    """
    sample = np.asarray(values, np.float64)
    with np.errstate(invalid="ignore"):  # both infinities
        mean, middle = float(sample.mean()), float(np.median(sample))
    if not math.isfinite(mean):
        return Spread(mean, middle, None, None)
    draws = np.random.default_rng(0).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.percentile(sample[draws].mean(axis=1), (2.5, 97.5))
    return Spread(mean, middle, float(low), float(high))


def summarize_method(scenes: Sequence[SceneScores], method: str, protocols: Sequence[str]) -> Summary:
    """Return the summary of one method over all scenes, and over the scenes of each label if there are labels."""
    times = [scene.methods[method].seconds for scene in scenes]
    known = [time for time in times if time is not None]
    labels = sorted({scene.label for scene in scenes if scene.label is not None})
    return Summary(
        median(known) if known else None,
        _summarize(scenes, method, protocols),
        {
            label: _summarize([scene for scene in scenes if scene.label == label], method, protocols)
            for label in labels
        },
    )


def average_defocus(scenes: Sequence[SceneScores], methods: Sequence[str]) -> dict[str, DefocusScore]:
    """Return the mean defocus scores by method, over the scenes with a true map; empty if there is none."""
    scored = [scene.defocus for scene in scenes if scene.defocus]
    return {
        name: DefocusScore(
            *(float(np.mean([getattr(scores[name], key) for scores in scored])) for key in DEFOCUS_METRICS)
        )
        for name in methods
        if scored and all(name in scores for scores in scored)
    }


def _summarize(scenes: Sequence[SceneScores], method: str, protocols: Sequence[str]) -> Spreads:
    spreads: dict[str, dict[str, Spread | None]] = {}
    for protocol in protocols:
        scores = [scene.methods[method].protocols[protocol] for scene in scenes]
        part: dict[str, Spread | None] = {}
        for metric in METRICS:
            values = [getattr(score, metric) for score in scores]
            part[metric] = None if None in values else summarize(values)
        part[GAIN] = summarize([scene.gain(method, protocol) for scene in scenes])
        spreads[protocol] = part
    return spreads
