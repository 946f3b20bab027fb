import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import peers

DOCS = Path(__file__).parents[2] / "docs"


def row(method: str, seconds: float) -> peers.Row:
    return peers.Row(method, "torch", "float32", seconds, seconds, seconds, 3, "")


def find_line(page: str, start: str) -> str:
    lines = (DOCS / page).read_text().splitlines()
    return next(line for line in lines if line.startswith(start))


def gain(method: str, scenes: str) -> float:
    return next(g.decibels for g in peers.GAINS if (g.method, g.scenes) == (method, scenes))


@pytest.mark.parametrize(
    ("method", "start", "scenes"),
    [
        ("compact", "| Pixel 4, five scenes | 24.60", peers.PIXEL4),
        ("compact", "| Canon videos, four scenes | 26.75", peers.CANON),
        ("nano", "| Pixel 4, five scenes | +", peers.PIXEL4),
        ("nano", "| Canon videos, four scenes | +", peers.CANON),
        ("U-Net", "| a plain U-Net by that config", peers.PIXEL4),
    ],
)
def test_gains_are_those_of_the_model_card(method: str, start: str, scenes: str) -> None:
    assert f"{gain(method, scenes):+.2f}" in find_line("model-card.md", start)


@pytest.mark.parametrize(
    ("method", "start", "column", "scenes"),
    [
        ("Wiener", "| `wiener`, kernels of the Pixel 4 |", 3, peers.PIXEL4),
        ("Wiener", "| `wiener`, kernels of the Pixel 4 |", 5, peers.CANON),
        ("DPDNet", "| `dpdnet`, finished pictures", 5, peers.CANON),
    ],
)
def test_gains_are_differences_of_the_scores(method: str, start: str, column: int, scenes: str) -> None:
    after, before = (
        float(re.search(r"\d+\.\d+", find_line("evaluation.md", line).split("|")[column])[0])  # type: ignore[index]
        for line in (start, "| `none` | 24.07")
    )
    assert gain(method, scenes) == pytest.approx(after - before, abs=1e-9)


def test_published_gains_are_over_doing_nothing() -> None:
    gains = {gain.method: gain for gain in peers.published_gains()}
    assert gains["DPDNet"].decibels == pytest.approx(25.13 - 23.89)
    assert gains["Restormer"].decibels == pytest.approx(26.66 - 23.89)
    assert all(gain.scenes == peers.DPDD and "GRL" in gain.source for gain in gains.values())


def test_methods_are_measured_in_turns_without_the_first() -> None:
    calls: list[str] = []
    names = ("a", "b")
    candidates = [
        peers.Candidate(n, "x", "float32", "", lambda pair, n=n: calls.append(n))  # type: ignore[misc]
        for n in names
    ]
    rows = peers.measure(candidates, peers.cut_pair(20, 30), 2)
    assert calls == ["a", "b"] * 3 and [row.runs for row in rows] == [2, 2]


def test_the_pair_has_the_size_that_is_asked_for() -> None:
    assert peers.cut_pair(600, 300).left.shape == (600, 300, 3)


def test_the_table_and_the_plot_name_every_method(tmp_path: Path) -> None:
    rows = [row("compact", 0.9), row("U-Net", 1.0), row("paper", 35.0)]
    text = peers.to_markdown(rows, peers.GAINS)
    assert "| paper | torch | float32 | 35.00 (35.00 to 35.00) |" in text
    peers.draw(rows, peers.GAINS, tmp_path / "p.svg")
    assert ElementTree.parse(tmp_path / "p.svg").getroot().tag.endswith("svg")
    assert "paper (time only)" in (tmp_path / "p.svg").read_text()
