import math

import numpy as np
import pytest

from dpanet.evaluation.summary import gain, plain, summarise, summarise_scenes


def test_one_image_has_no_spread() -> None:
    assert summarise([24.5]) == {"mean": 24.5, "median": 24.5, "low": 24.5, "high": 24.5}


def test_the_interval_has_the_width_that_theory_says() -> None:
    """Of many values it approaches mean +- 1.96 standard errors."""
    sample = np.random.default_rng(5).normal(20, 3, 400)
    found = summarise(list(sample))
    error = sample.std() / 20
    assert found["mean"] == pytest.approx(sample.mean())
    assert found["median"] == pytest.approx(np.median(sample))
    assert found["low"] == pytest.approx(sample.mean() - 1.96 * error, abs=0.1 * error)
    assert found["high"] == pytest.approx(sample.mean() + 1.96 * error, abs=0.1 * error)
    assert summarise(list(sample)) == found, "the same numbers each time"


def test_a_perfect_picture_makes_the_mean_infinite_and_the_json_stays_valid() -> None:
    found = summarise([20.0, math.inf, 22.0])
    assert (found["mean"], found["median"]) == (math.inf, 22.0)
    assert plain(found)["mean"] == "inf"


def record(label: str | None, none: float, other: float, lpips: float | None = None) -> dict[str, object]:
    def score(psnr: float) -> dict[str, object]:
        return {"psnr": psnr, "ssim": 0.5, "mae": 0.1, "lpips": lpips}

    return {
        "label": label,
        "scores": {"none": {"as_published": score(none)}, "m": {"as_published": score(other)}},
    }


def test_gain_is_over_doing_nothing_and_labels_are_apart() -> None:
    scenes = [record("indoor", 20, 23), record("indoor", 22, 22), record("outdoor", 10, 16)]
    found = summarise_scenes(scenes, "m", ["as_published"], ["psnr", "lpips"])
    assert found["as_published"]["gain"]["mean"] == pytest.approx(3.0)
    assert found["labels"]["indoor"]["as_published"]["gain"]["mean"] == pytest.approx(1.5)
    assert found["labels"]["outdoor"]["as_published"]["psnr"]["mean"] == 16
    assert found["as_published"]["lpips"] is None
    assert "labels" not in summarise_scenes([record(None, 1, 2)], "m", ["as_published"], ["psnr"])


def test_two_perfect_pictures_are_alike() -> None:
    assert gain("inf", math.inf) == 0.0
    assert gain("inf", 20.0) == math.inf
