"""`Control`: strength, and what keeps its blur; by closed forms and a slow guided filter."""

from itertools import pairwise

import numpy as np
import pytest

from dpanet.deblurrer.control import Control
from dpanet.deblurrer.keep_background import fill_flat_places, find_reach, follow_edges, weight_of_radius
from dpanet.errors import ConfigError, ShapeError


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


def stripes(height: int, width: int) -> np.ndarray:
    """Upright stripes, faint and soft, (height, width, 1): something to measure blur by."""
    row = 0.03 * np.sin(np.arange(width, dtype=np.float32) * np.float32(2 * np.pi / 18))
    return np.tile(row[None, :, None], (height, 1, 1))


def slow_guided_filter(weight: np.ndarray, guide: np.ndarray, reach: int) -> np.ndarray:
    """The equations of the paper, pixel by pixel, in float64."""
    height, width = weight.shape

    def window(values: np.ndarray, y: int, x: int) -> np.ndarray:
        ys, xs = (np.arange(at - reach, at + reach + 1).clip(0, n - 1) for at, n in ((y, height), (x, width)))
        return values[np.ix_(ys, xs)]

    slopes, starts = np.zeros((height, width)), np.zeros((height, width))
    for y, x in np.ndindex(height, width):
        i, p = window(guide, y, x), window(weight, y, x)
        slopes[y, x] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + 1e-4)
        starts[y, x] = p.mean() - slopes[y, x] * i.mean()
    out = np.array(
        [
            window(slopes, y, x).mean() * guide[y, x] + window(starts, y, x).mean()
            for y, x in np.ndindex(height, width)
        ]
    )
    return out.reshape(height, width).clip(0, 1)


def test_the_ends_are_exact() -> None:
    output, combined = noise(40, 30, 3), noise(40, 30, 3, seed=1)
    for encoding in ("srgb", "linear"):
        assert Control(0).apply(output, combined, encoding=encoding).tobytes() == combined.tobytes()
        assert Control(1).apply(output, combined, encoding=encoding).tobytes() == output.tobytes()


def test_half_is_the_mean_of_display_values() -> None:
    output, combined = np.full((16, 16, 3), 0.8, np.float32), np.full((16, 16, 3), 0.2, np.float32)
    np.testing.assert_allclose(Control(0.5).apply(output, combined), 0.5, rtol=1e-6)
    # sRGB of these two linear values is 0.906332 and 0.484529 (IEC 61966-2-1 by hand), their mean 0.695430
    mean = ((0.906332 + 0.484529) / 2 + 0.055) / 1.055
    np.testing.assert_allclose(Control(0.5).apply(output, combined, encoding="linear"), mean**2.4, rtol=1e-5)


def test_the_step_over_the_radius() -> None:
    radius = np.array([-20, 0, 4, 5, 6, 20], np.float32)
    np.testing.assert_allclose(weight_of_radius(radius, 4, None), [1, 1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(weight_of_radius(-radius, None, 4), [1, 1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(weight_of_radius(radius, 4, 10), [0, 1, 1, 0.5, 0, 0])
    assert weight_of_radius(np.float32([0.5]), 0, None) == pytest.approx(0.5), "at least 1 px wide"
    steps = weight_of_radius(np.linspace(0, 20, 500, dtype=np.float32), 4, None)
    assert (np.diff(steps) <= 0).all()


def test_edges_are_followed_as_in_the_paper() -> None:
    combined = noise(18, 15, 3, seed=2)
    weight = noise(18, 15, seed=3)
    expected = slow_guided_filter(weight.astype(float), combined.mean(axis=-1, dtype=float), 3)
    np.testing.assert_allclose(follow_edges(weight, combined, 3), expected, atol=1e-6)


def test_the_weight_ends_at_the_edge_of_a_sharp_thing() -> None:
    combined = np.full((64, 96, 3), 0.7, np.float32) + stripes(64, 96)
    combined[:, :48] -= 0.5
    radius = np.zeros((64, 96), np.float32)
    radius[:, 51:] = 12  # the map sees the background only 3 px beside the edge
    control = Control(keep_background=4)
    before = weight_of_radius(radius, 4, None)
    after = follow_edges(before, combined, find_reach(4, None))
    assert before[:, 48:51].min() == 1, "the halo"
    assert after[:, 49:51].max() < 0.45 and after[:, 30:47].min() > 0.8
    picture = control.apply(combined + np.float32(0.1), combined, radius)
    np.testing.assert_array_equal(picture[:, 80:], combined[:, 80:])
    np.testing.assert_array_equal(picture[:, :20], combined[:, :20] + np.float32(0.1))


def test_a_flat_place_takes_the_weight_of_what_is_around_it() -> None:
    combined = np.full((96, 160, 3), 0.6, np.float32) + stripes(96, 160)
    combined[24:72, 48:112] = 0.6  # a bare panel in a background with stripes
    weight = np.zeros((96, 160), np.float32)
    weight[40:56, 72:96] = 1  # where the map has the wrong sign
    filled = fill_flat_places(weight, combined)
    assert filled[40:56, 72:96].max() < 0.15
    np.testing.assert_array_equal(filled[:16], 0)
    np.testing.assert_allclose(fill_flat_places(1 - weight, combined), 1 - filled, atol=1e-5)
    textured = combined + stripes(96, 160) * 3
    np.testing.assert_array_equal(fill_flat_places(weight, textured), weight)


def test_weights_carried_over_follow_the_colors() -> None:
    combined = np.full((96, 240, 3), 0.5, np.float32)
    combined[:, :120] = 0.2, 0.6, 0.6
    combined[:, 120:] = 0.6, 0.5, 0.2  # as bright, so that only the color tells them apart
    combined[:24] += stripes(24, 240)
    weight = np.zeros((96, 240), np.float32)
    weight[:24, 120:] = 1
    filled = fill_flat_places(weight, combined)
    assert filled[40:80, 8:104].max() < 0.2 and filled[40:80, 136:232].min() > 0.65


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_rows_give_what_the_whole_gives(encoding: str) -> None:
    output, combined = noise(700, 20, 3), noise(700, 20, 3, seed=1) * np.float32(0.1)
    combined[200:520] *= np.float32(0.05)  # little evidence
    radius = noise(700, 20, seed=2) * 12
    control = Control(0.7, keep_background=5)
    whole = control.apply(output, combined, radius, encoding)
    cuts = [0, 3, 4, 90, 91, 400, 640, 700]
    strips = ((output[a:b], combined[a:b], radius[a:b]) for a, b in pairwise(cuts))
    parts = [*control.apply_to_rows(strips, encoding)]
    assert np.concatenate([rows for rows, _ in parts]).tobytes() == whole.tobytes()
    assert np.concatenate([rows for _, rows in parts]).tobytes() == radius.tobytes()


def test_what_is_refused() -> None:
    picture = noise(16, 16, 3)
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="give 0"):
            Control(wrong)
    for wrong in (-0.1, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="a blur radius in px"):
            Control(keep_background=wrong)
    with pytest.raises(ConfigError, match="defocus map is missing"):
        Control(keep_foreground=2).apply(picture, picture)
    with pytest.raises(ShapeError, match="give"):
        Control(0.5).apply(picture, picture[:8])
