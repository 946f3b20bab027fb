"""How numbers are written, and which are marked as the best."""

import math

import pytest

from dpanet.report.formatting import format_seconds, format_value, rank_column


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (26.594, "psnr", "26.59"),
        (math.inf, "psnr", "∞"),
        (math.inf, "gain", "+∞"),
        (-math.inf, "gain", "−∞"),
        (math.nan, "psnr", "undefined"),
        (None, "lpips", "absent"),
        (0.79834, "ssim", ".7983"),
        (1.0, "ssim", "1.0000"),
        (-0.0123, "ssim", "−.0123"),
        (10.05, "mae", "10.0500"),
        (2.0, "gain", "+2.00"),
        (-0.3, "gain", "−0.30"),
        (-0.001, "gain", "+0.00"),
        (0.041, "aiwe1", ".041"),
    ],
)
def test_format_value(value: float | None, metric: str, text: str) -> None:
    assert format_value(value, metric) == text


@pytest.mark.parametrize(
    ("column", "metric", "expected"),
    [
        ([20, 26, 24], "psnr", ["", "best", "second"]),
        ([20, 26, 24], "mae", ["best", "", "second"]),
        ([26.001, 26.002, 24], "psnr", ["best", "best", "second"]),  # as written they are equal
        ([math.inf, 26, None], "psnr", ["best", "second", ""]),
        ([math.nan, 26, 25], "psnr", ["", "best", "second"]),
        ([26], "psnr", [""]),
        ([26, 26], "psnr", ["", ""]),
        ([None, None], "lpips", ["", ""]),
        ([-math.inf, 2.0], "gain", ["", "best"]),
        ([-math.inf, 2.0, 1.0], "gain", ["", "best", "second"]),
        ([-math.inf, -math.inf], "gain", ["", ""]),
        ([math.inf, 0.1], "mae", ["", "best"]),
    ],
)
def test_best_and_second_best(column: list[float | None], metric: str, expected: list[str]) -> None:
    assert rank_column(column, metric) == expected


def test_seconds_have_three_figures_at_most() -> None:
    assert [format_seconds(value) for value in (None, 0.0123, 2.414, 31.4)] == ["–", "0.012", "2.41", "31"]
