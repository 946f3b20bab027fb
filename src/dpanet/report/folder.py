"""What an evaluation left in its folder: the scores, checked, and the pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dpanet.errors import ReportError

TRUTH = "truth"
"""Stands beside the methods' names in each scene's folder."""
NOTHING = "none"
"""The method that every evaluation holds: doing nothing."""

Scores = dict[str, Any]

KEYS = {
    "dpanet": str,
    "command": list,
    "date": str,
    "layout": str,
    "root": str,
    "bits": int,
    "official": bool,
    "lpips": str,
    "device": str,
    "versions": dict,
    "protocols": list,
    "metrics": list,
    "methods": list,
    "scenes": list,
    "summary": dict,
}


def read_scores(folder: Path) -> Scores:
    """Read ``scores.json`` of an evaluation and check that the page can rely on it.

    Raises: ReportError if the folder or the file is missing, damaged or incomplete.
    """
    path = folder / "scores.json"
    remedy = "run dpanet evaluate with this folder as its output first"
    if not folder.is_dir():
        raise ReportError(f"the folder {folder} does not exist; {remedy}")
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{folder} holds no scores.json; {remedy}") from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{path} cannot be read ({error}); {remedy} again") from error
    if not isinstance(scores, dict):
        raise ReportError(f"{path} holds a {type(scores).__name__} instead of an object; {remedy} again")
    for key, kind in KEYS.items():
        if not isinstance(scores.get(key), kind):
            raise ReportError(
                f'{path}: "{key}" is missing or is no {kind.__name__}; {remedy} again, with this version'
            )
    try:
        _check(scores)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"lacks {error}" if isinstance(error, KeyError) else f"is malformed: {error}"
        raise ReportError(f"{path} {detail}; {remedy} again, with this version") from error
    return scores


def check_pictures(folder: Path, scores: Scores) -> None:
    """Check that every picture of the page is there, before anything is written.

    Raises: ReportError that names the first missing one and how many there are.
    """
    if not (folder / "scenes").is_dir():
        raise ReportError(
            f"{folder} holds no folder scenes; the page shows its pictures, so run dpanet evaluate again"
        )
    missing = [path for path in _pictures(folder, scores) if not path.is_file()]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ReportError(f"{missing[0]}{others} is missing; run dpanet evaluate again to make it")


def preview(folder: Path, scene: str, method: str) -> Path:
    """The whole picture, display encoding, long side at most 960 px."""
    return folder / "scenes" / scene / f"{method}.webp"


def crop(folder: Path, scene: str, method: str) -> Path:
    """Native pixels of the scene's crop."""
    return folder / "scenes" / scene / f"{method}-crop.png"


def data_uri(path: Path) -> str:
    """The file as ``data:image/...;base64,...``.

    Raises: ReportError if it cannot be read.
    """
    try:
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}); run dpanet evaluate again") from error
    return f"data:image/{path.suffix.removeprefix('.')};base64,{data}"


def method_names(scores: Scores) -> list[str]:
    """Names of the methods in the table's order, doing nothing first."""
    names = [str(method["name"]) for method in scores["methods"]]
    return [NOTHING, *(name for name in names if name != NOTHING)]


def _pictures(folder: Path, scores: Scores) -> Iterator[Path]:
    for scene in scores["scenes"]:
        for method in (*method_names(scores), TRUTH):
            yield preview(folder, scene["name"], method)
            yield crop(folder, scene["name"], method)


def _check(scores: Scores) -> None:
    methods = [method["name"] for method in scores["methods"]]
    if NOTHING not in methods:
        raise ValueError(f'no method "{NOTHING}" among {", ".join(map(repr, methods)) or "none at all"}')
    if not scores["scenes"] or not scores["protocols"]:
        raise ValueError("it names no scene or no protocol")
    for name in (*methods, *(scene["name"] for scene in scores["scenes"])):
        if not isinstance(name, str) or not name or name in (".", "..") or set(name) & set("/\\\0"):
            raise ValueError(f"{name!r} is no name of a file")
    if TRUTH in methods or len(set(methods)) < len(methods):
        raise ValueError('a method is named twice, or "truth"')
    for scene in scores["scenes"]:
        _x, _y, _side = map(int, scene["crop"])
        if min(scene["width"], scene["height"], _side) < 1:
            raise ValueError(f"scene {scene['name']} has no size")
        for method in methods:
            for protocol in scores["protocols"]:
                values = scene["scores"][method][protocol]
                for metric in scores["metrics"]:
                    _number(values[metric])
    for method in methods:
        for protocol in scores["protocols"]:
            for metric in (*scores["metrics"], "gain"):
                spread = scores["summary"][method][protocol][metric]
                if spread is not None:
                    _number(spread["mean"])


def _number(value: Any) -> None:
    if value is not None:
        float(value)
