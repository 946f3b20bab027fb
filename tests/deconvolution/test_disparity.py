import numpy as np
import pytest

from dpanet.deconvolution.disparity import BlurMap, estimate_blur_map
from dpanet.deconvolution.lens import MeasuredLens, RampedDiscLens, trim_kernel
from dpanet.errors import ConfigError
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels


def measured(radius: float = 8.0) -> MeasuredKernels:
    """One cell: a disc with a steep ramp, somewhat flat."""
    left, right = ramped_disc([RampedDisc(radius, softness=0.3, squeeze=0.9)])[0].numpy()
    return MeasuredKernels(left[None], right[None])


@pytest.mark.parametrize("radius", [-9.0, -4.0, 1.5, 6.0, 14.0])
def test_the_radius_of_a_ramped_disc_is_found_with_its_sign(blurred, radius: float) -> None:
    pair, _ = blurred(radius=radius)
    found = estimate_blur_map(pair.left[..., 0], pair.right[..., 0], RampedDiscLens()).scales
    assert np.median(found) == pytest.approx(radius, abs=0.15 + 0.04 * abs(radius))
    assert np.percentile(np.abs(found - radius), 90) < 1.5


@pytest.mark.parametrize("scale", [-1.1, -0.4, 0.25, 0.8])
def test_the_scale_of_measured_kernels_is_found_with_its_sign(blurred, scale: float) -> None:
    lens = MeasuredLens(measured())
    pair, _ = blurred(lens.kernels.at([0], [scale]))
    found = estimate_blur_map(pair.left[..., 0], pair.right[..., 0], lens).scales
    assert np.median(found) == pytest.approx(scale, abs=0.03)


def test_views_that_swap_turn_the_sign(blurred) -> None:
    pair, _ = blurred(radius=5)
    lens = RampedDiscLens()
    there = estimate_blur_map(pair.left[..., 0], pair.right[..., 0], lens).scales
    back = estimate_blur_map(pair.right[..., 0], pair.left[..., 0], lens).scales
    np.testing.assert_allclose(back, -there, atol=1e-3)


def test_what_is_sharp_or_without_detail_counts_as_in_focus(blurred) -> None:
    pair, _ = blurred(radius=0)
    lens = RampedDiscLens()
    assert np.abs(estimate_blur_map(pair.left[..., 0], pair.right[..., 0], lens).scales).max() < 0.3
    for level in (0.0, 0.4, 0.5):
        flat = np.full((64, 80), level, np.float32)
        np.testing.assert_array_equal(estimate_blur_map(flat, flat, lens).scales, 0)


def test_a_flat_part_takes_its_neighbors_scale(blurred) -> None:
    pair, _ = blurred(radius=7)
    left, right = pair.left[..., 0].copy(), pair.right[..., 0].copy()
    for view in (left, right):
        view[40:75, 45:85] = 0.5
    found = estimate_blur_map(left, right, RampedDiscLens())
    assert found.median_scale(45, 70, 50, 80) == pytest.approx(7, abs=0.7)


def test_two_blurs_side_by_side_are_told_apart(blurred) -> None:
    (near, _), (far, _) = blurred(radius=6, width=128), blurred(radius=-6, width=128)
    left, right = (
        np.hstack((a[..., 0], b[..., 0])) for a, b in ((near.left, far.left), (near.right, far.right))
    )
    found = estimate_blur_map(left, right, RampedDiscLens())
    assert found.median_scale(20, 90, 0, 90) == pytest.approx(6, abs=0.5)
    assert found.median_scale(20, 90, 166, 256) == pytest.approx(-6, abs=0.5)
    spread = found.per_pixel()
    assert spread.shape == left.shape
    assert spread[50, 40] > 5 and spread[50, 220] < -5


@pytest.mark.parametrize("size", [(16, 16), (17, 200), (169, 40)])
def test_blocks_cover_any_size(size: tuple[int, int]) -> None:
    views = np.random.default_rng(0).random((2, *size), dtype=np.float32)
    found = estimate_blur_map(*views, RampedDiscLens())
    assert (found.y[0], found.y[-1], found.x[0], found.x[-1]) == (0, size[0], 0, size[1])
    assert found.scales.shape == (len(found.y) - 1, len(found.x) - 1)
    assert np.isfinite(found.scales).all()


def test_a_rectangle_has_the_weighted_median_of_its_blocks() -> None:
    found = BlurMap(np.array([[1.0, 5.0, 9.0]]), np.array([0, 10]), np.array([0, 10, 20, 30]))
    assert found.median_scale(0, 10, 0, 10) == 1
    assert found.median_scale(0, 10, 8, 18) == 5
    assert found.median_scale(2, 8, 0, 30) == 5


def test_cells_lie_in_rows_and_stretch_with_the_picture() -> None:
    left, right = np.zeros((2, 48, 3, 3))
    left[:, 1, 1] = right[:, 1, 1] = 1
    lens = MeasuredLens(MeasuredKernels(left, right))
    assert [lens.cell_at(y, x) for y, x in ((0, 0), (0, 0.99), (0.2, 0), (1, 1))] == [0, 7, 8, 47]
    with pytest.raises(ConfigError, match="holds 5 kernel pairs"):
        MeasuredLens(MeasuredKernels(left[:5], right[:5]))


def test_trimming_keeps_the_middle() -> None:
    kernel = np.zeros((9, 9), np.float32)
    kernel[3:6, 3:6] = 1 / 9
    np.testing.assert_allclose(trim_kernel(kernel), np.full((3, 3), 1 / 9), rtol=1e-6)
