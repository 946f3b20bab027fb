"""The report that a researcher reads: one self-contained page about one evaluation, and its spreadsheet."""

from dpanet.report.build import build_page
from dpanet.report.spreadsheet import scores_csv

__all__ = ["build_page", "scores_csv"]
