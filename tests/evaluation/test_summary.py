import math

import numpy as np
import pytest

from dpanet.evaluation.scores import MethodScores, SceneScores, Score, Spread
from dpanet.evaluation.summary import summarize, summarize_method


def scene(label: str | None, none: float, other: float, seconds: float = 1.0) -> SceneScores:
    methods = {
        name: MethodScores(seconds, {"as_published": Score(psnr, 0.5, 0.1)})
        for name, psnr in (("none", none), ("m", other))
    }
    return SceneScores("name", label, 8, 8, (0, 0, 8), methods, {})


def test_one_image_has_no_spread() -> None:
    assert summarize([24.5]) == Spread(24.5, 24.5, 24.5, 24.5)


def test_the_interval_has_the_width_that_theory_says() -> None:
    """Of many values it approaches mean +- 1.96 standard errors."""
    sample = np.random.default_rng(5).normal(20, 3, 400)
    spread = summarize(list(sample))
    error = sample.std() / 20
    assert spread.mean == pytest.approx(sample.mean())
    assert spread.median == pytest.approx(np.median(sample))
    assert spread.low == pytest.approx(sample.mean() - 1.96 * error, abs=0.1 * error)
    assert spread.high == pytest.approx(sample.mean() + 1.96 * error, abs=0.1 * error)
    assert summarize(list(sample)) == spread, "the same numbers each time"


def test_an_infinite_mean_has_its_sign_and_no_interval() -> None:
    assert summarize([20.0, math.inf, 22.0]) == Spread(math.inf, 22.0, None, None)
    assert summarize([1.0, -math.inf]) == Spread(-math.inf, -math.inf, None, None)
    both = summarize([math.inf, -math.inf, 1.0])
    assert math.isnan(both.mean) and both.median == 1.0 and both.low is None


def test_where_doing_nothing_is_perfect_the_mean_gain_is_minus_infinity() -> None:
    summary = summarize_method([scene(None, math.inf, 40), scene(None, 20, 23)], "m", ["as_published"])
    assert summary.protocols["as_published"]["gain"].mean == -math.inf
    nothing = summarize_method([scene(None, math.inf, 40), scene(None, 20, 23)], "none", ["as_published"])
    assert nothing.protocols["as_published"]["gain"].mean == 0.0


def test_seconds_are_the_median() -> None:
    scenes = [scene(None, 20, 23, seconds) for seconds in (1.0, 2.0, 60.0)]
    assert summarize_method(scenes, "m", ["as_published"]).seconds == 2.0


def test_gain_is_over_doing_nothing_and_labels_are_apart() -> None:
    scenes = [scene("indoor", 20, 23), scene("indoor", 22, 22), scene("outdoor", 10, 16)]
    summary = summarize_method(scenes, "m", ["as_published"])
    assert summary.protocols["as_published"]["gain"].mean == pytest.approx(3.0)
    assert summary.labels["indoor"]["as_published"]["gain"].mean == pytest.approx(1.5)
    assert summary.labels["outdoor"]["as_published"]["psnr"].mean == 16
    assert summary.protocols["as_published"]["lpips"] is None
    assert not summarize_method([scene(None, 1, 2)], "m", ["as_published"]).labels


def test_the_gain_of_two_perfect_pictures_is_zero() -> None:
    assert scene(None, math.inf, math.inf).gain("m", "as_published") == 0.0
    assert scene(None, 20.0, math.inf).gain("m", "as_published") == math.inf
