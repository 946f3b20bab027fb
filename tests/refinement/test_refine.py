"""Refinement by the optics: its laws, on views that a known lens has made."""

from collections.abc import Sequence

import numpy as np
import pytest
from refinement.blurred_texture import blur_views, draw_texture
from scipy.ndimage import gaussian_filter

from dpanet.errors import PairError
from dpanet.lenses.lens import KernelPairs
from dpanet.lenses.pixel4 import Pixel4
from dpanet.pair import Pixels
from dpanet.refinement.evidence import Evidence
from dpanet.refinement.parts import CELL, cut_parts
from dpanet.refinement.refine import _weigh, refine

SIZE = 240


class MiddleOfField:
    """The Pixel 4's lens with the kernels of its middle everywhere."""

    name = "middle"
    max_scale = Pixel4().max_scale

    def kernels(self, y: float, x: float, scales: Sequence[float]) -> KernelPairs:
        return Pixel4().kernels(0.5, 0.5, scales)


LENS = MiddleOfField()


@pytest.fixture(scope="module")
def truth() -> Pixels:
    return draw_texture(SIZE)


def blur(picture: Pixels, scale: float, noise: float = 0.0) -> tuple[Pixels, Pixels]:
    """Blur by the kernels of the middle of the field at one scale."""
    return blur_views(picture, LENS.kernels(0.5, 0.5, [scale])[0], noise)


def error(picture: Pixels, truth: Pixels) -> float:
    return float(np.sqrt(np.mean(np.square(picture - truth)[24:-24, 24:-24])))


@pytest.mark.parametrize(("scale", "share"), [(-0.62, 0.25), (0.45, 0.17), (0.82, 0.25)])
def test_a_wrong_picture_comes_nearer_to_the_truth_and_the_scale_is_found(
    truth: Pixels, scale: float, share: float
) -> None:
    views = blur(truth, scale)
    flat = truth - 0.6 * (gaussian_filter(truth, (4, 4, 0)) - gaussian_filter(truth, (12, 12, 0)))
    refined = refine(*views, flat, LENS)
    assert error(refined.picture, truth) < share * error(flat, truth)  # without the conjugate .33, .21, .48
    assert abs(np.median(refined.scale[40:-40, 40:-40]) - scale) < 0.15
    swapped = refine(views[1], views[0], flat, LENS)
    assert error(swapped.picture, truth) > error(refined.picture, truth)


@pytest.mark.parametrize("scale", [0.1, -0.15, 0.18, 0.3, -0.5])
def test_a_picture_with_halos_does_not_become_worse_between_two_scales(truth: Pixels, scale: float) -> None:
    halos = truth + 0.6 * (truth - gaussian_filter(truth, (1, 1, 0)))
    refined = refine(*blur(truth, scale), halos, LENS)
    assert error(refined.picture, truth) < 1.05 * error(halos, truth)  # with even steps of .2 up to 1.7


def test_the_truth_stays(truth: Pixels) -> None:
    refined = refine(*blur(truth, 1.05), truth, LENS)
    assert error(refined.picture, truth) < 1e-3


def test_a_picture_that_explains_noisy_views_stays(truth: Pixels) -> None:
    views = blur(truth, 1.0, noise=0.03)
    refined = refine(*views, truth, LENS)
    assert error(refined.picture, truth) < 1e-4


def test_views_in_focus_are_returned_at_scale_zero(truth: Pixels) -> None:
    soft = gaussian_filter(truth, (1.5, 1.5, 0))
    refined = refine(truth, truth, soft, LENS)
    assert np.abs(refined.scale[40:-40, 40:-40]).max() < 0.15
    assert error(refined.picture, truth) < 0.3 * error(soft, truth)


def test_channels_and_threads(truth: Pixels) -> None:
    left, right = blur(truth, 0.9)
    soft = gaussian_filter(truth, (1.5, 1.5, 0))
    color = np.array([0.5, 1.0, 0.25], np.float32)
    gray = refine(left, right, soft, LENS)
    refined = refine(left * color, right * color, soft * color, LENS, threads=2)
    assert np.abs(refined.picture / color - gray.picture).max() < 5e-3
    with pytest.raises(PairError, match="one shape"):
        refine(left, right, soft[:-1], LENS)


def test_parts_cover_a_picture_with_weights_that_sum_to_one() -> None:
    weights = np.zeros((401, 530))
    for part in cut_parts(401, 530):
        weights[part.rows, part.columns] += part.ramp
        assert part.ramp.min() > 0 and max(part.ramp.shape) <= CELL + 24
    assert np.allclose(weights, 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (17, 40)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    views = np.random.default_rng(1).random((2, *shape, 3)).astype(np.float32)
    refined = refine(views[0], views[1], views[0], LENS)
    assert refined.picture.shape == (*shape, 3) and refined.scale.shape == shape
    assert np.isfinite(refined.picture).all() and np.isfinite(refined.scale).all()


def test_a_flat_picture_is_in_focus_and_stays() -> None:
    flat = np.full((40, 60, 3), 0.5, np.float32)
    refined = refine(flat, flat, flat, LENS)
    assert not refined.scale.any() and np.abs(refined.picture - flat).max() < 1e-6


@pytest.mark.parametrize(
    ("between", "noise", "share"),
    [(0.0, 0.0, 1.0), (1.0, 0.0, 0.5), (3.0, 0.0, 0.5), (0.5, 0.0, 0.75), (0.0, 0.25, 0.5), (0.0, 0.6, 0.0)],
)
def test_less_is_corrected_where_no_picture_explains_the_views_and_where_noise_does(
    between: float, noise: float, share: float
) -> None:
    scales = np.array([-1, 0, 1], np.float32)
    wrong, blocks = np.full((3, 5, 6), 9, np.float32), np.full((5, 6), 0.9, np.float32)
    evidence = Evidence(wrong.copy(), wrong.copy())
    evidence.between_views[2], evidence.with_picture[2] = between, 1.0
    weights = _weigh(evidence, blocks, scales, np.full((5, 6), noise, np.float32))
    np.testing.assert_allclose(weights, share, atol=1e-6)
