"""What is in focus stays as it is, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Pixels
from dpanet.refinement import in_focus
from dpanet.refinement.in_focus import CELL, keep_in_focus, weigh_focus

CODE = 1 / 255


def edges(height: int = 96, width: int = 128, seed: int = 1) -> Pixels:
    """Rectangles with crisp borders, all over the picture."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 0.5, np.float32)
    for _ in range(height * width // 100):
        y, x = rng.integers(-4, height), rng.integers(-4, width)
        picture[max(0, y) : y + rng.integers(3, 12), max(0, x) : x + rng.integers(3, 12)] = rng.uniform(
            0.1, 0.9, 3
        )
    return picture


def blurred(picture: Pixels, apart: float) -> tuple[Pixels, Pixels]:
    """Views of a blur of `apart` px, through both halves of a square lens."""
    views = []
    fine = np.repeat(picture, 4, axis=1)
    for sign in (-1, 1):
        part = np.roll(
            uniform_filter(fine, (round(apart) | 1, round(4 * apart), 1)), round(2 * sign * apart), 1
        )
        views.append(part.reshape(*picture.shape[:2], 4, 3).mean(2))
    return views[0].astype(np.float32), views[1].astype(np.float32)


def kept(left: Pixels, right: Pixels) -> NDArray[np.float32]:
    """How much of the mean of the views a picture gets, (H, W): the network's output is 1 more than that."""
    mean = (left + right) * np.float32(0.5)
    output = mean + 1
    keep_in_focus(output, left, right)
    return 1 - (output - mean)[..., 0]


def test_a_sharp_pair_comes_back_as_it_is() -> None:
    view = edges()
    output = view + np.float32(0.3)
    keep_in_focus(output, view, view)
    inner = slice(8, -8)
    assert np.abs(output - view)[inner, inner].max() < CODE


@pytest.mark.parametrize("apart", [1.0, 2.0, 4.0, 8.0])
def test_a_blurred_pair_is_the_networks(apart: float) -> None:
    assert np.abs(kept(*blurred(edges(), apart))).max() < CODE


@pytest.mark.parametrize("blur", [3.0, 5.0])
def test_blur_alike_in_both_views_is_no_focus(blur: float) -> None:
    """As of edges along rows, whose blur moves nothing apart."""
    view = gaussian_filter(edges(), (blur, blur, 0))
    assert kept(view, view).max() < CODE


@pytest.mark.parametrize("strength", [0.002, 0.01, 0.05])
def test_noise_alone_is_the_networks(strength: float) -> None:
    left, right = np.random.default_rng(2).normal(0.5, strength, (2, 96, 128, 3)).astype(np.float32)
    assert np.abs(kept(left, right)).max() < CODE


def test_flat_places_are_the_networks() -> None:
    view = np.full((64, 64, 3), 0.5, np.float32)
    assert not weigh_focus(view, view).any()


def test_little_noise_does_not_hide_focus() -> None:
    noise = np.random.default_rng(3).normal(0, 0.004, (2, 96, 128, 3)).astype(np.float32)
    assert kept(*(edges() + noise))[8:-8, 8:-8].mean() > 0.9


@pytest.mark.parametrize("change", ["brighter", "brighter-to-the-side", "offset"])
def test_views_of_unlike_brightness_are_in_focus(change: str) -> None:
    view = edges()
    gain: dict[str, Callable[[], Pixels]] = {
        "brighter": lambda: view * np.float32(1.05),
        "brighter-to-the-side": lambda: view * np.linspace(0.95, 1.05, 128, dtype=np.float32)[:, None],
        "offset": lambda: view + np.float32(0.03),
    }
    assert kept(view, gain[change]())[8:-8, 8:-8].mean() > 0.9


def test_a_sharp_half_is_kept_and_a_blurred_half_is_not() -> None:
    sharp = edges(96, 256)
    views = [view.copy() for view in blurred(sharp, 4)]
    for view in views:
        view[:, :128] = sharp[:, :128]
    share = kept(views[0], views[1])[8:-8]
    assert share[:, 8:96].mean() > 0.99
    assert np.abs(share[:, 128 + 28 :]).max() < CODE
    assert np.abs(np.diff(share, axis=1)).max() < 0.2, "no border shows"


def test_nan_stays_where_it_is() -> None:
    left, right = edges(), edges()
    left[40, 60] = np.nan
    output = left + np.float32(0.2)
    keep_in_focus(output, left, right)
    assert np.isnan(output).any(-1).sum() == 1


class Shift:
    """An engine that changes brightness.

    Args: multiple_of: of its description.
    """

    name = family = version = "test"
    device, precision, parameters = "cpu", "float32", None

    def __init__(self, multiple_of: int) -> None:
        self.description = Description(multiple_of, halo=32, encoding="srgb", has_defocus=True)

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        picture = left * np.float32(0.5) + np.float32(0.2)
        return (
            np.concatenate([picture, np.full((*left.shape[:2], 1), 7, np.float32)], 2) if defocus else picture
        )


@pytest.mark.parametrize("multiple_of", [16, 4])
@pytest.mark.parametrize("defocus", [False, True])
def test_tiles_and_whole_agree(multiple_of: int, defocus: bool) -> None:
    sharp = edges(203, 309)
    views = [view.copy() for view in blurred(sharp, 2)]
    for view in views:
        view[60:140, 80:200] = sharp[60:140, 80:200]
    pair = DualPixelPair(views[0], views[1], "srgb")
    engine: Any = Shift(multiple_of)
    pictures = [
        deblur_pair(
            engine,
            pair,
            tile=tile,
            mirrors=MIRRORS[:2],
            encoding="srgb",
            scale=1,
            defocus=defocus,
        )
        for tile in (0, 112)
    ]
    assert np.abs(pictures[0][0] - pictures[1][0]).max() < 1e-5
    if defocus:
        assert pictures[0][1] is not None and (pictures[0][1] == 7).all()
    mean, network = (views[0] + views[1]) / 2, views[0] * 0.25 + views[1] * 0.25 + 0.2
    assert np.abs(pictures[0][0] - mean)[90:110, 110:170].mean() < CODE
    assert np.abs(pictures[0][0] - network)[:25].max() < CODE


def test_measures_are_those_of_plain_loops() -> None:
    left, right = np.random.default_rng(5).random((2, 24, 40, 3), np.float32)
    found = in_focus._measure(left[..., 1], right[..., 1], (0, 0))
    d, m = left[..., 1] - right[..., 1], (left[..., 1] + right[..., 1]) / 2
    wanted = np.zeros((5, 3, 5))
    for y in range(CELL, 2 * CELL):  # the cell (1, 2), away from the edges
        for x in range(2 * CELL, 3 * CELL):
            wanted[:, 1, 2] += (
                (d[y, x + 1] - d[y, x]) ** 2 + (d[y + 1, x] - d[y, x]) ** 2,
                (d[y + 1, x + 1] - d[y, x + 1] - d[y + 1, x] + d[y, x]) ** 2 / 4,
                (m[y, x + 1] - 2 * m[y, x] + m[y, x - 1]) ** 2,
                (m[y, x + 1] - m[y, x]) ** 2 + (m[y + 1, x] - m[y, x]) ** 2,
                (m[y, x + 1] - m[y, x - 1]) ** 2 + (m[y + 1, x] - m[y - 1, x]) ** 2,
            )
    np.testing.assert_allclose(found[:, 1, 2], wanted[:, 1, 2] / CELL**2, rtol=1e-5)
