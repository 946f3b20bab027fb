"""The tables of means: methods by metrics for each protocol, and the defocus maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dpanet.report.folder import NOTHING, Scores, method_names
from dpanet.report.marks import mark
from dpanet.report.markup import Html, element, joined
from dpanet.report.numbers import ABSENT, metric_of, ranks, seconds, written, written_seconds

PROTOCOLS = {
    "as_published": (
        "As published",
        "Each output against the truth where it lies, to the very border. What tables in papers report; it "
        "punishes sharpness where truth and views do not lie exactly on each other.",
    ),
    "aligned": (
        "Aligned",
        "The truth is first laid over each output by an affine map found on that very output; 24 px of border "
        "are dropped; the better of moved and unmoved truth counts. The same for every method.",
    ),
}


def protocol_title(protocol: str) -> str:
    """As a heading; a protocol this page does not know is named as it is."""
    return PROTOCOLS.get(protocol, (protocol, ""))[0]


def method_title(name: str) -> str:
    """As shown to people: doing nothing is called by what is looked at, the input."""
    return "none (input)" if name == NOTHING else name


def score_table(scores: Scores, protocol: str) -> Html:
    """Means of one protocol, over all images and then per label, best and second best marked in each group."""
    metrics = [*scores["metrics"], "gain"]
    title, sentence = PROTOCOLS.get(protocol, (protocol, ""))
    headings = [element("th", "Method", scope="col")]
    for metric in metrics:
        text = "Gain over none, dB" if metric == "gain" else metric_of(metric).heading
        headings.append(element("th", text, scope="col", class_="number"))
    headings.append(element("th", "Median s per image", scope="col", class_="number"))
    groups = [element("thead", element("tr", *headings))]
    labels = sorted({label for part in scores["summary"].values() for label in part.get("labels", {})})
    count = len(scores["scenes"])
    title_of_all = f"All {counted(count)}" if labels else None
    groups.append(_group(scores, protocol, metrics, None, title_of_all))
    for label in labels:
        members = sum(scene.get("label") == label for scene in scores["scenes"])
        groups.append(_group(scores, protocol, metrics, label, f"{label.capitalize()}, {counted(members)}"))
    head = caption(element("strong", title), element("span", sentence, class_="remark"))
    return scrollable(f"Scores, {title.lower()}", element("table", head, *groups, class_="scores"))


def counted(images: int) -> str:
    """``1 image``, ``76 images``."""
    return f"{images} image{'s' if images != 1 else ''}"


def scrollable(label: str, table: Html) -> Html:
    """A table that scrolls by itself where the window is too narrow for it."""
    return element("div", table, class_="scroll", role="region", tabindex="0", aria_label=label)


def caption(*children: str) -> Html:
    """A table's title, which stays in the window when the table is scrolled."""
    return element("caption", element("div", *children, class_="stays"))


def group_row(title: str, width: int) -> Html:
    """The heading of a group of rows across all `width` columns."""
    heading = element("th", element("span", title, class_="stays"), scope="rowgroup", colspan=width)
    return element("tr", heading, class_="group")


def _group(
    scores: Scores, protocol: str, metrics: Sequence[str], label: str | None, title: str | None
) -> Html:
    names = [name for name in method_names(scores) if _part(scores, name, protocol, label) is not None]
    parts = {name: _part(scores, name, protocol, label) or {} for name in names}
    columns = {metric: ranks([_mean(parts[name], metric) for name in names], metric) for metric in metrics}
    rows = []
    if title:
        rows.append(group_row(title, len(metrics) + 2))
    for index, name in enumerate(names):
        cells = [_method_cell(scores, name)]
        for metric in metrics:
            cells.append(_mean_cell(parts[name].get(metric), metric, columns[metric][index], name))
        time = written_seconds(seconds(scores, name)) if label is None else "–"
        cells.append(element("td", time, class_="number"))
        rows.append(element("tr", *cells, class_="reference" if name == NOTHING else None))
    return element("tbody", *rows)


def _part(scores: Scores, name: str, protocol: str, label: str | None) -> Mapping[str, Any] | None:
    whole = scores["summary"][name]
    part = whole if label is None else whole.get("labels", {}).get(label, {})
    found: Mapping[str, Any] | None = part.get(protocol)
    return found


def _mean(part: Mapping[str, Any], metric: str) -> Any:
    spread = part.get(metric)
    return None if spread is None else spread["mean"]


def _method_cell(scores: Scores, name: str) -> Html:
    about = next(method for method in scores["methods"] if method["name"] == name)
    details = []
    if name != NOTHING:
        details.append(element("span", str(about.get("kind") or "method")))
    if about.get("parameters"):
        details.append(element("span", f"{about['parameters'] / 1e6:.2f} M parameters"))
    digest = about.get("checkpoint_sha256")
    if digest:
        title = f"{about.get('checkpoint') or 'checkpoint'}, SHA-256 {digest}"
        details.append(element("span", element("code", str(digest)[:8]), title=title))
    if name == NOTHING:
        details.append(element("span", "doing nothing, for reference"))
    small = element("small", *_separated(details), class_="details")
    return element("th", named(method_names(scores).index(name), method_title(name)), small, scope="row")


def named(index: int, title: str) -> Html:
    """A method's mark and name, kept on one line where there is room."""
    return element("span", mark(index), element("span", title, class_="name"), class_="named")


def _separated(parts: Sequence[Html]) -> list[str]:
    return [piece for part in parts for piece in (" · ", part)][1:]


def _mean_cell(spread: Mapping[str, Any] | None, metric: str, rank: str, name: str) -> Html:
    if spread is None:
        return element("td", ABSENT, class_="number absent")
    if metric == "gain" and name == NOTHING:
        return element("td", "–", class_="number")
    value = ranked(written(spread["mean"], metric), rank)
    title = small = None
    if spread.get("low") is not None and spread.get("high") is not None:
        low, high = written(spread["low"], metric), written(spread["high"], metric)
        title = f"95 % interval of the mean {low} to {high}"
        small = element("small", f"{low} to {high}", class_="interval")
    if spread.get("median") is not None:
        title = f"{title + '; ' if title else ''}median {written(spread['median'], metric)}"
    return element("td", value, small or "", class_="number", title=title)


def ranked(text: str, rank: str) -> Html:
    """A figure, marked as the best or the second best of its column."""
    if not rank:
        return element("span", text, class_="value")
    told = element("span", " (best)" if rank == "best" else " (second best)", class_="unseen")
    return joined(element("strong" if rank == "best" else "u", text, class_=f"value {rank}"), told)
