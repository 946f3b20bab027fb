"""How numbers are written, and which are marked as the best."""

import math
from typing import Any

import pytest

from dpanet.report.numbers import gain, ranks, written, written_seconds


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (26.594, "psnr", "26.59"),
        ("inf", "psnr", "∞"),
        (math.inf, "gain", "+∞"),
        ("-inf", "gain", "−∞"),
        ("nan", "psnr", "undefined"),
        (None, "lpips", "absent"),
        (0.79834, "ssim", ".7983"),
        (1.0, "ssim", "1.0000"),
        (-0.0123, "ssim", "−.0123"),
        (10.05, "mae", "10.0500"),
        (2.0, "gain", "+2.00"),
        (-0.3, "gain", "−0.30"),
        (-0.001, "gain", "+0.00"),
        (0.041, "aiwe1", ".041"),
        (3.25, "sharpness", "3.2500"),
    ],
)
def test_written(value: Any, metric: str, text: str) -> None:
    assert written(value, metric) == text


@pytest.mark.parametrize(
    ("column", "metric", "expected"),
    [
        ([20, 26, 24], "psnr", ["", "best", "second"]),
        ([20, 26, 24], "mae", ["best", "", "second"]),
        ([26.001, 26.002, 24], "psnr", ["best", "best", "second"]),  # as written they are equal
        (["inf", 26, None], "psnr", ["best", "second", ""]),
        (["nan", 26, 25], "psnr", ["", "best", "second"]),
        ([26], "psnr", [""]),
        ([26, 26], "psnr", ["", ""]),
        ([None, None], "lpips", ["", ""]),
        ([1, 2], "sharpness", ["", ""]),  # who knows which is better
    ],
)
def test_best_and_second_best(column: list[Any], metric: str, expected: list[str]) -> None:
    assert ranks(column, metric) == expected


@pytest.mark.parametrize(
    ("ours", "nothing", "expected"),
    [(26.0, 24.0, 2.0), ("inf", "inf", 0.0), ("inf", 24.0, math.inf), (24.0, "inf", -math.inf)],
)
def test_gain(ours: Any, nothing: Any, expected: float) -> None:
    scene = {"scores": {"none": {"aligned": {"psnr": nothing}}, "compact": {"aligned": {"psnr": ours}}}}
    assert gain(scene, "compact", "aligned") == expected


def test_seconds_have_three_figures_at_most() -> None:
    assert [written_seconds(value) for value in (None, 0.0123, 2.414, 31.4)] == ["–", "0.012", "2.41", "31"]
