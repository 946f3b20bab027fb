"""Each measure of an inspection against what was planted."""

import math

import numpy as np
import pytest
from inspection.planted_pair import HEIGHT, planted_pair, see_through, texture
from scipy import ndimage

from dpanet.inspection.alignment import fit_misalignment
from dpanet.inspection.block_match import match_blocks
from dpanet.inspection.exposure import compare_brightness, count_clipped
from dpanet.inspection.focus import describe_focus
from dpanet.inspection.measure import measure_pair
from dpanet.inspection.noise import estimate_noise
from dpanet.inspection.sharpness import blur_widths


def gray(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[..., None], 3, axis=2).astype(np.float32)


def moved(plane: np.ndarray, y: float, x: float) -> np.ndarray:
    """Move a plane by a fraction of a px, exactly and around."""
    return np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(plane), (y, x))).real


@pytest.mark.parametrize(
    ("y", "x"), [(0.0, 0.0), (0.0, 3.4), (0.3, -5.6), (2.0, 11.0), (0.0, 40.0), (30.0, 0.0)]
)
def test_a_shift_is_measured_to_a_tenth(y: float, x: float) -> None:
    scene = texture()
    blocks = match_blocks(*(view.astype(np.float32) for view in (scene, moved(scene, y, x))), noise=0.0)
    inner = np.s_[2:-2, 3:-3]
    assert np.nanmedian(np.abs(blocks.x[inner] - x)) < 0.1
    assert np.nanmedian(np.abs(blocks.y[inner] - y)) < 0.1
    assert np.nanmedian(blocks.correlation) > 0.9


def test_blocks_of_noise_alone_have_no_match() -> None:
    views = np.random.default_rng(0).standard_normal((2, 200, 300)).astype(np.float32)
    assert np.isnan(match_blocks(views[0], views[1], noise=1.0).x).all()


def test_vertical_edges_tell_no_vertical_shift() -> None:
    stripes = np.repeat(texture(height=HEIGHT)[:1], HEIGHT, axis=0).astype(np.float32)
    blocks = match_blocks(stripes, stripes, noise=0.0)
    assert np.isnan(blocks.y).mean() > 0.9 and np.nanmax(np.abs(blocks.x)) < 0.1


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_the_width_of_a_blur_is_estimated_to_a_third(sigma: float) -> None:
    view = ndimage.gaussian_filter(texture(), sigma).astype(np.float32)
    blocks = match_blocks(view, view, noise=0.0)
    measured = float(np.nanmedian(blur_widths(view, blocks, 0.0)))
    assert abs(measured - sigma) < 0.35 * sigma + 0.4


@pytest.mark.parametrize("sigma", [0.0005, 0.01, 0.05])
def test_noise_is_measured_beside_detail(sigma: float) -> None:
    scene = ndimage.gaussian_filter(texture(), 3)
    noisy = scene + sigma * np.random.default_rng(5).standard_normal(scene.shape)
    assert estimate_noise(noisy.astype(np.float32)) == pytest.approx(sigma, rel=0.12)


def test_noise_of_rounding_is_that_of_even_steps() -> None:
    ramp = np.linspace(0.2, 0.8, 480)[None] + np.linspace(0, 0.1, 320)[:, None]
    codes = np.rint(ramp * 255) / 255
    assert 0.1 < 255 * estimate_noise(codes.astype(np.float32)) < 0.4  # 1 / sqrt(12) = 0.29


def test_clipped_parts_tell_no_noise() -> None:
    assert np.isnan(estimate_noise(np.clip(texture() * 0 + np.eye(320, 480), 0, 1).astype(np.float32)))
    assert estimate_noise(np.full((64, 64), 0.3, np.float32)) == 0


def test_brightness_and_its_slope_are_measured() -> None:
    right = gray(texture())
    slope = np.linspace(0.8, 1.2, right.shape[1], dtype=np.float32)[None, :, None]
    assert compare_brightness(right * np.float32(1.3), right).ratio == pytest.approx(1.3, rel=1e-3)
    measured = compare_brightness(right * slope, right)
    assert measured.columns[0] < 0.85 and measured.columns[-1] > 1.15 and measured.slope > 0.3
    assert compare_brightness(right, right).slope < 1e-5


def test_clipping_below_the_white_of_the_file_is_noticed() -> None:
    bright = gray(np.minimum(texture() + 0.2, 0.99 - 0.1 * texture(2)))
    assert count_clipped(bright, 65535).bright == 0
    clipped = count_clipped(np.minimum(bright, np.float32(0.75)), 65535)
    assert clipped.ceiling == pytest.approx(0.75)
    assert clipped.bright == pytest.approx(float((bright >= 0.75).mean()))
    assert count_clipped(np.minimum(gray(texture() + 0.5), 1), 65535).bright > 0.3


def test_floats_above_white_are_kept_and_not_clipped() -> None:
    bright = gray(texture() + 0.5)
    found = count_clipped(bright, 0)
    assert (found.bright, found.above) == (0, pytest.approx(float((bright > 1).mean())))
    assert math.isnan(found.ceiling) and found.above > 0.3
    at_white, above_white = (count_clipped(np.minimum(bright, np.float32(top)), 0) for top in (1.0, 1.05))
    assert (at_white.ceiling, at_white.above) == (1.0, 0)
    assert at_white.bright == pytest.approx(float((bright >= 1).mean()))
    assert above_white.ceiling == pytest.approx(1.05)
    assert above_white.bright == pytest.approx(float((bright >= 1.05).mean()))


@pytest.mark.parametrize("factor", [0.8, 1.0, 3.0])
def test_floats_made_of_8_bits_have_equal_values_but_none_is_clipped(factor: float) -> None:
    codes = np.floor(np.random.default_rng(4).triangular(0, 0, 80, (320, 480))) / 255
    found = count_clipped(gray(factor * codes**2.2 / codes.max() ** 2.2), 0)
    assert found.bright == 0 and math.isnan(found.ceiling)


def test_raw_codes_above_white_are_kept() -> None:
    found = count_clipped(gray(texture() + 0.5), 9000)
    assert found.bright == 0 and found.above > 0.3


def test_shares_in_and_out_of_focus() -> None:
    measures = measure_pair(planted_pair(6.0), 65535)
    assert 0.3 < measures.focus.sharp < 0.6 and 0.3 < measures.focus.blurred < 0.6
    assert measures.focus.quantiles[2] == pytest.approx(
        measure_pair(planted_pair(6.0, sharp=0), 0).focus.quantiles[1], abs=1
    )
    assert measures.focus.rank > 0.5
    assert measures.order.behind > 0.4 and measures.order.before < 0.02


def test_the_far_side_has_the_opposite_disparity() -> None:
    behind, before = (measure_pair(planted_pair(radius), 0) for radius in (6.0, -6.0))
    assert behind.focus.quantiles[2] > 2 and before.focus.quantiles[0] < -2


def test_a_rotation_shows_as_a_slope_of_the_vertical_shift() -> None:
    scene = texture()
    turned = ndimage.rotate(scene, 0.6, reshape=False, mode="reflect")
    blocks = match_blocks(scene.astype(np.float32), turned.astype(np.float32), noise=0.0)
    fit = fit_misalignment(blocks, 1.0)
    expected = scene.shape[1] * np.tan(np.deg2rad(0.6))  # 5.0 px over the width
    assert abs(fit.turn) == pytest.approx(expected, rel=0.2) and abs(fit.stretch) < 0.6


def test_blur_and_disparity_of_a_lens_and_of_two_cameras_differ() -> None:
    left, right = see_through(texture(), 10.0)
    scene = texture()
    pairs = {"lens": (left, right), "cameras": (scene, moved(scene, 0, 8.0))}
    found = {}
    for name, views in pairs.items():
        planes = [view.astype(np.float32) for view in views]
        blocks = match_blocks(planes[0], planes[1], 0.0)
        found[name] = describe_focus(blocks, blur_widths(planes[0], blocks, 0.0), 1.0).blur_per_disparity
    assert found["lens"] > 0.45 and found["cameras"] < 0.2
