"""The report of an evaluation: one self-contained page, and all scores as CSV."""

from dpanet.report.page import build_page
from dpanet.report.spreadsheet import scores_csv

__all__ = ["build_page", "scores_csv"]
