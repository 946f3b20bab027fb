"""The arithmetic of the two frames, on arrays: a mosaic of known views, photon noise, clipping."""

import dataclasses

import numpy as np
import pytest
from camera_raw.dng_by_hand import BLACK, GAINS, WHITE, frames_of, mosaic

from dpanet.camera_raw.views import (
    BLEND,
    FILL,
    WHOLE,
    RawFrames,
    keep_weights,
    share_of_light,
    split_equal,
    split_views,
)
from dpanet.errors import PairError

SPAN = WHITE - BLACK


def recorded(both: np.ndarray, side: np.ndarray, **changes: object) -> RawFrames:
    black = np.full((2, 2), float(BLACK))
    frames = RawFrames(both, side, black, black, white=WHITE, clip=WHITE, gains=GAINS)
    return dataclasses.replace(frames, **changes)


def test_the_other_half_is_the_difference_up_to_photon_noise(scene) -> None:
    split = split_views(recorded(*frames_of(*scene, noise=1)))
    assert not split.clipped.any()
    for view, known in ((split.side, scene[0]), (split.other, scene[1])):
        electrons = mosaic(known) * SPAN / 2
        error = view / (split.white / SPAN) - electrons
        assert abs(error.mean()) < 0.3  # codes
        spread = (error**2).mean() / electrons.mean()
        assert 0.9 < spread < 1.1  # Poisson: variance = mean, in the difference too


def test_without_noise_both_halves_are_exact(scene) -> None:
    both, side = frames_of(*scene)
    split = split_views(recorded(both, side))
    scale = split.white / SPAN
    np.testing.assert_array_equal(split.side, (side.astype(int) - BLACK) * scale)
    np.testing.assert_array_equal(split.other, (both.astype(int) - side) * scale)


def test_each_place_of_the_pattern_has_its_own_black_level_in_each_frame() -> None:
    black_both, black_side = np.array([[500.0, 510], [520, 530]]), np.array([[501.0, 511], [521, 531]])
    tile = np.tile(np.arange(4).reshape(2, 2), (20, 20))
    both = (1000 + tile * 100 + np.tile(black_both, (20, 20))).astype(np.uint16)
    side = (450 + tile * 10 + np.tile(black_side, (20, 20))).astype(np.uint16)
    split = split_views(recorded(both, side, black_both=black_both, black_side=black_side))
    scale = split.white / (WHITE - 500)
    np.testing.assert_array_equal(split.side / scale, 450 + tile * 10)
    np.testing.assert_array_equal(split.other / scale, 550 + tile * 90)


def test_noise_below_black_is_black_and_does_not_wrap_around() -> None:
    rng = np.random.default_rng(0)
    side = rng.normal(BLACK + 300, 5, (40, 40)).astype(np.uint16)
    both = rng.normal(BLACK + 600, 5, (40, 40)).astype(np.uint16)
    side[4:8, 4:8], both[4:8, 4:8] = BLACK - 20, BLACK - 30
    side[10, 10] = both[10, 10] + 7
    split = split_views(recorded(both, side))
    assert split.side[4:8, 4:8].max() == 0 == split.other[4:8, 4:8].max() == split.other[10, 10]
    assert max(split.side.max(), split.other.max()) < 700 * split.white / SPAN


def test_clipped_pixels_and_their_surroundings_are_half_of_the_first_frame() -> None:
    left = np.full((120, 160, 3), 0.5)
    right = np.full_like(left, 0.3)
    left[50:60, 70:90] = 1.4
    right[50:60, 70:90] = 0.9
    both, side = frames_of(left, right)
    split = split_views(recorded(both, side))
    truth = np.zeros((120, 160), bool)
    truth[50:60, 70:90] = True
    green = np.zeros_like(truth)
    green[::2, 1::2] = green[1::2, ::2] = True  # red and blue, weaker by the white balance, are not clipped
    np.testing.assert_array_equal(split.clipped, truth & green)
    near = np.zeros_like(truth)
    for y, x in np.argwhere(truth & green):
        near[y - FILL : y + FILL + 1, x - FILL : x + FILL + 1] = True
    np.testing.assert_array_equal(split.side[near], split.other[near])
    assert (split.side[~near] > split.other[~near]).all()
    # white, neutral once the white balance is applied
    core = np.tile(GAINS, (60, 80))[truth] * (split.side.astype(float) + split.other)[truth]
    np.testing.assert_allclose(core, split.white, rtol=1e-3)


def test_the_weight_is_one_on_and_near_clipped_pixels_and_falls_to_zero() -> None:
    clipped = np.zeros((80, 90), bool)
    clipped[40, 45] = True
    weights = keep_weights(clipped)
    row = weights[40]
    assert (row[45 - WHOLE : 45 + WHOLE + 1] == 1).all()
    assert (np.diff(row[45 + WHOLE :]) <= 0).all() and (
        np.diff(row[45 + WHOLE : 45 + WHOLE + BLEND]) < 0
    ).all()
    assert row[45 + WHOLE + BLEND + 1] == 0 and weights[0, 0] == 0


def test_frames_that_are_no_sum_and_side_are_refused(scene) -> None:
    both, side = frames_of(*scene)
    cases = (
        (both, both, "the same"),
        (both, side[:-2], "one size"),
        (side, both, "times the light of the first"),
        (both, (BLACK + (side.astype(int) - BLACK) // 8).astype(np.uint16), "0.06"),
        (np.full_like(both, WHITE), side, "no light that is not clipped"),
        (np.full_like(both, BLACK), np.full_like(both, BLACK - 1), "no light"),
    )
    for first, second, words in cases:
        with pytest.raises(PairError, match=words):
            split_views(recorded(first, second))


def test_the_share_of_light_leaves_clipped_pixels_out() -> None:
    rng = np.random.default_rng(0)
    light = rng.uniform(0, 30000, (300, 400))
    both = np.minimum(light + BLACK, WHITE).astype(np.uint16)
    side = np.minimum(light / 2 + BLACK, WHITE).astype(np.uint16)
    assert abs(share_of_light(recorded(both, side)) - 0.5) < 0.01


def test_two_views_of_equal_light_are_taken_as_they_are(scene) -> None:
    codes = [(mosaic(view) * SPAN + BLACK).astype(np.uint16) for view in scene]
    split = split_equal(recorded(*codes))
    for view, code in zip((split.side, split.other), codes, strict=True):
        np.testing.assert_array_equal(view, (code.astype(int) - BLACK) * (split.white // SPAN // 2))
