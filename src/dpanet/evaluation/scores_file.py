"""``scores.json``: one writer, one reader."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from dpanet.errors import ReportError, shown
from dpanet.evaluation.scores import (
    DEFOCUS_METRICS,
    GAIN,
    METRICS,
    NOTHING,
    TRUTH,
    Computation,
    DefocusScore,
    MethodInfo,
    MethodScores,
    SceneScores,
    Score,
    Scores,
    Spread,
    Spreads,
    Summary,
    WindowScore,
    can_name_a_file,
)
from dpanet.files.output import atomic_output

_PLAIN = [f.name for f in fields(Scores) if f.name not in ("methods", "scenes", "summary", "defocus")]
"""Fields of `Scores` that are plain values already."""


def write_scores(scores: Scores, path: Path) -> None:
    """Write ``scores.json``, whole or not at all; infinity and NaN are written as strings.

    Raises:
        OutputError: If the file cannot be written.
    """
    with atomic_output(path, overwrite=True) as unfinished:
        text = json.dumps(scores_to_json(scores), indent=1, allow_nan=False)
        unfinished.write_text(text + "\n", encoding="utf-8")


def read_scores(path: Path) -> Scores:
    """Read ``scores.json``.

    Raises:
        ReportError: If the file is missing, damaged, incomplete or inconsistent.
    """
    remedy = "run dpanet evaluate again to write it"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{shown(path)} does not exist; {remedy}") from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{shown(path)} cannot be read ({error}); {remedy}") from error
    try:
        scores = scores_from_json(document)
        _check(scores)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"lacks {error}" if isinstance(error, KeyError) else f"is malformed: {error}"
        raise ReportError(f"{shown(path)} {detail}; {remedy}, with this version") from error
    return scores


def scores_to_json(scores: Scores) -> dict[str, Any]:
    """Return plain values as in ``scores.json``."""
    document = {
        **{name: getattr(scores, name) for name in _PLAIN},
        "metrics": METRICS,
        "methods": [asdict(method) for method in scores.methods],
        "scenes": [scene_to_json(scene) for scene in scores.scenes],
        "summary": {name: _summary_to_json(summary) for name, summary in scores.summary.items()},
    }
    if scores.defocus:
        document["defocus"] = {name: asdict(score) for name, score in scores.defocus.items()}
    return dict(_encode(document))


def scores_from_json(document: Mapping[str, Any]) -> Scores:
    """Return the scores of a parsed ``scores.json``; a missing key raises KeyError."""
    return Scores(
        **{name: document[name] for name in _PLAIN if name not in ("command", "protocols")},
        command=tuple(document["command"]),
        protocols=tuple(document["protocols"]),
        methods=tuple(_method_info_from_json(method) for method in document["methods"]),
        scenes=tuple(scene_from_json(scene) for scene in document["scenes"]),
        summary={name: _summary_from_json(value) for name, value in document["summary"].items()},
        defocus=_defocus_from_json(document.get("defocus", {})),
    )


def scene_to_json(scene: SceneScores) -> dict[str, Any]:
    """Return plain values as in ``scenes`` of ``scores.json``."""
    document = {name: getattr(scene, name) for name in ("name", "label", "width", "height", "crop")}
    document["scores"] = {
        name: {"seconds": one.seconds, "notes": one.notes}
        | {key: asdict(score) for key, score in one.protocols.items()}
        for name, one in scene.methods.items()
    }
    if scene.defocus:
        document["defocus"] = {name: asdict(score) for name, score in scene.defocus.items()}
    document["windows"] = {name: [asdict(one) for one in found] for name, found in scene.windows.items()}
    return dict(_encode(document))


def scene_from_json(document: Mapping[str, Any]) -> SceneScores:
    """Return the scene that `scene_to_json` wrote."""
    x, y, side = map(int, document["crop"])
    return SceneScores(
        document["name"],
        document["label"],
        int(document["width"]),
        int(document["height"]),
        (x, y, side),
        {name: _method_from_json(value) for name, value in document["scores"].items()},
        _defocus_from_json(document.get("defocus", {})),
        {
            name: tuple(_window_from_json(window) for window in found)
            for name, found in document.get("windows", {}).items()
        },
    )


def _window_from_json(value: Mapping[str, Any]) -> WindowScore:
    x, y, side = (int(value[key]) for key in ("x", "y", "side"))
    return WindowScore(x, y, side, _decode(value["nothing"]), _decode(value["psnr"]))


def _method_info_from_json(value: Mapping[str, Any]) -> MethodInfo:
    how = value.get("computation")
    return MethodInfo(**{**value, "computation": None if how is None else Computation(**how)})


def _method_from_json(value: Mapping[str, Any]) -> MethodScores:
    protocols = {
        name: Score(**{metric: _decode(score[metric]) for metric in METRICS})
        for name, score in value.items()
        if name not in ("seconds", "notes")
    }
    return MethodScores(value["seconds"], protocols, tuple(value.get("notes", ())))


def _defocus_from_json(value: Mapping[str, Any]) -> dict[str, DefocusScore]:
    return {name: DefocusScore(*(float(row[key]) for key in DEFOCUS_METRICS)) for name, row in value.items()}


def _summary_to_json(summary: Summary) -> dict[str, Any]:
    document = {"seconds": summary.seconds, **_spreads_to_json(summary.protocols)}
    if summary.labels:
        document["labels"] = {label: _spreads_to_json(part) for label, part in summary.labels.items()}
    return document


def _summary_from_json(value: Mapping[str, Any]) -> Summary:
    protocols = {name: part for name, part in value.items() if name not in ("seconds", "labels")}
    labels = {label: _spreads_from_json(part) for label, part in value.get("labels", {}).items()}
    return Summary(value["seconds"], _spreads_from_json(protocols), labels)


def _spreads_to_json(spreads: Spreads) -> dict[str, Any]:
    return {
        protocol: {metric: None if one is None else asdict(one) for metric, one in part.items()}
        for protocol, part in spreads.items()
    }


def _spreads_from_json(value: Mapping[str, Any]) -> Spreads:
    return {
        protocol: {
            metric: None if one is None else Spread(**{key: _decode(number) for key, number in one.items()})
            for metric, one in part.items()
        }
        for protocol, part in value.items()
    }


def _encode(value: Any) -> Any:
    """Replace infinity and NaN by strings, at any depth."""
    if isinstance(value, Mapping):
        return {key: _encode(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _decode(value: float | str | None) -> Any:
    return None if value is None else float(value)


def _check(scores: Scores) -> None:
    """Raise ValueError or KeyError for names that are no file names and for scores that are missing."""
    names = [method.name for method in scores.methods]
    if names[:1] != [NOTHING]:
        raise ValueError(f"the first method must be {NOTHING!r}, among {names}")
    if TRUTH in names or len(set(names)) < len(names):
        raise ValueError(f"a method is named twice, or {TRUTH!r}")
    if not scores.scenes or not scores.protocols:
        raise ValueError("it has no scene or no protocol")
    for name in (*names, *(scene.name for scene in scores.scenes)):
        if not can_name_a_file(name):
            raise ValueError(f"{name!r} cannot name a file")
    for scene in scores.scenes:
        if min(scene.width, scene.height, scene.crop[2]) < 1:
            raise ValueError(f"scene {scene.name} has no size")
    for name in names:
        for protocol in scores.protocols:
            for metric in (*METRICS, GAIN):
                scores.summary[name].protocols[protocol][metric]
            for scene in scores.scenes:
                scene.methods[name].protocols[protocol]
