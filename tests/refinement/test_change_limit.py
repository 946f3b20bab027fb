"""What refinement may change at most."""

import numpy as np
import pytest

from dpanet.refinement.change_limit import CONTRAST, DARKER, DARKEST, SHARE, limit_change


def draw_lamp() -> np.ndarray:
    """Return a bright square on black, (64, 64, 3)."""
    picture = np.zeros((64, 64, 3), np.float32)
    picture[24:40, 24:40] = 1
    return picture


def test_rings_in_the_dark_are_taken_off_and_edges_stay_as_they_were_refined() -> None:
    picture = draw_lamp()
    distance = np.hypot(*np.mgrid[-31.5:32, -31.5:32])[..., None]
    change = np.broadcast_to(0.018 * np.cos(distance), picture.shape).astype(np.float32)
    refined = picture + change
    limit_change(picture, refined)
    bright = np.s_[24:40, 24:40]
    np.testing.assert_allclose(refined[bright], (picture + change)[bright], atol=1e-6)
    beside = np.s_[21:23, 28:36]
    np.testing.assert_allclose(refined[beside], change[beside].clip(0), atol=1e-6)
    far = np.abs(refined - picture)[:12]
    assert far.max() <= 1.01 * DARKEST * picture.mean() and far.max() > 0


def test_no_rim_of_black_beside_a_bright_edge() -> None:
    picture = np.full((40, 64, 3), 0.02, np.float32)
    picture[:, 32:] = 0.5
    refined = picture.copy()
    refined[:, 29:32] -= 0.04  # an overshoot, below black
    refined[:, 40:44] -= 0.009  # a line that the lens shows
    refined[:, 4:6] -= 0.003
    limit_change(picture, refined)
    np.testing.assert_allclose(refined[:, 29:32], DARKER * 0.02, atol=1e-6)
    np.testing.assert_allclose(refined[:, 40:44], 0.491, atol=1e-6)
    faint = SHARE * 0.02 + DARKEST * 0.26
    np.testing.assert_allclose(refined[:, 4:6], 0.02 - faint, atol=1e-6)


def test_more_changes_where_the_picture_has_contrast() -> None:
    picture = np.full((40, 96, 3), 0.6, np.float32)
    picture[:, 48:][:, np.arange(48) % 6 < 3] = 0.4
    for wanted in (0.05, 0.1):
        refined = picture + np.float32(wanted)
        limit_change(picture, refined)
        change = (refined - picture).mean((0, 2))
        faint = DARKEST * picture.mean()
        np.testing.assert_allclose(change[:36], SHARE * 0.6 + faint, rtol=1e-3)
        striped = min(wanted, SHARE * 0.6 + CONTRAST * 0.2 + faint)
        np.testing.assert_allclose(change[60:84], striped, rtol=1e-3)


def test_a_pixel_keeps_the_color_of_its_change() -> None:
    picture = np.full((32, 32, 3), 0.1, np.float32)
    refined = picture + np.array([0.3, 0.15, -0.03], np.float32)
    limit_change(picture, refined)
    largest = SHARE * 0.1 + DARKEST * 0.1
    np.testing.assert_allclose(
        refined - picture, np.broadcast_to([largest, largest / 2, -largest / 10], picture.shape), rtol=1e-4
    )


@pytest.mark.parametrize("height", [16, 65, 200])
def test_strips_leave_no_seam(height: int) -> None:
    rng = np.random.default_rng(1)
    picture = rng.random((height, 24, 3)).astype(np.float32)
    refined = picture + rng.normal(0, 0.3, picture.shape).astype(np.float32)
    whole, turned = refined.copy(), refined[::-1].copy()
    limit_change(picture, whole)
    limit_change(np.ascontiguousarray(picture[::-1]), turned)
    np.testing.assert_allclose(whole, turned[::-1], atol=1e-6)


def test_black_stays_finite() -> None:
    black = np.zeros((20, 20, 3), np.float32)
    refined = black + np.float32(0.5)
    limit_change(black, refined)
    assert np.isfinite(refined).all() and refined.max() < 1e-6
