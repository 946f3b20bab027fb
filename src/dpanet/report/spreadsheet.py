"""All scores as CSV, for a spreadsheet or a plot of one's own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from dpanet.report.folder import Scores, method_names
from dpanet.report.numbers import gain, seconds

Cell = str | int | float | None


def scores_csv(scores: Scores) -> str:
    """One row per scene, method and protocol, then the means, over all scenes and per label.

    Columns: row ("scene" or "mean"), scene, label, method, protocol, width, height in px, seconds (of a mean:
             the median over all scenes), one per metric, gain in dB of PSNR over doing nothing. In full
             precision; ``inf`` for a perfect picture, empty where a value is absent.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    about = ("row", "scene", "label", "method", "protocol", "width", "height", "seconds")
    writer.writerow([*about, *scores["metrics"], "gain"])
    writer.writerows(_scene_rows(scores))
    writer.writerows(_mean_rows(scores))
    return text.getvalue()


def _scene_rows(scores: Scores) -> Iterator[list[Cell]]:
    for scene in scores["scenes"]:
        for method in method_names(scores):
            result = scene["scores"][method]
            for protocol in scores["protocols"]:
                yield [
                    "scene",
                    scene["name"],
                    scene.get("label"),
                    method,
                    protocol,
                    scene["width"],
                    scene["height"],
                    result.get("seconds") if seconds(scores, method) is not None else None,
                    *(result[protocol][metric] for metric in scores["metrics"]),
                    gain(scene, method, protocol),
                ]


def _mean_rows(scores: Scores) -> Iterator[list[Cell]]:
    for method in method_names(scores):
        whole = scores["summary"][method]
        for label, part in [(None, whole), *whole.get("labels", {}).items()]:
            for protocol in scores["protocols"]:
                yield [
                    "mean",
                    None,
                    label,
                    method,
                    protocol,
                    None,
                    None,
                    seconds(scores, method) if label is None else None,
                    *(_mean(part[protocol], metric) for metric in (*scores["metrics"], "gain")),
                ]


def _mean(part: Mapping[str, Any], metric: str) -> Cell:
    spread = part.get(metric)
    return None if spread is None else spread["mean"]
