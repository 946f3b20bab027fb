import math

import numpy as np
import pytest

from dpanet.errors import PairError, ShapeError
from dpanet.evaluation import protocol
from dpanet.evaluation.metrics import mae, psnr, ssim
from dpanet.evaluation.protocol import fit_color, score_aligned, score_as_published
from dpanet.evaluation.registration import register
from dpanet.evaluation.scores import Score

ZOOM = np.array([[1.04, 0.0, -4.0], [0.0, 1.04, -3.2]])
INNER = np.s_[24:-24, 24:-24]


def test_as_published_is_the_three_metrics_to_the_border(scene) -> None:
    output, truth = scene(damp=2), scene()
    expected = Score(psnr(output, truth, data_range=1), ssim(output, truth, data_range=1), mae(output, truth))
    assert score_as_published(output, truth) == expected


def test_a_sharp_but_magnified_output_beats_a_blurred_one_only_when_aligned(scene) -> None:
    zoom = np.array([[1.08, 0.0, -8.0], [0.0, 1.08, -6.4]])
    truth, sharp, soft = scene(), scene(zoom), scene(zoom, damp=2)
    assert score_as_published(sharp, truth).psnr < score_as_published(soft, truth).psnr
    assert score_aligned(sharp, truth).psnr > score_aligned(soft, truth).psnr + 10
    assert score_aligned(sharp, truth).psnr > 40


def test_aligned_is_the_score_against_the_warped_truth(scene) -> None:
    truth, output = scene(), scene(ZOOM, damp=1)
    warped = register(truth, output)
    assert score_aligned(output, truth) == score_as_published(output[INNER], warped[INNER])


def test_registration_never_makes_a_score_worse(scene) -> None:
    rng = np.random.default_rng(5)
    truth = scene()
    for _ in range(8):
        output = scene(np.eye(2, 3) + rng.normal(0, [[0.02, 0.02, 2]] * 2), damp=rng.uniform(0, 3))
        output += rng.normal(0, rng.uniform(0, 0.3), output.shape).astype(np.float32)
        assert score_aligned(output, truth).psnr >= score_as_published(output[INNER], truth[INNER]).psnr


def test_a_registration_gone_astray_does_not_count(scene, monkeypatch) -> None:
    truth, output = scene(), scene(damp=1)
    monkeypatch.setattr(protocol, "register", lambda truth, output, encoding: np.roll(truth, 5, axis=1))
    assert score_aligned(output, truth) == score_as_published(output[INNER], truth[INNER])


def test_a_flat_picture_is_scored_unwarped(scene) -> None:
    truth, flat = scene(), np.full_like(scene(), 0.5)
    assert score_aligned(flat, truth) == score_as_published(flat[INNER], truth[INNER])
    assert score_aligned(flat, flat) == Score(math.inf, 1.0, 0.0)


def test_the_border_of_24_px_does_not_count(scene) -> None:
    truth, output = np.full_like(scene(), 0.5), np.full_like(scene(), 0.5)
    output[:24], output[-24:], output[:, :24], output[:, -24:] = 0, 0, 0, 0
    assert score_aligned(output, truth).psnr == math.inf
    output[24, 24] = 0
    assert score_aligned(output, truth).psnr < 50


def test_values_above_white_are_not_clipped(scene) -> None:
    truth = np.ones((80, 80, 3), np.float32)
    assert score_as_published(truth * np.float32(1.1), truth).mae == pytest.approx(0.1, abs=1e-6)


def test_fit_color_undoes_gain_and_offset_per_channel(scene) -> None:
    truth = scene() * np.float32([1, 0.7, 0.4])
    exposed = truth * np.float32([0.5, 2, 1]) + np.float32([0.1, -0.2, 0.3])
    np.testing.assert_allclose(fit_color(exposed, truth), truth, atol=2e-6)
    assert score_as_published(exposed, truth).psnr < 30
    assert score_as_published(exposed, truth, match_color=True).psnr > 100


def test_fit_color_is_least_squares(scene) -> None:
    rng = np.random.default_rng(3)
    output, truth = scene(damp=1), np.clip(scene() ** 2 + rng.normal(0, 0.05, scene().shape), 0, 1)
    truth = truth.astype(np.float32)
    matched = fit_color(output, truth)
    for channel in range(3):
        gain, offset = np.polyfit(output[..., channel].ravel().astype(float), truth[..., channel].ravel(), 1)
        np.testing.assert_allclose(matched[..., channel], output[..., channel] * gain + offset, atol=1e-5)


def test_fit_color_of_a_flat_picture_only_moves_it(scene) -> None:
    matched = fit_color(np.full_like(scene(), 0.3), scene())
    np.testing.assert_allclose(matched, np.broadcast_to(scene().mean((0, 1)), matched.shape), atol=1e-6)


def test_aligned_colors_are_matched_without_the_border(scene) -> None:
    truth, output = scene(), scene(ZOOM) * np.float32(0.6) + np.float32(0.2)
    assert score_aligned(output, truth, encoding="srgb").psnr < 25
    assert score_aligned(output, truth, encoding="srgb", match_color=True).psnr > 40
    spoilt = scene() * np.float32(0.6)
    spoilt[:20] = 1
    assert score_aligned(spoilt, truth, encoding="srgb", match_color=True).psnr > 40


def test_what_cannot_be_scored_is_refused(scene) -> None:
    with pytest.raises(ShapeError, match="drops 24 px"):
        score_aligned(scene(height=48), scene(height=48))
    with pytest.raises(ShapeError):
        fit_color(scene(), scene()[1:])
    broken = scene()
    broken[80, 80] = np.nan
    for score in (score_as_published, score_aligned):
        with pytest.raises(PairError, match="NaN"):
            score(broken, scene())
