"""The picture files of an evaluation."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from dpanet.errors import ReportError, shown
from dpanet.evaluation.scores import TRUTH, Scores


def picture_names(scores: Scores) -> list[str]:
    """Return the names of each scene's pictures: the methods in the tables' order, then the truth."""
    return [*(method.name for method in scores.methods), TRUTH]


def preview_path(folder: Path, scene: str, name: str) -> Path:
    """Return the file of the whole picture, display encoding, long side at most 960 px."""
    return folder / "scenes" / scene / f"{name}.webp"


def crop_path(folder: Path, scene: str, method: str) -> Path:
    """Return the file of a method's crop of a scene, at its native resolution."""
    return folder / "scenes" / scene / f"{method}-crop.png"


def check_pictures(folder: Path, scores: Scores, more: Sequence[Path] = ()) -> None:
    """Check that every picture of the page exists, those of the scenes and `more`.

    Raises:
        ReportError: If any is missing; it names the first one and their number.
    """
    paths = [
        path
        for scene in scores.scenes
        for name in picture_names(scores)
        for path in (preview_path(folder, scene.name, name), crop_path(folder, scene.name, name))
    ]
    missing = [path for path in (*paths, *more) if not path.is_file()]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ReportError(f"{shown(missing[0])}{others} is missing; run dpanet evaluate again to write it")


def data_uri(path: Path) -> str:
    """Return a picture file as ``data:image/...;base64,...``.

    Raises:
        ReportError: If it cannot be read.
    """
    try:
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise ReportError(
            f"{shown(path)} cannot be read ({error.strerror}); run dpanet evaluate again"
        ) from error
    return f"data:image/{path.suffix.removeprefix('.')};base64,{data}"
