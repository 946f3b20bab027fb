import numpy as np
import pytest
from camera_raw.dng_by_hand import BLACK, WHITE, frames_of
from scipy.ndimage import gaussian_filter

from dpanet.camera_raw.clipping import find_full_code


def frames(seed: int, brightest: float, full: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy smooth scene of two equal halves; the first frame stops at `full`, give or take what sensors vary."""
    rng = np.random.default_rng(seed)
    light = gaussian_filter(rng.normal(size=(400, 600)), 12)
    light = (light - light.min()) / np.ptp(light) * brightest * (WHITE - BLACK) / 2
    halves = [rng.poisson(light) for _ in range(2)]
    both = np.minimum(halves[0] + halves[1] + BLACK, full + rng.integers(-8, 9, light.shape))
    return both.astype(np.uint16), (halves[0] + BLACK).astype(np.uint16)


@pytest.mark.parametrize("full", [11000, 13000, 15500])
def test_a_sensor_that_is_full_below_the_stated_white_is_found(full: int) -> None:
    found = find_full_code(*frames(0, 1.4, full), BLACK, WHITE)
    assert found is not None and abs(found - full) <= 8


def test_nothing_is_found_where_the_stated_white_serves_or_nothing_is_full(scene) -> None:
    assert find_full_code(*frames(0, 1.4, WHITE - 10), BLACK, WHITE) is None
    assert find_full_code(*frames(0, 0.95, WHITE - 10), BLACK, WHITE) is None
    assert find_full_code(*frames_of(*scene, noise=1), BLACK, WHITE) is None


@pytest.mark.parametrize("noise", [None, 3])
def test_a_bright_even_surface_is_not_full(noise: int | None) -> None:
    view = np.full((200, 300, 3), 0.2)
    view[50:150, 100:200] = 0.85
    assert find_full_code(*frames_of(view, view, noise), BLACK, WHITE) is None


def test_hot_pixels_do_not_hide_it() -> None:
    both, side = frames(1, 1.4, 13000)
    both[::100, ::200] = 16000
    found = find_full_code(both, side, BLACK, WHITE)
    assert found is not None and abs(found - 13000) <= 8
