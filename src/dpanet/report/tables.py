"""The tables of mean scores as text, ready for the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpanet.evaluation.scores import (
    DEFOCUS_METRICS,
    GAIN,
    METRICS,
    NOTHING,
    MethodInfo,
    Scores,
    Spread,
    Spreads,
)
from dpanet.report.formatting import (
    ABSENT,
    DASH,
    Rank,
    count_images,
    format_seconds,
    format_value,
    protocol_title,
    rank_column,
)
from dpanet.report.published import Figures, PublishedRow

_EXPLANATIONS = {
    "as_published": "Each output is compared with the truth as it is, up to the border, as in tables of papers. "
    "Where the truth and the views are not exactly aligned, this penalizes sharp outputs.",
    "aligned": "The truth is first aligned to each output by an affine map, estimated on that output; 24 px of "
    "border are dropped; the better score of the moved and the unmoved truth counts. The same for every method.",
}


@dataclass(frozen=True)
class Cell:
    """One value of a table."""

    text: str
    """The value."""
    rank: Rank = ""
    """Its place in the column."""
    interval: str = ""
    """Its 95 % interval; empty if there is none."""
    note: str = ""
    """What its tooltip says."""


@dataclass(frozen=True)
class Row:
    """One method of a table."""

    number: int
    """Position of the method among all methods; 0 is doing nothing."""
    method: MethodInfo
    """The method."""
    cells: Sequence[Cell]
    """One per metric."""
    seconds: str = ""
    """Median seconds per image."""


@dataclass(frozen=True)
class Group:
    """The rows over all images, or over those of one label."""

    title: str
    """Empty where the table has one group only."""
    rows: Sequence[Row]
    """One per method."""


@dataclass(frozen=True)
class ScoreTable:
    """The mean scores by one protocol."""

    title: str
    """Name of the protocol."""
    explanation: str
    """What the protocol does."""
    groups: Sequence[Group]
    """All images first, then one group per label."""


def score_table(scores: Scores, protocol: str) -> ScoreTable:
    """Return the mean scores by one protocol, over all images and then per label."""
    labels = sorted({label for summary in scores.summary.values() for label in summary.labels})
    whole = {name: summary.protocols for name, summary in scores.summary.items()}
    title = f"All {count_images(len(scores.scenes))}" if labels else ""
    groups = [Group(title, list(_score_rows(scores, whole, protocol, timed=True)))]
    for label in labels:
        part = {name: one.labels[label] for name, one in scores.summary.items() if label in one.labels}
        count = sum(scene.label == label for scene in scores.scenes)
        title = f"{label.capitalize()}, {count_images(count)}"
        groups.append(Group(title, list(_score_rows(scores, part, protocol, timed=False))))
    return ScoreTable(protocol_title(protocol), _EXPLANATIONS.get(protocol, ""), groups)


def defocus_rows(scores: Scores) -> list[Row]:
    """Return the mean errors of the defocus maps, one row per method that has one."""
    columns = {
        metric: rank_column([getattr(score, metric) for score in scores.defocus.values()], metric)
        for metric in DEFOCUS_METRICS
    }
    rows = []
    numbers = {method.name: number for number, method in enumerate(scores.methods)}
    for index, (name, score) in enumerate(scores.defocus.items()):
        cells = [
            Cell(format_value(getattr(score, metric), metric), columns[metric][index])
            for metric in DEFOCUS_METRICS
        ]
        rows.append(Row(numbers[name], scores.methods[numbers[name]], cells))
    return rows


def run_rows(scores: Scores) -> list[PublishedRow]:
    """Return the mean scores of this run, as published, in the form of the published ones."""
    bits = f"{scores.bits}, official reading" if scores.official else str(scores.bits)
    sizes = {(scene.width, scene.height) for scene in scores.scenes}
    rows = []
    for method in scores.methods:
        summary = scores.summary[method.name]
        labels = {
            label: _figures(summary.labels[label]["as_published"])
            for label in ("indoor", "outdoor")
            if label in summary.labels
        }
        rows.append(
            PublishedRow(
                method.name,
                "none" if method.name == NOTHING else "both offered",
                bits,
                _figures(summary.protocols["as_published"]),
                source=None,
                size=next(iter(sizes)) if len(sizes) == 1 else None,
                **labels,
            )
        )
    return rows


def _figures(spreads: Mapping[str, Spread | None]) -> Figures:
    means = {metric: spreads[metric] for metric in METRICS}
    return Figures(
        **{metric: format_value(one.mean if one else None, metric) for metric, one in means.items()}
    )


def _score_rows(scores: Scores, parts: Mapping[str, Spreads], protocol: str, *, timed: bool) -> Iterator[Row]:
    spreads = {name: part[protocol] for name, part in parts.items() if protocol in part}
    methods = [(number, method) for number, method in enumerate(scores.methods) if method.name in spreads]
    ranks = {}
    for metric in (*METRICS, GAIN):
        column = [spreads[method.name][metric] for _, method in methods]
        ranks[metric] = rank_column([spread.mean if spread else None for spread in column], metric)
    for place, (number, method) in enumerate(methods):
        cells = [_mean_cell(spreads[method.name][metric], metric, ranks[metric][place]) for metric in METRICS]
        gain = _mean_cell(spreads[method.name][GAIN], GAIN, ranks[GAIN][place])
        cells.append(Cell(DASH) if method.name == NOTHING else gain)
        seconds = format_seconds(scores.summary[method.name].seconds) if timed else DASH
        yield Row(number, method, cells, seconds)


def _mean_cell(spread: Spread | None, metric: str, rank: Rank) -> Cell:
    if spread is None:
        return Cell(ABSENT)
    interval, notes = "", []
    if spread.low is not None and spread.high is not None:
        interval = f"{format_value(spread.low, metric)} to {format_value(spread.high, metric)}"
        notes.append(f"95 % interval of the mean {interval}")
    notes.append(f"median {format_value(spread.median, metric)}")
    return Cell(format_value(spread.mean, metric), rank, interval, "; ".join(notes))
