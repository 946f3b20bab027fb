"""Many scores become few numbers: means, medians, and how far chance alone could have moved the mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 10_000
"""Draws of the bootstrap."""


def summarise(values: Sequence[float]) -> dict[str, float]:
    """Mean, median, and the 95 % bootstrap interval of the mean (``low``, ``high``) over images.

    The images are drawn anew with replacement, 10,000 times, from a fixed seed; the interval lies between the
    2.5th and the 97.5th percentile of the means. With an infinite value the mean is infinite and the interval too.

    Source: Efron, 1979 (percentile bootstrap).
    """
    sample = np.asarray(values, np.float64)
    if not np.isfinite(sample).all():
        return {"mean": math.inf, "median": float(np.median(sample)), "low": math.inf, "high": math.inf}
    draws = np.random.default_rng(0).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.percentile(sample[draws].mean(axis=1), (2.5, 97.5))
    return {
        "mean": float(sample.mean()),
        "median": float(np.median(sample)),
        "low": float(low),
        "high": float(high),
    }


def summarise_scenes(
    scenes: Sequence[Mapping[str, Any]], method: str, protocols: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """Summary of one method over scene records: protocol -> metric -> numbers, and ``gain`` over doing nothing.

    A metric that is absent (None) in any scene is None. Where scenes are labelled, ``labels`` holds the same for
    each label.
    """
    summary: dict[str, Any] = {p: _protocol(scenes, method, p, metrics) for p in protocols}
    labels = sorted({scene["label"] for scene in scenes if scene["label"] is not None})
    if labels:
        summary["labels"] = {
            label: {
                p: _protocol([s for s in scenes if s["label"] == label], method, p, metrics)
                for p in protocols
            }
            for label in labels
        }
    return summary


def _protocol(
    scenes: Sequence[Mapping[str, Any]], method: str, protocol: str, metrics: Sequence[str]
) -> dict[str, Any]:
    rows = [scene["scores"][method][protocol] for scene in scenes]
    nothing = [scene["scores"]["none"][protocol] for scene in scenes]
    found: dict[str, Any] = {}
    for metric in metrics:
        values = [number(row[metric]) for row in rows]
        known = [value for value in values if value is not None]
        found[metric] = plain(summarise(known)) if len(known) == len(values) else None
    found["gain"] = plain(summarise([gain(r["psnr"], n["psnr"]) for r, n in zip(rows, nothing, strict=True)]))
    return found


def gain(psnr: float | str, nothing: float | str) -> float:
    """DB of PSNR over doing nothing; two perfect pictures are alike."""
    one, other = float(psnr), float(nothing)
    return 0.0 if one == other else one - other


def number(value: float | str | None) -> float | None:
    """The value of a record: infinities are strings in JSON."""
    return None if value is None else float(value)


def plain(value: Any) -> Any:
    """JSON without infinities: they become strings."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
