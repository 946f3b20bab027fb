"""The scores as CSV."""

import csv
import io
from collections.abc import Callable
from typing import Any

from dpanet.evaluation.scores import Scores
from dpanet.report import scores_csv


def rows_of(scores: Scores) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(scores_csv(scores))))


def test_a_row_for_each_scene_method_and_protocol_and_for_each_mean(fabricate: Callable[..., Any]) -> None:
    scores = fabricate(labels=True).scores
    rows = rows_of(scores)
    single = [row for row in rows if row["row"] == "scene"]
    assert len(single) == len({(r["scene"], r["method"], r["protocol"]) for r in single}) == 3 * 4 * 2
    means = [row for row in rows if row["row"] == "mean"]
    assert len(means) == 4 * 2 * (1 + 2)
    row = next(r for r in single if (r["scene"], r["method"], r["protocol"]) == ("002", "nano", "aligned"))
    scene = scores.scenes[1]
    nano, nothing = (scene.methods[name].protocols["aligned"] for name in ("nano", "none"))
    assert (float(row["psnr"]), float(row["mae"])) == (nano.psnr, nano.mae)
    assert float(row["seconds"]) == scene.methods["nano"].seconds
    assert float(row["gain"]) == nano.psnr - nothing.psnr
    assert (row["label"], row["width"], row["height"], row["lpips"]) == ("outdoor", "96", "72", "")
    assert row["computation"].startswith("onnxruntime 1.32.0, int8, cpu; 2 passes; scale auto;")
    assert {r["computation"] for r in rows if r["method"] == "none"} == {""}
    mean = next(r for r in means if (r["label"], r["method"], r["protocol"]) == ("indoor", "nano", "aligned"))
    ssim = scores.summary["nano"].labels["indoor"]["aligned"]["ssim"]
    assert ssim is not None and float(mean["ssim"]) == ssim.mean


def test_infinity_and_awkward_names(fabricate: Callable[..., Any]) -> None:
    def put(scores: dict[str, Any]) -> None:
        scores["scenes"][0]["scores"]["nano"]["aligned"]["psnr"] = "inf"
        scores["scenes"][0]["scores"]["nano"]["seconds"] = None

    rows = rows_of(fabricate(change=put, names='a "quoted", name {}'.format).scores)
    row = next(row for row in rows if row["method"] == "nano" and row["protocol"] == "aligned")
    assert (row["scene"], row["psnr"], row["gain"]) == ('a "quoted", name 1', "inf", "inf")
    assert row["seconds"] == ""  # its pictures came finished, so that nothing was timed


def test_seconds_of_a_mean_are_the_median_over_scenes(fabricate: Callable[..., Any]) -> None:
    def put(scores: dict[str, Any]) -> None:
        for scene, seconds in zip(scores["scenes"], (1.0, 2.0, 9.0), strict=True):
            scene["scores"]["nano"]["seconds"] = seconds
        scores["summary"]["nano"]["seconds"] = 2.0

    rows = rows_of(fabricate(change=put).scores)
    assert {row["seconds"] for row in rows if (row["row"], row["method"]) == ("mean", "nano")} == {"2.0"}
