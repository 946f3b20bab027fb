"""The squares of a scene in which a method gains least and most."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dpanet.evaluation.protocol import Compared, compare_as_published
from dpanet.evaluation.windows import COUNT, SIDE, WindowFinder, window_path
from dpanet.pair import Pixels

RNG = np.random.default_rng(2)
WIDTH, HEIGHT = 5 * SIDE + 10, 3 * SIDE + 4
LEFT, TOP = 5, 2
"""Half of what is left over."""


@pytest.fixture
def truth() -> Pixels:
    return RNG.uniform(0.3, 0.7, (HEIGHT, WIDTH, 3)).astype(np.float32)


def finder(output: Pixels, truth: Pixels, nothing: Pixels, border: int = 0) -> WindowFinder:
    return WindowFinder(compare_as_published(output, truth), nothing, border, "srgb")


def test_the_planted_failure_is_the_worst_and_its_scores_are_those_of_the_square(truth: Pixels) -> None:
    noise = RNG.normal(size=truth.shape).astype(np.float32)
    nothing = truth + 0.05 * noise
    output = truth + 0.03 * noise
    x, y = LEFT + 3 * SIDE, TOP + SIDE
    output[y : y + SIDE, x : x + SIDE] = 1 - truth[y : y + SIDE, x : x + SIDE]  # light and dark exchanged
    scores = finder(output, truth, nothing, border=24).scores()
    assert len(scores) == 2 * COUNT and [one.gain for one in scores] == sorted(one.gain for one in scores)
    worst = scores[0]
    assert (worst.x, worst.y, worst.side) == (x + 24, y + 24, SIDE)
    square = (slice(y, y + SIDE), slice(x, x + SIDE))
    for value, picture in ((worst.nothing, nothing), (worst.psnr, output)):
        errors = picture[square].astype(np.float64) - truth[square]
        assert value == pytest.approx(10 * np.log10(1 / np.mean(errors**2)), abs=1e-3)
    assert worst.gain < -5 and scores[1].gain == pytest.approx(20 * np.log10(5 / 3), abs=0.1)


def test_squares_without_a_visible_error_are_left_out(truth: Pixels) -> None:
    """A loss of 20 dB that nobody sees is no failure."""
    nothing, output = truth + np.float32(1e-4), truth + np.float32(1e-3)
    assert finder(output, truth, nothing).scores() == ()
    output[TOP : TOP + SIDE, LEFT : LEFT + SIDE] += 0.1
    assert [(one.x, one.y) for one in finder(output, truth, nothing).scores()] == [(LEFT, TOP)]


def test_a_small_picture_is_one_square_and_a_perfect_one_gains_infinitely() -> None:
    truth = RNG.random((40, 60, 3)).astype(np.float32)
    (one,) = finder(truth, truth, truth * 0.5).scores()
    assert (one.x, one.y, one.side, one.psnr, one.gain) == (10, 0, 40, np.inf, np.inf)


def test_the_pictures_are_those_of_the_square(truth: Pixels, tmp_path: Path) -> None:
    nothing, output = truth * 0.5, truth * 0.9
    one = WindowFinder(
        Compared(compare_as_published(output, truth).score, output, truth), nothing, 24, "srgb"
    )
    window = one.scores()[0]
    paths = one.save([window], tmp_path, "scene", "m")
    assert paths == [
        window_path(tmp_path, "scene", "m", window, part) for part in ("input", "output", "truth")
    ]
    y, x = window.y - 24, window.x - 24
    for path, picture in zip(paths, (nothing, output, truth), strict=True):
        expected = np.rint(picture[y : y + SIDE, x : x + SIDE] * 255)
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)
