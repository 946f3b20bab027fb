"""One image of the page: its pictures and scores, ready for the template."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpanet.evaluation.scores import GAIN, METRICS, NOTHING, TRUTH, SceneScores, Scores
from dpanet.report.formatting import DASH, FORMATS, format_value
from dpanet.report.pictures import crop_path, data_uri, picture_names, preview_path


@dataclass(frozen=True)
class SceneView:
    """One image."""

    index: int
    """Position among the images."""
    name: str
    """Name of the scene."""
    label: str | None
    """Such as ``indoor``."""
    width: int
    """In px."""
    height: int
    """In px."""
    frame: str
    """CSS position of the crop in the whole picture."""
    crop_side: int
    """Side of the crop in px."""
    pictures: Mapping[str, tuple[str, str]]
    """Data URIs of the whole picture and of the crop, by name of the picture."""
    gains: Mapping[str, float]
    """Finite numbers to sort the images by, by method: gain in dB by the last protocol."""
    tables: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Scores as text, by protocol, heading of the metric and method."""
    crop_notes: Mapping[str, str]
    """PSNR and gain under each crop, by name of the picture."""
    notes: Mapping[str, tuple[str, ...]]
    """What was noted while a method ran, by the methods that have notes."""


def best_method(scores: Scores) -> str | None:
    """Return the method with the largest mean gain by the last protocol; None if there is no method or gain."""
    gains = {}
    for method in scores.methods[1:]:
        spread = scores.summary[method.name].protocols[scores.protocols[-1]][GAIN]
        if spread is not None and spread.mean > -math.inf:  # false for NaN, too
            gains[method.name] = spread.mean
    return max(gains, key=lambda name: gains[name], default=None)


def first_choice(scores: Scores) -> dict[str, str]:
    """Return the names of the pictures that the slider shows first, by side."""
    methods = [method.name for method in scores.methods[1:]]
    return {"left": NOTHING, "right": best_method(scores) or (methods or [TRUTH])[0]}


def scene_views(folder: Path, scores: Scores) -> Iterator[SceneView]:
    """Yield the images one by one, so that only one image's pictures are in memory.

    Raises:
        ReportError: If a picture cannot be read.
    """
    methods = [method.name for method in scores.methods]
    last = scores.protocols[-1]
    for index, scene in enumerate(scores.scenes):
        x, y, side = scene.crop
        width, height = scene.width, scene.height
        tables = {
            protocol: {
                FORMATS[metric].heading if metric != GAIN else "Gain, dB": {
                    method: _score(scene, method, protocol, metric) for method in methods
                }
                for metric in (*METRICS, GAIN)
            }
            for protocol in scores.protocols
        }
        yield SceneView(
            index,
            scene.name,
            scene.label,
            width,
            height,
            frame=f"left:{100 * x / width:.3f}%;top:{100 * y / height:.3f}%;"
            f"width:{100 * min(side / width, 1):.3f}%;height:{100 * min(side / height, 1):.3f}%",
            crop_side=side,
            pictures={
                name: (
                    data_uri(preview_path(folder, scene.name, name)),
                    data_uri(crop_path(folder, scene.name, name)),
                )
                for name in picture_names(scores)
            },
            gains={method: _sort_key(scene.gain(method, last)) for method in methods},
            tables=tables,
            crop_notes={TRUTH: "", **{method: _crop_note(scene, method, last) for method in methods}},
            notes={name: one.notes for name, one in scene.methods.items() if one.notes},
        )


def _score(scene: SceneScores, method: str, protocol: str, metric: str) -> str:
    if metric == GAIN:
        return DASH if method == NOTHING else format_value(scene.gain(method, protocol), GAIN)
    return format_value(getattr(scene.methods[method].protocols[protocol], metric), metric)


def _crop_note(scene: SceneScores, method: str, protocol: str) -> str:
    psnr = f"{_score(scene, method, protocol, 'psnr')} dB"
    return psnr if method == NOTHING else f"{psnr} ({_score(scene, method, protocol, GAIN)})"


def _sort_key(gain: float) -> float:
    """Return a finite number; JSON has no infinity."""
    return 0.0 if math.isnan(gain) else max(min(gain, 1e6), -1e6)
