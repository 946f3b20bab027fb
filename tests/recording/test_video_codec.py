"""Views as frames of a compressed video: laws, and SciPy's cosine transform."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from dpanet.recording import video_codec
from dpanet.recording.sensor import VIDEO_STEPS, Sensor, draw_sensor, record
from dpanet.recording.video_codec import code_as_video

STEP = 24 / 255


def texture(channels: int = 1, contrast: float = 0.05, size: int = 64) -> torch.Tensor:
    noise = torch.randn(channels, size, size, generator=torch.Generator().manual_seed(1))
    return (0.5 + contrast * noise).clamp(0, 1)


def test_rounding_agrees_with_scipy() -> None:
    block = texture(size=8)[0]
    coefficients = dctn(block.double().numpy(), norm="ortho")
    kept = np.sign(coefficients) * np.floor(np.abs(coefficients) / 0.03 + 1 / 6) * 0.03
    assert 0 < (kept == 0).sum() < kept.size
    result = video_codec._round_coefficients(block[None], 0.03)[0]
    np.testing.assert_allclose(result.numpy(), idctn(kept, norm="ortho"), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_hardly_anything_is_lost_at_small_steps(channels: int) -> None:
    shape = (channels, 50, 37)  # no multiple of a block
    smooth = 0.5 + 0.2 * torch.sin(torch.linspace(0, 4, 37)).expand(shape)
    left, right = code_as_video(smooth, smooth.flip(-1), 1e-4, (3, 6))
    torch.testing.assert_close(left, smooth, atol=3e-3, rtol=0)  # colors have half the resolution
    torch.testing.assert_close(right, smooth.flip(-1), atol=3e-3, rtol=0)


def test_faint_texture_vanishes_and_strong_texture_stays() -> None:
    def kept(contrast: float) -> float:
        view = texture(contrast=contrast)
        decoded = code_as_video(view, view, STEP)[0]
        return float(decoded.std() / view.std())

    assert kept(0.01) < 0.2
    assert 0.9 < kept(0.2) < 1


def test_both_views_have_mostly_the_same_error() -> None:
    left = texture(contrast=0.08)
    right = left + 0.2 * (texture(contrast=0.08).roll(5, -1) - 0.5)
    errors = [
        coded - view for coded, view in zip(code_as_video(left, right, STEP), (left, right), strict=True)
    ]
    common, half_difference = (errors[0] + errors[1]) / 2, (errors[0] - errors[1]) / 2
    assert float(common.std()) > 1.5 * float(half_difference.std())


def test_edges_of_blocks_are_smoothed_only_where_they_are_faint() -> None:
    def jump(height: float) -> float:
        plane = torch.zeros(1, 16, 16)
        plane[..., 8:] = height
        smoothed = video_codec._smooth_block_edges(plane, 0.1)
        torch.testing.assert_close(smoothed.mean(), plane.mean())
        return float(smoothed[0, 0, 8] - smoothed[0, 0, 7])

    assert jump(0.1) == pytest.approx(0.025)
    assert jump(0.3) == pytest.approx(0.3)


def test_views_are_coded_and_the_truth_is_not() -> None:
    light = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(2)) * 0.5
    noise = [torch.Generator().manual_seed(seed) for seed in (0, 0)]
    plain, coded = Sensor(shot=0, read=0), Sensor(shot=0, read=0, video=STEP, video_start=(2, 5))
    left, right, truth = record(light, light, light, [plain, coded], noise)
    torch.testing.assert_close(left[0], truth[0])
    wanted = code_as_video(truth[1], truth[1], STEP, (2, 5))
    torch.testing.assert_close(left[1], wanted[0])
    torch.testing.assert_close(right[1], wanted[1])
    assert float((left[1] - truth[1]).abs().mean()) > 0.01


def test_without_its_share_nothing_more_is_drawn() -> None:
    steps = []
    for seed in range(60):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        plain, coded = draw_sensor(one, False), draw_sensor(other, False, video=1.0)
        assert plain.video == 0 and plain.contrast == coded.contrast
        assert max(coded.video_start) < 8
        steps.append(coded.video * 255)
    assert VIDEO_STEPS[0] <= min(steps) < 8 and 28 < max(steps) <= VIDEO_STEPS[1]
