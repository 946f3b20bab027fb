"""Numbers as the page shows them, and which of them are the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from dpanet.report.folder import NOTHING, Scores

ABSENT = "absent"
MINUS = "−"


@dataclass(frozen=True)
class Metric:
    """How a figure is written. better: the direction of improvement, None where it is not known."""

    label: str
    unit: str
    decimals: int
    better: Literal["higher", "lower"] | None

    @property
    def heading(self) -> str:
        """``PSNR, dB ↑``, unbreakable."""
        unit = f", {self.unit}" if self.unit else ""
        arrow = {"higher": " ↑", "lower": " ↓", None: ""}[self.better]
        return f"{self.label}{unit}{arrow}".replace(" ", "\N{NO-BREAK SPACE}")


METRICS = {
    "psnr": Metric("PSNR", "dB", 2, "higher"),
    "ssim": Metric("SSIM", "", 4, "higher"),
    "mae": Metric("MAE", "", 4, "lower"),
    "lpips": Metric("LPIPS", "", 4, "lower"),
    "gain": Metric("Gain", "dB", 2, "higher"),
    "aiwe1": Metric("AIWE(1)", "", 3, "lower"),
    "aiwe2": Metric("AIWE(2)", "", 3, "lower"),
    "spearman": Metric("1 − |ρ|", "", 3, "lower"),
}


def metric_of(name: str) -> Metric:
    """The metric of that name; one this page does not know is written with 4 decimals and never ranked."""
    return METRICS.get(name, Metric(name, "", 4, None))


def value_of(value: Any) -> float | None:
    """A number of scores.json: null is None, the strings "inf", "-inf" and "nan" are what they say."""
    return None if value is None else float(value)


def written(value: Any, metric: str) -> str:
    """As the tables show it: ``26.59``, ``.7983``, ``∞``, ``+2.00`` for gains, ``absent`` for null."""
    number = value_of(value)
    if number is None:
        return ABSENT
    if math.isnan(number):
        return "undefined"
    sign = "+" if metric == "gain" else ""
    if math.isinf(number):
        return (sign if number > 0 else MINUS) + "∞"
    text = f"{number:{sign}z.{metric_of(metric).decimals}f}".replace("-", MINUS)
    if metric in ("psnr", "gain"):
        return text
    return text.replace("0.", ".", 1) if text.removeprefix(MINUS).startswith("0.") else text


def ranks(column: Sequence[Any], metric: str) -> list[Literal["best", "second", ""]]:
    """Best and second best of a column; what is written alike is ranked alike.

    One value alone is not ranked, nor is a column in which all are alike.
    """
    better = metric_of(metric).better
    numbers = [value_of(value) for value in column]
    usable = [number for number in numbers if number is not None and not math.isnan(number)]
    decimals = metric_of(metric).decimals
    levels = sorted({round(number, decimals) for number in usable}, reverse=better == "higher")
    if better is None or len(levels) < 2:
        return ["" for _ in column]
    places: dict[float, Literal["best", "second", ""]] = {levels[0]: "best", levels[1]: "second"}
    return [
        "" if number is None or math.isnan(number) else places.get(round(number, decimals), "")
        for number in numbers
    ]


def gain(scene: Mapping[str, Any], method: str, protocol: str) -> float | None:
    """PSNR over doing nothing in one scene, in dB; 0 where both are infinite."""
    ours = value_of(scene["scores"][method][protocol].get("psnr"))
    nothing = value_of(scene["scores"][NOTHING][protocol].get("psnr"))
    if ours is None or nothing is None:
        return None
    return 0.0 if ours == nothing else ours - nothing


def seconds(scores: Scores, method: str) -> float | None:
    """Median over the scenes; None where nothing was timed, as for pictures that were given finished."""
    if any(about["name"] == method and about.get("kind") == "given" for about in scores["methods"]):
        return None
    times = [value_of(scene["scores"][method].get("seconds")) for scene in scores["scenes"]]
    known = [time for time in times if time is not None]
    return median(known) if known else None


def written_seconds(value: float | None) -> str:
    """``0.012``, ``2.41``, ``31``: three figures at most, and a dash where nothing was timed."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
