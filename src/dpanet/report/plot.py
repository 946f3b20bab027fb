"""The gain over doing nothing, image by image, drawn as SVG that keeps its text size at any width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dpanet.report.folder import Scores, method_names
from dpanet.report.marks import colour_class, shape
from dpanet.report.markup import Html, element
from dpanet.report.numbers import gain, value_of, written
from dpanet.report.tables import protocol_title

LABELS, FIELD = 25.0, 70.0
"""Per cent of the drawing's width: names on the left, the field of dots."""
TOP, BOTTOM = 26.0, 42.0
"""px above the rows, for tick labels; px below, for tick labels and the axis title."""
LONGEST_NAME = 14


@dataclass(frozen=True)
class Axis:
    """dB along the field, shared by the protocols, zero always inside."""

    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        """Per cent of the field; what is infinite lies on its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(100 * share, 3)

    def ticks(self) -> list[float]:
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [index * self.step for index in range(first, last + 1)]


def axis_over(values: Sequence[float]) -> Axis:
    """An axis with round ends and about six ticks over the finite ones of `values` and zero."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    span = max(high - low, 0.1)
    rough = span / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    bottom, top = math.floor(low / step - 1e-9) * step, math.ceil(high / step + 1e-9) * step
    return Axis(min(bottom, 0.0), max(top, step), step)


def gain_axis(scores: Scores) -> Axis:
    """One axis for all protocols, so that their plots can be compared."""
    return axis_over(
        [
            value
            for protocol in scores["protocols"]
            for scene in scores["scenes"]
            for name in method_names(scores)[1:]
            if (value := gain(scene, name, protocol)) is not None
        ]
    )


def gain_plot(scores: Scores, protocol: str, axis: Axis, focusable: bool = True) -> Html:
    """One row per image with a mark per method, and above them the means with their 95 % intervals."""
    names, scenes = method_names(scores)[1:], scores["scenes"]
    row = 26.0 if len(scenes) <= 12 else 19.0 if len(scenes) <= 40 else 15.0
    mean_height = 14.0 + 11.0 * len(names)
    height = TOP + mean_height + row * len(scenes) + BOTTOM
    end = height - BOTTOM
    parts = [_grid(axis, end), _means(scores, protocol, axis, mean_height)]
    for index, scene in enumerate(scenes):
        y = TOP + mean_height + row * (index + 0.5)
        parts.append(_scene_row(scene, index, y, names, protocol, axis, focusable))
    title = f"Gain over none, dB, {protocol_title(protocol).lower()}"
    parts.append(_text(title, f"{LABELS + FIELD / 2}%", height - 6, "middle", "axis"))
    return element(
        "svg", *parts, class_="plot", width="100%", height=_short(height), role="group", aria_label=title
    )


def _grid(axis: Axis, end: float) -> Html:
    lines = []
    for tick in axis.ticks():
        x = f"{axis.place(tick)}%"
        zero = abs(tick) < axis.step / 2
        lines.append(
            element("line", x1=x, x2=x, y1=TOP - 4, y2=_short(end), class_="zero" if zero else "tick")
        )
        decimals = max(0, -math.floor(math.log10(axis.step) + 1e-9))
        text = "0" if zero else f"{tick:+.{decimals}f}".replace("-", "−")
        lines += [_text(text, x, y, "middle", "tick-label") for y in (TOP - 10, end + 16)]
    return _field(*lines)


def _means(scores: Scores, protocol: str, axis: Axis, height: float) -> Html:
    parts = [_text("mean", f"{LABELS - 2}%", TOP + height / 2 + 1, "end", "mean-label")]
    marks = []
    for index, name in enumerate(method_names(scores)[1:], start=1):
        spread = scores["summary"][name][protocol].get("gain")
        mean = value_of(spread["mean"]) if spread else None
        if mean is None or math.isnan(mean):
            continue
        y = TOP + 4 + 11.0 * (index - 0.5)
        low, high = value_of(spread.get("low")), value_of(spread.get("high"))
        if low is not None and high is not None and not math.isnan(low + high):
            whisker = {"x1": f"{axis.place(low)}%", "x2": f"{axis.place(high)}%"}
            marks.append(element("line", **whisker, y1=y, y2=y, class_=f"whisker {colour_class(index)}"))
            for x in whisker.values():  # the ends show even where the mark is wider than the interval
                cap = element("line", x1=x, x2=x, y1=y - 5.5, y2=y + 5.5, class_=f"cap {colour_class(index)}")
                marks.append(cap)
        told = f"{name}: mean {written(mean, 'gain')} dB"
        marks.append(_dot(index, mean, y, told, axis))
    y = TOP + height - 4
    parts.append(element("line", x1="0", x2="100%", y1=y, y2=y, class_="tick"))
    return element("g", *parts, _field(*marks))


def _scene_row(
    scene: dict[str, Any],
    index: int,
    y: float,
    names: Sequence[str],
    protocol: str,
    axis: Axis,
    focusable: bool,
) -> Html:
    name = scene["name"]
    label = element("title", name), _text(_shortened(name), f"{LABELS - 2}%", 4, "end", "scene-label")
    link = element("a", *label, href=f"#image-{index}", tabindex=None if focusable else "-1")
    dots = []
    for place, method in enumerate(names, start=1):
        value = gain(scene, method, protocol)
        if value is None or math.isnan(value):
            continue
        dots.append(_dot(place, value, 0, f"{name}, {method}: {written(value, 'gain')} dB", axis))
    line = element("line", x1="0", x2="100%", y1="0", y2="0", class_="row-line")
    return element(
        "g", link, _field(line, *dots), class_="row", transform=f"translate(0 {_short(y)})", data_image=index
    )


def _dot(index: int, value: float, y: float, told: str, axis: Axis) -> Html:
    beyond = _text("∞", "0", -7, "middle", "tick-label") if math.isinf(value) else ""
    return element(
        "svg",
        element("title", told),
        shape(index),
        beyond,
        x=f"{axis.place(value)}%",
        y=_short(y),
        class_="dot",
    )


def _field(*parts: str) -> Html:
    return element("svg", *parts, x=f"{LABELS}%", width=f"{FIELD}%", class_="field")


def _text(text: str, x: str, y: float, anchor: str, class_: str) -> Html:
    return element("text", text, x=x, y=_short(y), text_anchor=anchor, class_=class_)


def _short(value: float) -> str:
    return f"{value:g}"


def _shortened(name: str) -> str:
    half = (LONGEST_NAME - 1) // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"
