"""One image of the page: two pictures under a slider, their scores, and the crops of all methods."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dpanet.report.folder import (
    NOTHING,
    TRUTH,
    Scores,
    crop,
    data_uri,
    method_names,
    preview,
)
from dpanet.report.marks import mark
from dpanet.report.markup import Html, data_block, element
from dpanet.report.numbers import ABSENT, gain, metric_of, value_of, written
from dpanet.report.tables import group_row, method_title, protocol_title

Choice = tuple[str, str]
"""Names of the pictures on the left and on the right of the slider."""


def first_choice(scores: Scores) -> Choice:
    """The input, and the method with the largest mean gain by the last protocol, or else the truth."""
    protocol = scores["protocols"][-1]

    def mean(name: str) -> float:
        spread = scores["summary"][name][protocol].get("gain")
        value = value_of(spread["mean"]) if spread else None
        return -math.inf if value is None or math.isnan(value) else value

    methods = method_names(scores)[1:]
    return NOTHING, max(methods, key=mean) if methods else TRUTH


def choosers(scores: Scores, choice: Choice, which: str) -> Html:
    """Two lists to choose the pictures left and right of the slider from."""
    options = [*method_names(scores), TRUTH]
    lists = []
    for side, chosen in zip(("left", "right"), choice, strict=True):
        entries = [
            element("option", method_title(name), value=name, selected=name == chosen) for name in options
        ]
        lists.append(
            element(
                "label",
                element("span", side.capitalize()),
                element("select", *entries, data_side=side, aria_label=f"Picture on the {side}, {which}"),
            )
        )
    return element("div", *lists, class_="choosers")


def scene_section(folder: Path, scores: Scores, index: int, choice: Choice) -> Html:
    """The whole section; its pictures lie in a data block that the page's script decodes on approach.

    Raises: ReportError if a picture cannot be read.
    """
    scene = scores["scenes"][index]
    name = scene["name"]
    label = element("span", scene["label"], class_="label") if scene.get("label") else ""
    size = element("span", f"{scene['width']} × {scene['height']} px", class_="remark")
    pictures = {
        method: [data_uri(preview(folder, name, method)), data_uri(crop(folder, name, method))]
        for method in (*method_names(scores), TRUTH)
    }
    gains = {
        method: _sortable(gain(scene, method, scores["protocols"][-1]))
        for method in pictures
        if method != TRUTH
    }
    return element(
        "article",
        element("h3", element("span", name), label, size),
        element(
            "div",
            _stage(scene, choice),
            element(
                "div",
                choosers(scores, choice, f"image {name}"),
                _scores(scores, scene, choice),
                class_="side",
            ),
            class_="scene-body",
        ),
        _crops(scores, scene),
        data_block({name: method_title(name) for name in pictures}, "titles"),
        data_block(pictures, "pictures"),
        class_="scene",
        id=f"image-{index}",
        data_name=name,
        data_gains=_json(gains),
        tabindex="-1",
    )


def _stage(scene: Mapping[str, Any], choice: Choice) -> Html:
    name, width, height = scene["name"], scene["width"], scene["height"]
    x, y, side = scene["crop"]
    frame = (
        f"left:{100 * x / width:.3f}%;top:{100 * y / height:.3f}%;"
        f"width:{100 * min(side / width, 1):.3f}%;height:{100 * min(side / height, 1):.3f}%"
    )
    left, right = (method_title(chosen) for chosen in choice)
    handle = element(
        "div",
        element("span", class_="knob", aria_hidden="true"),
        class_="handle",
        role="slider",
        tabindex="0",
        aria_label=f"Boundary between left and right picture, image {name}",
        aria_orientation="horizontal",
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow="50",
        aria_valuetext=f"50 % {left}, 50 % {right}",
    )
    return element(
        "div",
        element("img", class_="right", alt=f"Image {name}, {right}", draggable="false"),
        element("img", class_="left", alt=f"Image {name}, {left}", draggable="false"),
        element("span", class_="frame", style=frame, title="where the crops below are from"),
        element("span", left, class_="tag tag-left"),
        element("span", right, class_="tag tag-right"),
        handle,
        class_="stage",
        style=f"--ratio:{width / height:.5f};--split:50%",
    )


def _scores(scores: Scores, scene: Mapping[str, Any], choice: Choice) -> Html:
    metrics = [*scores["metrics"], "gain"]
    head = element(
        "thead",
        element(
            "tr",
            element("td"),
            *(
                element("th", method_title(chosen), scope="col", class_="number", data_column=side)
                for side, chosen in zip(("left", "right"), choice, strict=True)
            ),
        ),
    )
    bodies = []
    for protocol in scores["protocols"]:
        rows = [group_row(protocol_title(protocol), 3)]
        for metric in metrics:
            shown = {method: _shown(scene, method, protocol, metric) for method in method_names(scores)}
            title = "Gain, dB" if metric == "gain" else metric_of(metric).heading
            cells = [
                element("td", shown.get(chosen, "–"), class_="number", data_side=side)
                for side, chosen in zip(("left", "right"), choice, strict=True)
            ]
            rows.append(element("tr", element("th", title, scope="row"), *cells, data_values=_json(shown)))
        bodies.append(element("tbody", *rows))
    caption = element("caption", f"Scores of image {scene['name']}", class_="unseen")
    return element("table", caption, head, *bodies, class_="pair-scores")


def _crops(scores: Scores, scene: Mapping[str, Any]) -> Html:
    side, name, protocol = scene["crop"][2], scene["name"], scores["protocols"][-1]
    figures = []
    for index, method in enumerate([*method_names(scores), TRUTH]):
        told = ""
        if method != TRUTH:
            told = f"{_shown(scene, method, protocol, 'psnr')} dB"
            if method != NOTHING:
                told += f" ({_shown(scene, method, protocol, 'gain')})"
        figures.append(
            element(
                "figure",
                element(
                    "div",
                    element("img", alt=f"Crop of image {name}, {method_title(method)}", draggable="false"),
                    class_="window",
                ),
                element(
                    "figcaption",
                    mark(index) if method != TRUTH else "",
                    element("span", method_title(method), class_="name"),
                    element("small", told),
                ),
                data_method=method,
            )
        )
    handling = "Crops: native pixels, twice enlarged. Drag one, or use the arrow keys, and all move. "
    remark = element(
        "p",
        element("span", handling, class_="on-screen"),
        f"PSNR of the whole image, {protocol_title(protocol).lower()}.",
        class_="remark",
    )
    strip = element(
        "div",
        *figures,
        class_="strip",
        style=f"--side:{side}px;--pan-x:.5;--pan-y:.5",
        tabindex="0",
        role="group",
        aria_label=f"Crops of image {name} by all methods; arrow keys move them together",
    )
    return element("div", remark, strip, class_="crops")


def _shown(scene: Mapping[str, Any], method: str, protocol: str, metric: str) -> str:
    if metric == "gain":
        value = gain(scene, method, protocol)
        return "–" if value is None or method == NOTHING else written(value, "gain")
    value = scene["scores"][method][protocol].get(metric)
    return ABSENT if value is None else written(value, metric)


def _sortable(value: float | None) -> float:
    """For the script's order: JSON knows no infinity."""
    if value is None or math.isnan(value):
        return 0.0
    return max(min(value, 1e6), -1e6)


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
