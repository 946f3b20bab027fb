from itertools import pairwise

import numpy as np
import pytest
from skimage import restoration

from dpanet.deconvolution.blocks import OVERLAP, overlapping_blocks
from dpanet.deconvolution.lens import RampedDiscLens
from dpanet.deconvolution.richardson_lucy import RichardsonLucy
from dpanet.deconvolution.wiener import Wiener
from dpanet.errors import ConfigError
from dpanet.evaluation.metrics import psnr
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.pair import DualPixelPair
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels

METHODS = (Wiener, RichardsonLucy)


def gain(method, pair: DualPixelPair, truth: np.ndarray) -> float:
    return psnr(method(pair).pixels, truth, data_range=1) - psnr(pair.combined.pixels, truth, data_range=1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("radius", [2.0, -5.0])
def test_blur_is_undone(blurred, method, radius: float) -> None:
    pair, truth = blurred(radius=radius)
    assert gain(method(), pair, truth) > 1


@pytest.mark.parametrize("method", METHODS)
def test_measured_kernels_fit_their_own_lens_better(blurred, method) -> None:
    left, right = ramped_disc([RampedDisc(7, softness=0.2, rim=0.5, squeeze=0.7)])[0].numpy()
    kernels = MeasuredKernels(left[None], right[None])
    pair, truth = blurred(kernels.at([0], [0.8]))
    assert gain(method(kernels), pair, truth) > gain(method(), pair, truth) + 0.2


@pytest.mark.parametrize("method", METHODS)
def test_a_pair_in_focus_stays_as_it_is(blurred, method) -> None:
    pair, _ = blurred(radius=0)
    np.testing.assert_allclose(method()(pair).pixels, pair.combined.pixels, atol=2e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(16, 16), (20, 150)])
def test_any_size_and_black_and_flat_pictures_work(method, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).random((2, *size, 3), dtype=np.float32)
    assert np.isfinite(method()(DualPixelPair(*noise)).pixels).all()
    for level in (0.0, 0.3):
        view = np.full((*size, 3), level, np.float32)
        np.testing.assert_allclose(method()(DualPixelPair(view, view)).pixels, view, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_picture_has_the_pairs_encoding_and_scale(blurred, method) -> None:
    pair, _ = blurred(None, 64, 64, radius=4)
    linear = method()(pair)
    dark = method()(DualPixelPair(pair.left * np.float32(0.25), pair.right * np.float32(0.25), "linear"))
    np.testing.assert_allclose(dark.pixels * 4, linear.pixels, atol=2e-3)
    shown = DualPixelPair(*(linear_to_srgb(v) for v in (pair.left, pair.right)), "srgb", {"bits": 16})
    display = method()(shown)
    assert (linear.encoding, display.encoding, display.metadata) == ("linear", "srgb", {"bits": 16})
    np.testing.assert_allclose(srgb_to_linear(display.pixels), linear.pixels, atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_each_channel_is_deblurred_on_its_own(blurred, method) -> None:
    pair, _ = blurred(None, 64, 64, radius=4)
    other, _ = blurred(None, 64, 64, radius=4, seed=2)
    mixed = [
        np.concatenate((a[..., :2], b[..., :1]), axis=2)
        for a, b in ((pair.left, other.left), (pair.right, other.right))
    ]
    made = method()(DualPixelPair(*mixed, "linear")).pixels
    assert np.array_equal(made[..., 0], made[..., 1])
    assert not np.array_equal(made[..., 0], made[..., 2])


def test_the_iteration_is_scikit_images_far_from_the_border(blurred) -> None:
    pair, _ = blurred(radius=3)
    kernel = RampedDiscLens().kernel_pairs(0, [3.0])[0].mean(0)[40:57, 40:57]
    kernel /= kernel.sum()
    light = pair.combined.pixels[..., 0]
    ours = RichardsonLucy(iterations=60).deconvolve(light, kernel)
    theirs = restoration.richardson_lucy(light, kernel, 60, clip=False)
    inner = (slice(36, -36), slice(36, -36))
    assert np.abs(light - theirs)[inner].mean() > 0.02
    assert np.abs(ours - theirs)[inner].mean() < 0.003


def test_the_defocus_map_is_the_blur_that_is_undone(blurred) -> None:
    pair, _ = blurred(radius=-6)
    assert np.median(Wiener().defocus_map(pair)) == pytest.approx(-6, abs=0.4)


@pytest.mark.parametrize("length", [16, 40, 64, 100, 1008])
def test_weights_of_blocks_sum_to_one(length: int) -> None:
    total = np.zeros(length)
    spans = []
    for first, end, weight in overlapping_blocks(length):
        total[first:end] += weight
        spans.append((first, end))
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert all(0 < a[1] - b[0] <= OVERLAP for a, b in pairwise(spans))


def test_parameters_are_checked_and_part_of_the_identity() -> None:
    with pytest.raises(ConfigError, match="balance"):
        Wiener(balance=0)
    with pytest.raises(ConfigError, match="iterations"):
        RichardsonLucy(iterations=0)
    kernels = MeasuredKernels(*np.random.default_rng(0).random((2, 1, 5, 5)))
    identities = {
        m.identity
        for m in (
            Wiener(),
            Wiener(balance=0.1),
            Wiener(kernels),
            RichardsonLucy(),
            RichardsonLucy(iterations=3),
        )
    }
    assert len(identities) == 5
