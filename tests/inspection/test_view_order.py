"""What can and what cannot be known of the order of the views."""

import numpy as np
import pytest
from deconvolution.planted_blur import slanted_lens
from inspection.planted_pair import planted_pair, texture
from scipy.signal import fftconvolve

from dpanet.deconvolution.disparity import measure_mismatch
from dpanet.deconvolution.lens import MeasuredLens, RampedDiscLens
from dpanet.inspection.exposure import Brightness
from dpanet.inspection.view_order import judge_order
from dpanet.pair import DualPixelPair

NOWHERE = np.full((4, 5), np.nan)


def swapped(pair: DualPixelPair) -> DualPixelPair:
    return DualPixelPair(pair.right, pair.left, pair.encoding)


def slanted_pair(scale: float) -> tuple[DualPixelPair, MeasuredLens]:
    lens = MeasuredLens(slanted_lens())
    kernels = lens.kernel_pairs(0, [scale])[0]
    padded = np.pad(texture(height=400, width=560), 48, mode="reflect")
    rng = np.random.default_rng(3)
    views = [fftconvolve(padded, kernel, mode="same")[48:-48, 48:-48] for kernel in kernels]
    noisy = [
        np.repeat((view + 0.001 * rng.standard_normal(view.shape))[..., None], 3, 2).astype(np.float32)
        for view in views
    ]
    return DualPixelPair(noisy[0], noisy[1], "linear"), lens


def test_mirror_images_explain_swapped_views_on_the_other_side_of_the_focal_plane() -> None:
    """The reason why the order of most pairs cannot be known."""
    pair = planted_pair(6.0, sharp=0)
    left, right = (view[..., 0] for view in (pair.left, pair.right))
    lens = RampedDiscLens()
    scales = [scale for scale in lens.scales if scale]
    there = measure_mismatch(left, right, lens.kernel_pairs(0, scales))
    back = measure_mismatch(right, left, lens.kernel_pairs(0, [-scale for scale in scales]))
    np.testing.assert_allclose(there, back, rtol=1e-4)
    assert scales[int(there.argmin())] == pytest.approx(6, abs=1)


@pytest.mark.parametrize("scale", [0.8, -0.8])
def test_measured_kernels_that_are_no_mirror_images_decide_on_both_sides(scale: float) -> None:
    pair, lens = slanted_pair(scale)
    assert judge_order(NOWHERE, 0.5, kernels=(pair, lens)).state == "right"
    assert judge_order(NOWHERE, 0.5, kernels=(swapped(pair), lens)).state == "swapped"


def test_kernels_that_are_mirror_images_decide_nothing() -> None:
    pair, _ = slanted_pair(0.8)
    even = MeasuredLens(slanted_lens())
    both = even.kernels.pairs.numpy().copy()
    both = (both + both[..., ::-1, :]) / 2  # symmetric top to bottom, so each is the other's mirror image
    symmetric = MeasuredLens(type(even.kernels)(both[:, 0], both[:, 0, :, ::-1].copy(), (1, 1)))
    assert judge_order(NOWHERE, 0.5, kernels=(pair, symmetric)).by == "nothing"


@pytest.mark.parametrize("flat_field", [False, True])
def test_a_camera_whose_halves_differ_in_brightness_decides(flat_field: bool) -> None:
    for state, ratio in (("right", 1.19), ("swapped", 1 / 1.19)):
        ratio /= 1.2 if flat_field else 1.0
        brightness = Brightness(ratio, (ratio,), (ratio,))
        order = judge_order(NOWHERE, 0.5, brightness=brightness, camera="pixel4", flat_field=flat_field)
        assert (order.state, order.by) == (state, "camera")
        assert judge_order(NOWHERE, 0.5, brightness=brightness, camera="other").state == "undecided"


def test_habit_guesses_only_where_one_side_is_clear() -> None:
    line = np.linspace(-1, 1, 20)[None]
    assert judge_order(np.abs(line) * 5, 0.5).state == "right"
    assert judge_order(-np.abs(line) * 5, 0.5).by == "habit"
    assert judge_order(-np.abs(line) * 5, 0.5).state == "swapped"
    both = judge_order(line * 5, 0.5)
    assert (both.state, both.by) == ("undecided", "nothing") and both.behind == pytest.approx(both.before)
    assert judge_order(line * 0.1, 0.5).state == "undecided"
