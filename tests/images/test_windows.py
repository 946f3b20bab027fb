"""Against SciPy, whose filters replicate edges with mode nearest."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, uniform_filter

from dpanet.images.windows import window_any, window_mean

SIZES = ((1, 1), (1, 30), (30, 1), (7, 5), (513, 40), (1030, 9))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [1, 3, 9, 31, 101])
def test_the_mean_is_scipys(size: tuple[int, int], width: int) -> None:
    values = np.random.default_rng(width).random(size)
    np.testing.assert_allclose(
        window_mean(values, width), uniform_filter(values, width, mode="nearest"), rtol=1e-12
    )
    single = window_mean(values.astype(np.float32), width)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, uniform_filter(values, width, mode="nearest"), rtol=1e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reach", [0, 1, 7, 12])
def test_the_widened_mask_is_scipys(size: tuple[int, int], reach: int) -> None:
    mask = np.random.default_rng(reach).random(size) < 0.003
    before = mask.copy()
    wide = window_any(mask, reach)
    np.testing.assert_array_equal(wide, maximum_filter(mask, 2 * reach + 1, mode="nearest"))
    assert wide.dtype == np.bool_
    np.testing.assert_array_equal(mask, before)


def test_a_window_of_zeros_has_the_mean_zero_exactly() -> None:
    values = np.random.default_rng(0).random((600, 300))
    values[100:300, 50:200] = 0
    mean = window_mean(values, 101)
    assert (mean[150:250, 100:150] == 0).all() and (mean[:149] > 0).all()
