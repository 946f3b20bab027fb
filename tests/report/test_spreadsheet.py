"""The scores as CSV."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dpanet.report import scores_csv


def rows_of(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    scores = json.loads((folder / "scores.json").read_text())
    return scores, list(csv.DictReader(io.StringIO(scores_csv(scores))))


def test_a_row_for_each_scene_method_and_protocol_and_for_each_mean(fabricate: Callable[..., Path]) -> None:
    scores, rows = rows_of(fabricate(labels=True))
    single = [row for row in rows if row["row"] == "scene"]
    assert len(single) == len({(r["scene"], r["method"], r["protocol"]) for r in single}) == 3 * 4 * 2
    means = [row for row in rows if row["row"] == "mean"]
    assert len(means) == 4 * 2 * (1 + 2)
    row = next(r for r in single if (r["scene"], r["method"], r["protocol"]) == ("002", "nano", "aligned"))
    values = scores["scenes"][1]["scores"]
    assert float(row["psnr"]) == values["nano"]["aligned"]["psnr"]
    assert float(row["mae"]) == values["nano"]["aligned"]["mae"]
    assert float(row["seconds"]) == values["nano"]["seconds"]
    assert float(row["gain"]) == values["nano"]["aligned"]["psnr"] - values["none"]["aligned"]["psnr"]
    assert (row["label"], row["width"], row["height"], row["lpips"]) == ("outdoor", "96", "72", "")
    mean = next(r for r in means if (r["label"], r["method"], r["protocol"]) == ("indoor", "nano", "aligned"))
    assert float(mean["ssim"]) == scores["summary"]["nano"]["labels"]["indoor"]["aligned"]["ssim"]["mean"]


def test_infinity_and_awkward_names(fabricate: Callable[..., Path]) -> None:
    def put(scores: dict[str, Any]) -> None:
        scores["scenes"][0]["scores"]["nano"]["aligned"]["psnr"] = "inf"
        scores["methods"][2]["kind"] = "given"

    _, rows = rows_of(fabricate(change=put, names='a "quoted", name {}'.format))
    row = next(row for row in rows if row["method"] == "nano" and row["protocol"] == "aligned")
    assert (row["scene"], row["psnr"], row["gain"]) == ('a "quoted", name 1', "inf", "inf")
    assert row["seconds"] == ""  # it was given finished, nobody knows how long it took
