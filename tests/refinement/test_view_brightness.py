"""Views of unlike brightness are made even, and even ones are left alone."""

import numpy as np
import pytest
from refinement.blurred_texture import blur_views, draw_texture

from dpanet.pair import Pixels
from dpanet.refinement.view_brightness import SMALLEST, equalize_views
from dpanet.simulation.kernels import RampedDisc, ramped_disc

SIDE = 480


@pytest.fixture(scope="module")
def views() -> tuple[Pixels, Pixels]:
    """Of a lens that moves them by some px against each other, of a scene that is brighter on one side."""
    truth = draw_texture(SIDE) * np.linspace(0.3, 1, SIDE, dtype=np.float32)[:, None]
    return blur_views(truth, ramped_disc([RampedDisc(9.0, softness=1.0)]).numpy()[0], 1e-3)


def draw_ratio() -> np.ndarray:
    """Return the logarithm of a ratio as a lens makes it: up to a quarter in one corner."""
    line = np.linspace(-1, 1, SIDE)
    ratio: np.ndarray = (0.1 * line + 0.06 * line**3 + 0.05 * line[:, None] * line + 0.02)[..., None]
    return ratio


def test_even_views_are_left_alone(views: tuple[Pixels, Pixels]) -> None:
    assert equalize_views(*views) is None
    assert equalize_views(views[0] * np.float32(1.03), views[1]) is None, "as little as scenes show"


def test_the_field_of_a_lens_is_taken_off(views: tuple[Pixels, Pixels]) -> None:
    half = draw_ratio() / 2
    shaded = [
        (view * np.exp(sign * half)).astype(np.float32) for view, sign in zip(views, (1, -1), strict=True)
    ]
    even = equalize_views(*shaded)
    assert even is not None
    rest = np.log(even[0] / even[1]) - np.log(views[0] / views[1])
    assert np.sqrt(np.mean(np.square(rest))) < 0.02 < 0.05 < np.sqrt(np.mean(np.square(2 * half)))
    before, after = (np.asarray(left + right) for left, right in (views, even))
    np.testing.assert_allclose(after / before, np.cosh(half) * np.ones_like(after), atol=0.02)
    assert even[0].dtype == np.float32


def test_a_ratio_without_a_field(views: tuple[Pixels, Pixels]) -> None:
    twice = views[0] * np.float32(2)
    even = equalize_views(twice, views[1])
    assert even is not None
    np.testing.assert_allclose(np.median(even[0] / even[1]), 1, atol=0.02)
    mean = (even[0] + even[1]) / (twice + views[1])
    np.testing.assert_allclose(np.median(mean), 1, atol=0.01)  # as bright as before


@pytest.mark.parametrize("shape", [(SMALLEST - 1, SIDE), (16, 16)])
def test_small_pairs_are_left_alone(shape: tuple[int, int]) -> None:
    view = np.full((*shape, 3), 0.5, np.float32)
    assert equalize_views(2 * view, view) is None


def test_black_and_flat_pairs() -> None:
    below = np.random.default_rng(2).normal(-1e-3, 1e-4, (2, 400, 400, 3)).astype(np.float32)
    assert equalize_views(*below) is None
    black = np.zeros((400, 400, 3), np.float32)
    assert equalize_views(black, black) is None
    even = equalize_views(black + np.float32(0.5), black + np.float32(0.4))
    assert even is not None and np.allclose(even[0], even[1], atol=1e-3)
