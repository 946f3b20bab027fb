import dataclasses
import json
import math

import numpy as np
import pytest

from dpanet.datasets.captures import Capture
from dpanet.evaluation.protocol import Score, score_aligned, score_as_published
from dpanet.evaluation.report import HEADER, Row, as_json, do_nothing, format_row, score, score_row
from dpanet.pair import DualPixelPair, Picture


@pytest.fixture
def capture(scene) -> Capture:
    """A dim linear scene whose brightest pixel is 0.4."""
    dim = np.float32(0.4)
    left, right = scene(damp=2) * dim, scene(np.array([[1, 0, 1.0], [0, 1, 0]]), damp=2) * dim
    pair = DualPixelPair(left, right, "linear")
    return Capture("007", pair, Picture(scene() * dim, "linear"), white=float(max(left.max(), right.max())))


def test_doing_nothing_is_the_mean_of_the_views(capture) -> None:
    np.testing.assert_allclose(do_nothing(capture), (capture.pair.left + capture.pair.right) / 2)
    row = score_row(capture)
    assert (row.scene, row.gain_as_published, row.gain_aligned) == ("007", 0.0, 0.0)


def test_output_and_truth_are_divided_by_the_white_of_the_capture(capture) -> None:
    output = capture.pair.left
    scaled, truth = output / capture.white, capture.truth.pixels / capture.white
    assert score(capture, output) == (score_as_published(scaled, truth), score_aligned(scaled, truth))
    assert score(capture, output)[0].psnr < score_as_published(output, capture.truth.pixels).psnr - 5


def test_a_capture_says_how_it_is_scored(capture) -> None:
    display = Capture(
        "05", DualPixelPair(capture.pair.left, capture.pair.right), Picture(capture.truth.pixels), 1.0, True
    )
    output, truth = capture.pair.left * np.float32(0.8), capture.truth.pixels
    assert score(display, output) == (
        score_as_published(output, truth, match_color=True),
        score_aligned(output, truth, encoding="srgb", match_color=True),
    )
    assert score(display, output) != score(dataclasses.replace(display, match_color=False), output)


def test_gains_are_over_doing_nothing_by_the_same_protocol(capture, scene) -> None:
    output = scene(damp=1) * np.float32(0.4)
    row, nothing = score_row(capture, output), score_row(capture)
    assert row.gain_as_published == row.as_published.psnr - nothing.as_published.psnr > 0
    assert row.gain_aligned == row.aligned.psnr - nothing.aligned.psnr > 0


def test_the_mean_and_the_line() -> None:
    rows = [
        Row("1", Score(20, 0.5, 0.1), Score(24, 0.5, 0.1), 0.5, 1.0),
        Row("2", Score(30, 0.7, 0.3), Score(26, 0.6, 0.2), -1.5, 2.0),
    ]
    mean = Row.mean(rows)
    assert (mean.as_published.psnr, mean.aligned.psnr, mean.gain_as_published, mean.gain_aligned) == (
        25,
        25,
        -0.5,
        1.5,
    )
    line = format_row(mean)
    assert " ".join(line.split()) == "mean | 25.00 0.6000 0.2000 -0.50 | 25.00 0.5500 0.1500 +1.50"
    assert format_row(dataclasses.replace(mean, gain_aligned=-0.001)).endswith("+0.00")
    titles, rule = HEADER.splitlines()
    assert len(line) == len(titles) == len(rule)
    assert [i for i, c in enumerate(line) if c == "|"] == [i for i, c in enumerate(titles) if c == "|"]


def test_json_is_strict_even_for_a_perfect_picture() -> None:
    perfect = Score(math.inf, 1.0, 0.0)
    table = as_json([Row("1", perfect, perfect, math.inf, 0.0)], data="pixel4")
    read = json.loads(json.dumps(table, allow_nan=False))
    assert read["data"] == "pixel4"
    assert read["scenes"][0]["aligned"] == {"psnr": "inf", "ssim": 1.0, "mae": 0.0, "lpips": None}
    assert read["mean"]["gain_as_published"] == "inf"
