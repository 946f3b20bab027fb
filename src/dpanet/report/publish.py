"""Write what an evaluation leaves: scores.json for programs, scores.csv for tables, report.html for people."""

from __future__ import annotations

from pathlib import Path

from dpanet.evaluation.scores import Scores
from dpanet.evaluation.scores_file import write_scores
from dpanet.files.output import atomic_output
from dpanet.report.page import build_page
from dpanet.report.spreadsheet import scores_csv


def publish(scores: Scores, folder: Path) -> None:
    """Write the three files, each whole or not at all.

    Args:
        scores: Of `collect_scores`.
        folder: Folder of the evaluation, with the pictures that the page shows.

    Raises:
        ReportError: If a picture of the page is missing.
        OutputError: If a file cannot be written.
    """
    write_scores(scores, folder / "scores.json")
    with atomic_output(folder / "scores.csv", overwrite=True) as unfinished:
        unfinished.write_text(scores_csv(scores), encoding="utf-8")
    build_page(scores, folder)
