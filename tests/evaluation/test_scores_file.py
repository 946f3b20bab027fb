import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dpanet.errors import ReportError
from dpanet.evaluation.scores import (
    Computation,
    DefocusScore,
    MethodInfo,
    MethodScores,
    SceneScores,
    Score,
    Scores,
)
from dpanet.evaluation.scores_file import read_scores, scores_to_json, write_scores
from dpanet.evaluation.summary import summarize_method

PROTOCOLS = ("as_published", "aligned")


@pytest.fixture
def scores() -> Scores:
    """Two labeled scenes; doing nothing is perfect in the first, so that infinities occur."""

    def scene(name: str, label: str, none: float, seconds: float | None) -> SceneScores:
        methods = {
            "none": MethodScores(0.5, dict.fromkeys(PROTOCOLS, Score(none, 1.0, 0.0))),
            "m": MethodScores(seconds, dict.fromkeys(PROTOCOLS, Score(22.5, 0.5, 0.1, 0.25))),
        }
        return SceneScores(name, label, 40, 30, (3, 4, 20), methods, {"m": DefocusScore(0.1, 0.2, 0.3)})

    scenes = (scene("a", "indoor", math.inf, None), scene("b", "outdoor", 20.0, None))
    return Scores(
        dpanet="0.1.0",
        command=("dpanet", "evaluate"),
        date="2026-01-31T12:00:00Z",
        layout="pairs",
        root="captures",
        split=None,
        bits=16,
        official=False,
        lpips="absent",
        device="cpu",
        versions={"python": "3.11"},
        protocols=PROTOCOLS,
        methods=(MethodInfo("none", "baseline", "none"), MethodInfo("m", "finished", "")),
        scenes=scenes,
        summary={name: summarize_method(scenes, name, PROTOCOLS) for name in ("none", "m")},
        defocus={"m": DefocusScore(0.1, 0.2, 0.3)},
    )


def test_what_is_written_is_read_back(scores: Scores, tmp_path: Path) -> None:
    assert scores.summary["m"].protocols["aligned"]["gain"].mean == -math.inf
    write_scores(scores, tmp_path / "scores.json")
    assert read_scores(tmp_path / "scores.json") == scores
    network = MethodInfo(
        "m", "model", "m", computation=Computation("torch 2.0", "cpu", "float32", 2, "1", "0")
    )
    scores = replace(scores, methods=(scores.methods[0], network))
    write_scores(scores, tmp_path / "scores.json")
    assert read_scores(tmp_path / "scores.json").methods[1].computation == network.computation
    plain = replace(scores, defocus={}, split="test")
    write_scores(plain, tmp_path / "scores.json")
    assert read_scores(tmp_path / "scores.json") == plain


def drop_summary(document: dict[str, Any]) -> None:
    del document["summary"]["m"]["aligned"]


def drop_method(document: dict[str, Any]) -> None:
    del document["scenes"][1]["scores"]["m"]


def leave_folder(document: dict[str, Any]) -> None:
    document["scenes"][0]["name"] = "../a"


def rename_method(document: dict[str, Any]) -> None:
    document["methods"][1]["name"] = "truth"


def no_scenes(document: dict[str, Any]) -> None:
    document["scenes"] = []


def wrong_number(document: dict[str, Any]) -> None:
    document["scenes"][0]["scores"]["m"]["aligned"]["psnr"] = "high"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_summary, "lacks 'aligned'"),
        (drop_method, "lacks 'm'"),
        (leave_folder, "cannot name a file"),
        (rename_method, "'truth'"),
        (no_scenes, "no scene"),
        (wrong_number, "malformed"),
    ],
)
def test_an_unusable_file_is_refused(
    scores: Scores, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    document = scores_to_json(scores)
    change(document)
    (tmp_path / "scores.json").write_text(json.dumps(document))
    with pytest.raises(ReportError, match=message):
        read_scores(tmp_path / "scores.json")


@pytest.mark.parametrize("content", ["{ half", "[]", "{}", '{"dpanet": 3}'])
def test_other_content_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "scores.json").write_text(content)
    with pytest.raises(ReportError, match=r"scores\.json .*run dpanet evaluate again"):
        read_scores(tmp_path / "scores.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="does not exist"):
        read_scores(tmp_path / "scores.json")
