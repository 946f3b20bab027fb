"""What a network sees of a pair, and how values above white come back."""

from typing import Any

import numpy as np
import pytest

from dpanet.deblurrer.exposure import Exposure
from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Encoding, Pixels

RNG = np.random.default_rng(12)


class Mean:
    """The mean of the views, sharpened along x so that it rings; remembers the range of what it saw."""

    def __init__(self, sharpen: float = 0.0, encoding: Encoding = "srgb") -> None:
        self.description = Description(multiple_of=4, halo=4, encoding=encoding)
        self.sharpen = np.float32(sharpen)
        self.lowest, self.highest = np.inf, -np.inf

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        self.lowest = min(self.lowest, float(left.min()), float(right.min()))
        self.highest = max(self.highest, float(left.max()), float(right.max()))
        mean = (left + right) * np.float32(0.5)
        around = (np.roll(mean, 1, axis=1) + np.roll(mean, -1, axis=1)) * np.float32(0.5)
        return mean + self.sharpen * (mean - around)


def scene(encoding: Encoding, values: dict[tuple[int, int], float], in_focus: bool = True) -> DualPixelPair:
    """Noise with some other values. In focus, the views are alike, and the picture is not the network's."""
    left = (RNG.random((48, 64, 3)) * 0.2 + 0.6).astype(np.float32)
    for place, value in values.items():
        left[place] = value
    return DualPixelPair(left, left.copy() if in_focus else np.roll(left, 2, axis=1), encoding)


def deblur(pair: DualPixelPair, engine: Any, tile: int = 0, encoding: Encoding | None = None) -> Pixels:
    return deblur_pair(engine, pair, tile=tile, mirrors=MIRRORS[:1], encoding=encoding or pair.encoding)[0]


@pytest.mark.parametrize("network", ["srgb", "linear"])
@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("value", [50.0, 65504.0, 3e38, -1.0, -1e30])
def test_extreme_values_come_back_and_the_network_does_not_see_them(
    value: float, encoding: Encoding, network: Encoding
) -> None:
    pair, engine = scene(encoding, {(10, 20): value}), Mean(encoding=network)
    np.testing.assert_allclose(deblur(pair, engine), pair.left, rtol=1e-4, atol=1e-5)
    assert engine.lowest >= -1
    assert engine.highest <= 1.000001


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_a_hot_pixel_leaves_the_rest_of_the_picture_alone(encoding: Encoding) -> None:
    pair = scene(encoding, {}, in_focus=False)
    clean = deblur(pair, Mean(0.5))
    broken = pair.left.copy()
    broken[20, 30] = 65504.0
    picture = deblur(DualPixelPair(broken, pair.right, encoding), Mean(0.5))
    elsewhere = np.ones((48, 64), bool)
    elsewhere[20, 29:32] = False
    np.testing.assert_array_equal(picture[elsewhere], clean[elsewhere])
    assert np.abs(picture[20, [29, 31]] - clean[20, [29, 31]]).max() < 0.3, "its neighbors do not ring"


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("output", ["srgb", "linear"])
def test_a_highlight_is_the_same_in_tiles(encoding: Encoding, output: Encoding) -> None:
    light = {(y, x): 50.0 for y in range(20, 30) for x in range(25, 35)}
    pair = scene(encoding, light, in_focus=False)
    whole = deblur(pair, Mean(0.5), encoding=output)
    tiled = deblur(pair, Mean(0.5), 24, output)
    np.testing.assert_allclose(
        tiled[:, 1:-1], whole[:, 1:-1], rtol=1e-5, atol=1e-6
    )  # the roll joins the edges
    center = np.float32(50)
    if output != encoding:
        center = (linear_to_srgb if output == "srgb" else srgb_to_linear)(center)
    np.testing.assert_allclose(whole[25, 30], center, rtol=1e-3)


def test_what_is_added_rises_from_white_without_a_jump() -> None:
    values = np.linspace(0.9, 1.1, 201, dtype=np.float32)
    view = values[:, None, None].repeat(16, axis=1).repeat(3, axis=2)
    picture = deblur(DualPixelPair(view, view, "srgb"), Mean())
    np.testing.assert_allclose(picture, view, atol=1e-6)


@pytest.mark.parametrize("top", [1e-30, 0.3, 65535.0])
def test_an_ordinary_linear_pair_is_divided_by_its_maximum(top: float) -> None:
    views = (RNG.random((2, 30, 41, 3)) * 0.4 + 0.6).astype(np.float32)
    views *= np.float32(top) / views.max()
    pair = DualPixelPair(views[0], views[1], "linear")
    exposure = Exposure.of(pair, "srgb")
    assert exposure.white == float(views.max())
    shown = linear_to_srgb(pair.left / views.max())
    np.testing.assert_array_equal(exposure.to_network(pair.left), shown)
    assert exposure.excess(pair.left, pair.right) is None
