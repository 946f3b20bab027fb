"""All scores as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from dpanet.evaluation.scores import GAIN, METRICS, MethodInfo, Scores, Spread
from dpanet.report.formatting import printable

COLUMNS = (
    "row",
    "scene",
    "label",
    "method",
    "protocol",
    "width",
    "height",
    "seconds",
    *METRICS,
    GAIN,
    "computation",
    "notes",
)

Value = str | int | float | None


def scores_csv(scores: Scores) -> str:
    r"""Return one row per scene, method and protocol, then the means over all scenes and per label.

    Columns: ``row`` (``scene`` or ``mean``), ``scene``, ``label``, ``method``, ``protocol``, ``width`` and ``height``
    in px, ``seconds`` (in a mean row the median over all scenes), the metrics, ``gain`` in dB of PSNR over doing
    nothing; ``computation``, how a network ran; ``notes``, what was noted of a scene. Numbers have full precision;
    ``inf`` and ``-inf`` are infinite, an absent value is empty. Bytes of a name that are not UTF-8, and control
    characters, are escapes: ``\xe9``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in (*_scene_rows(scores), *_mean_rows(scores)):
        writer.writerow([printable(value) if isinstance(value, str) else value for value in row])
    return text.getvalue()


def _scene_rows(scores: Scores) -> Iterator[list[Value]]:
    computations = {method.name: _computation(method) for method in scores.methods}
    for scene in scores.scenes:
        for name, method in scene.methods.items():
            for protocol in scores.protocols:
                score = method.protocols[protocol]
                yield [
                    *("scene", scene.name, scene.label, name, protocol, scene.width, scene.height),
                    method.seconds,
                    *(getattr(score, metric) for metric in METRICS),
                    scene.gain(name, protocol),
                    computations.get(name),
                    "; ".join(method.notes),
                ]


def _mean_rows(scores: Scores) -> Iterator[list[Value]]:
    for method in scores.methods:
        summary = scores.summary[method.name]
        for label, part in [(None, summary.protocols), *summary.labels.items()]:
            for protocol in scores.protocols:
                yield [
                    *("mean", None, label, method.name, protocol, None, None),
                    summary.seconds if label is None else None,
                    *(_mean(part[protocol], metric) for metric in (*METRICS, GAIN)),
                    _computation(method),
                    None,
                ]


def _computation(method: MethodInfo) -> str | None:
    return None if method.computation is None else method.computation.text()


def _mean(part: Mapping[str, Spread | None], metric: str) -> float | None:
    spread = part[metric]
    return spread.mean if spread else None
