"""What a camera's processing does to views and truth: laws, and values computed by hand or by SciPy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from dpanet.recording.development import compress, sharpen
from dpanet.recording.display import to_display
from dpanet.recording.sensor import Sensor, draw_sensor, record
from dpanet.simulation.optics import draw_softness
from dpanet.simulation.scene_config import MILD_RAMP, SHARP_RAMP, SceneConfig


def test_sharpening_agrees_with_scipy() -> None:
    picture = torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4
    blurred = np.stack([gaussian_filter(p, 0.8, mode="mirror", radius=4) for p in picture.double().numpy()])
    wanted = picture.double().numpy() + 0.5 * (picture.double().numpy() - blurred)
    np.testing.assert_allclose(sharpen(picture, 0.5, 0.8).numpy(), wanted, atol=1e-6)


def test_sharpening_leaves_even_areas_and_makes_halos_at_edges() -> None:
    edge = torch.full((1, 20, 20), 0.3)
    edge[..., 10:] = 0.6
    result = sharpen(edge, 1.0, 1.0)[0, 10]
    assert float(result[0]) == pytest.approx(0.3, abs=1e-6)
    assert float(result[9]) < 0.25 and float(result[10]) > 0.65


@pytest.mark.parametrize("channels", [1, 3])
def test_compression_loses_more_at_lower_quality_and_keeps_channels_apart(channels: int) -> None:
    line = torch.linspace(0, 6, 64)
    picture = 0.5 + 0.3 * torch.sin(line[:, None] * torch.arange(1.0, channels + 1)[:, None, None] + line)
    errors = [float((compress(picture, quality) - picture).abs().mean()) for quality in (95, 30)]
    assert 2 * errors[0] < errors[1] < 0.06
    assert errors[0] < 0.01


def test_truth_has_the_views_tone_but_no_halos_and_no_compression() -> None:
    light = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(2)) * 0.5
    sensor = Sensor(shot=0, read=0, gamma=0.8, halo=0.7, halo_sigma=1.1)
    noise = [torch.Generator().manual_seed(0)]
    left, _, truth = record(light, light, light, [sensor], noise)
    torch.testing.assert_close(truth[0], to_display(light[0]) ** 0.8)
    torch.testing.assert_close(left, sharpen(truth[0], 0.7, 1.1)[None])
    left, _, same = record(light, light, light, [Sensor(**{**sensor.__dict__, "quality": 60})], noise)
    assert torch.equal(same, truth)
    assert float((left - sharpen(truth[0], 0.7, 1.1)).abs().max()) > 0.02


def test_without_their_shares_nothing_more_is_drawn() -> None:
    """Scenes of a config without these properties stay as they were."""
    for seed in range(20):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        assert draw_softness(one, 0.0) == other.uniform(0.15, 1.6)
        plain, developed = draw_sensor(one, False), draw_sensor(other, False, developed=1.0)
        assert (plain.gamma, plain.halo, plain.quality) == (1.0, 0.0, 0)
        assert (plain.contrast, plain.grain, plain.levels) == (
            developed.contrast,
            developed.grain,
            developed.levels,
        )
    assert (SceneConfig().mild_ramp, SceneConfig().nearly_sharp, SceneConfig().developed) == (0, 0, 0)


def test_mild_ramps_hold_the_measured_lenses_well_inside() -> None:
    """Slopes fitted to Canon captures are 0.4 to 0.95 (10 and 90 %)."""
    slopes = np.array([1 / draw_softness(np.random.default_rng(seed), 1.0) for seed in range(400)])
    assert MILD_RAMP[0] <= slopes.min() < 0.3 and 1.3 < slopes.max() <= MILD_RAMP[1]
    sharper = np.array([1 / draw_softness(np.random.default_rng(seed), 0.0) for seed in range(400)])
    assert SHARP_RAMP[0] <= sharper.min() and 3 < sharper.max() <= SHARP_RAMP[1]
