"""The page as a whole: head, sections, and the one file they are written to."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from dpanet.files.output import atomic_output
from dpanet.report.comparison import defocus_section, published_section
from dpanet.report.folder import NOTHING, Scores, check_pictures, method_names, read_scores
from dpanet.report.marks import mark
from dpanet.report.markup import Html, element, joined
from dpanet.report.numbers import value_of, written
from dpanet.report.plot import gain_axis, gain_plot
from dpanet.report.scenes import choosers, first_choice, scene_section
from dpanet.report.spreadsheet import scores_csv
from dpanet.report.tables import counted, protocol_title, score_table

LAYOUTS = {
    "dpdd": "DPDD (Abuolaim and Brown, ECCV 2020)",
    "restormer": "DPDD in Restormer's layout",
    "pixel4": "Pixel 4 captures (Xin et al., ICCV 2021)",
    "pairs": "pairs with truths",
}


def build_page(folder: Path) -> Path:
    """Write ``report.html`` of an evaluation: one file that asks nothing of any network.

    An older page is replaced. Pictures are read and written one scene at a time.

    Args:    folder: holds ``scores.json`` and ``scenes/NAME/METHOD.webp`` and ``METHOD-crop.png``.
    Returns: path of the page.
    Raises:  ReportError if the folder holds no complete evaluation, OutputError if it cannot be written to.
    """
    folder = Path(folder)
    scores = read_scores(folder)
    check_pictures(folder, scores)
    page = folder / "report.html"
    with atomic_output(page, overwrite=True) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for piece in _pieces(folder, scores):
            file.write(piece)
            file.write("\n")
    return page


def _pieces(folder: Path, scores: Scores) -> Iterator[str]:
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    choice = first_choice(scores)
    yield '<!doctype html>\n<html lang="en">'
    yield _head(scores, script)
    yield "<body>"
    yield _header(scores)
    yield "<main>"
    yield _score_section(scores)
    yield published_section(scores)
    yield defocus_section(scores)
    yield _gain_section(scores)
    yield '<section id="images">'
    yield _image_tools(scores, choice)
    yield '<div id="scenes">'
    for index in range(len(scores["scenes"])):
        yield scene_section(folder, scores, index, choice)
    yield "</div></section></main>"
    yield f"<script>{script}</script>"
    yield "</body></html>"


def _head(scores: Scores, script: str) -> Html:
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", _title(scores)),
        element("style", Html(style)),
    )


def _title(scores: Scores) -> str:
    return f"Scores on {LAYOUTS.get(scores['layout'], scores['layout'])}, {counted(len(scores['scenes']))}"


def _header(scores: Scores) -> Html:
    versions = ", ".join(f"{name} {version}" for name, version in scores["versions"].items())
    reading = f"{scores['bits']} bits"
    if scores["official"]:
        reading += ", read and truncated to 8 bits as the official code does"
    lpips = scores["lpips"]
    facts: dict[str, str] = {
        "Data": f"{scores['root']}, layout {scores['layout']}"
        + (f", {scores['split']}" if scores.get("split") else ""),
        "Protocols": " and ".join(protocol_title(name).lower() for name in scores["protocols"]),
        "Depth": reading,
        "LPIPS": "absent: no weights were at hand" if lpips == "absent" else f"AlexNet, weights {lpips[:8]}",
        "Device": scores["device"],
        "Versions": f"dpanet {scores['dpanet']}, {versions}",
        "Date": scores["date"].replace("T", " ").replace("Z", " UTC"),
        "Command": element("code", _command(scores)),
    }
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in facts.items()]
    links = [("#scores", "Scores"), ("#published", "Published"), ("#defocus", "Defocus maps")]
    links += [("#gain", "Gain per image"), ("#images", "Images")]
    shown = [link for link in links if _present(scores, link[0])]
    return element(
        "header",
        element("h1", _title(scores)),
        element("p", _finding(scores), class_="finding"),
        element("dl", *rows, class_="facts"),
        element("nav", *(element("a", text, href=target) for target, text in shown), aria_label="Sections"),
    )


def _command(scores: Scores) -> str:
    words = [str(word) for word in scores["command"]]
    return shlex.join(words if words[:1] == ["dpanet"] else ["dpanet", *words])


def _present(scores: Scores, target: str) -> bool:
    if target == "#published":
        return bool(published_section(scores))
    return target != "#defocus" or bool(scores.get("defocus"))


def _finding(scores: Scores) -> str:
    protocol = scores["protocols"][-1]
    best = first_choice(scores)[1]
    spread: dict[str, Any] | None = scores["summary"].get(best, {}).get(protocol, {}).get("gain")
    if best not in scores["summary"] or not spread:
        return "Doing nothing was scored, and no method beside it."
    nothing = scores["summary"][NOTHING][protocol]["psnr"]["mean"]
    ours = scores["summary"][best][protocol]["psnr"]["mean"]
    interval = ""
    if value_of(spread.get("low")) is not None:
        interval = f" (95 % interval {written(spread['low'], 'gain')} to {written(spread['high'], 'gain')})"
    return (
        f"By the protocol “{protocol_title(protocol).lower()}”, doing nothing scores {written(nothing, 'psnr')} dB "
        f"and the best method, {best}, {written(ours, 'psnr')} dB: "
        f"{written(spread['mean'], 'gain')} dB per image in the mean{interval}."
    )


def _score_section(scores: Scores) -> Html:
    data = base64.b64encode(scores_csv(scores).encode()).decode()
    link = element(
        "a", "all scores as CSV", href=f"data:text/csv;charset=utf-8;base64,{data}", download="scores.csv"
    )
    remark = joined(
        "Means over images; ",
        element("strong", "bold", class_="best"),
        " is the best of a column, ",
        element("u", "underlined", class_="second"),
        " the second best, doing nothing included. Beneath each mean its 95 % bootstrap interval. Download ",
        link,
        ".",
    )
    tables = [score_table(scores, protocol) for protocol in scores["protocols"]]
    return element(
        "section", element("h2", "Scores"), element("p", remark, class_="remark"), *tables, id="scores"
    )


def _gain_section(scores: Scores) -> Html:
    names = method_names(scores)
    legend = [element("li", mark(index), name) for index, name in enumerate(names) if name != NOTHING]
    axis = gain_axis(scores)
    plots = [
        element(
            "figure",
            element("figcaption", protocol_title(protocol)),
            gain_plot(scores, protocol, axis, not nth),
        )
        for nth, protocol in enumerate(scores["protocols"])
    ]
    remark = "PSNR of each output minus that of the input, image by image; right of zero is better."
    return element(
        "section",
        element("h2", "Gain per image"),
        element("p", remark, " Above them the means with their 95 % intervals.", class_="remark"),
        element("ul", *legend, class_="legend"),
        element("div", *plots, class_="plots"),
        id="gain",
    )


def _image_tools(scores: Scores, choice: tuple[str, str]) -> Html:
    orders = [element("option", "name", value="")]
    last = protocol_title(scores["protocols"][-1]).lower()
    for name in method_names(scores)[1:]:
        orders.append(element("option", f"gain of {name} ({last}), least first", value=name))
    order = element("label", element("span", "Order by"), element("select", *orders, id="order"))
    return joined(
        element("h2", "Images"),
        element("noscript", element("p", "The pictures need JavaScript; the scores above do not.")),
        element(
            "div",
            element("span", "In all images", class_="tools-title"),
            choosers(scores, choice, "all images"),
            order,
            class_="tools",
            id="tools",
        ),
    )
