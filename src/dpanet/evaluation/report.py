"""Scores of many scenes against doing nothing: the table for people and the one for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dpanet.datasets.captures import Capture
from dpanet.evaluation.protocol import Score, score_aligned, score_as_published
from dpanet.pair import Pixels

HEADER = (
    "scene  | as published: PSNR   SSIM    MAE   gain | aligned: PSNR   SSIM    MAE   gain\n"
    "-------+----------------------------------------+------------------------------------"
)


@dataclass(frozen=True)
class Row:
    """One scene by both protocols; the gains are dB of PSNR over the baseline, by the same protocol."""

    scene: str
    as_published: Score
    aligned: Score
    gain_as_published: float
    gain_aligned: float

    @classmethod
    def mean(cls, rows: Sequence[Row]) -> Row:
        """The row below the table; it is called ``mean``."""
        return cls(
            "mean",
            Score.mean(row.as_published for row in rows),
            Score.mean(row.aligned for row in rows),
            sum(row.gain_as_published for row in rows) / len(rows),
            sum(row.gain_aligned for row in rows) / len(rows),
        )


def do_nothing(capture: Capture) -> Pixels:
    """The ordinary photograph, the mean of both views: what any method must beat."""
    return capture.pair.combined.pixels


def score(capture: Capture, output: Pixels) -> tuple[Score, Score]:
    """Score one output by both protocols: (as published, aligned).

    Args:    output: (H, W, 3), float32, in the capture's encoding and scale; it is divided by the capture's
             white together with the truth.
    """
    output, truth = output / capture.white, capture.truth.pixels / capture.white
    matched = capture.match_color
    return (
        score_as_published(output, truth, match_color=matched),
        score_aligned(output, truth, encoding=capture.pair.encoding, match_color=matched),
    )


def score_row(capture: Capture, output: Pixels | None = None) -> Row:
    """Score one output, and doing nothing beside it; None scores doing nothing itself."""
    baseline = score(capture, do_nothing(capture))
    as_published, aligned = baseline if output is None else score(capture, output)
    return Row(
        capture.name,
        as_published,
        aligned,
        _gain(as_published, baseline[0]),
        _gain(aligned, baseline[1]),
    )


def format_row(row: Row) -> str:
    """One line under `HEADER`: dB to 0.01, SSIM and MAE to 0.0001."""
    columns = (
        f"{score.psnr:{width}.2f} {score.ssim:6.4f} {score.mae:6.4f} {gain:+z6.2f}"
        for score, gain, width in (
            (row.as_published, row.gain_as_published, 18),
            (row.aligned, row.gain_aligned, 13),
        )
    )
    return f"{row.scene:<6} | {' | '.join(columns)}"


def as_json(rows: Iterable[Row], **about: str) -> dict[str, Any]:
    """The table for programs: `about` as given, then ``scenes`` and ``mean``; infinities become strings."""
    rows = list(rows)
    return {
        **about,
        "scenes": [_plain(asdict(row)) for row in rows],
        "mean": _plain(asdict(Row.mean(rows))),
    }


def _gain(score: Score, baseline: Score) -> float:
    return 0.0 if score.psnr == baseline.psnr else score.psnr - baseline.psnr


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
