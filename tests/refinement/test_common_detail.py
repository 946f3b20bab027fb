"""Detail that both views share where the lens leaves none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dpanet.pair import Pixels
from dpanet.refinement.common_detail import BLURRED, LEAST, STRIP, measure_common_detail


def make_views(shared: float, own: float, height: int = 300) -> tuple[Pixels, Pixels]:
    """Return a blurred picture with noise of which a part is in both views."""
    random = np.random.default_rng(4)
    scene = gaussian_filter(random.random((height, 200, 1)), (5, 5, 0)).repeat(3, 2)
    common = shared * random.standard_normal(scene.shape)
    left, right = (
        (0.5 + scene + common + own * random.standard_normal(scene.shape)).astype(np.float32)
        for _ in range(2)
    )
    return left, right


def radius(height: int = 300) -> Pixels:
    return np.full((height, 200), -BLURRED - 1, np.float32)


@pytest.mark.parametrize(("shared", "own"), [(0.0, 0.01), (0.005, 0.01), (0.01, 0.01), (0.01, 0.002)])
def test_the_correlation_is_that_of_the_noise(shared: float, own: float) -> None:
    views = make_views(shared, own)
    assert measure_common_detail(*views, radius()) == pytest.approx(
        shared**2 / (shared**2 + own**2), abs=0.02
    )


def test_only_blurred_places_count_and_there_must_be_some() -> None:
    left, right = make_views(0, 0.01)
    left[:, :100] = right[:, :100]  # alike, but in focus
    blur = radius()
    blur[:, :110] = 1
    assert abs(measure_common_detail(left, right, blur)) < 0.03
    blur[:, int(200 * (1 - LEAST / 2)) :] = 9
    blur[:, : int(200 * (1 - LEAST / 2))] = 0
    assert measure_common_detail(right, right, blur) == 0


def test_strips_change_nothing() -> None:
    views = make_views(0.01, 0.01, height=STRIP + 40)
    turned = (np.ascontiguousarray(view[::-1]) for view in views)
    whole = measure_common_detail(*views, radius(STRIP + 40))
    assert measure_common_detail(*turned, radius(STRIP + 40)) == pytest.approx(whole, abs=1e-4)


def test_views_without_detail_say_nothing() -> None:
    flat = np.full((64, 64, 3), 0.3, np.float32)
    assert measure_common_detail(flat, flat, np.full((64, 64), 9, np.float32)) == pytest.approx(0, abs=1e-3)
    assert measure_common_detail(0 * flat, 0 * flat, np.full((64, 64), 9, np.float32)) == 0
