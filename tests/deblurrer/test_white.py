"""The white of a linear pair: the maximum of an ordinary one, whatever single pixels are broken."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dpanet.deblurrer.white import find_white

RNG = np.random.default_rng(5)


def smooth(height: int = 60, width: int = 80, top: float = 0.7) -> np.ndarray[Any, Any]:
    """A picture of soft waves with some noise, whose largest value is `top`."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = 1.2 + np.sin(x / 9) + 0.2 * np.sin(y / 5)
    view = (waves[..., None] * np.array([1, 0.8, 0.5]) + RNG.normal(0, 0.02, (height, width, 3))).clip(0)
    return (view / view.max() * top).astype(np.float32)


DEFECTS: dict[str, Callable[[np.ndarray[Any, Any], float], None]] = {
    "a pixel": lambda view, hot: view.__setitem__((30, 40), hot),
    "a pixel of one channel": lambda view, hot: view.__setitem__((30, 40, 2), hot),
    "the corner": lambda view, hot: view.__setitem__((0, 0), hot),
    "a few pixels": lambda view, hot: view.__setitem__(([3, 20, 21, 40], [70, 9, 10, 40]), hot),
    "a spot": lambda view, hot: view.__setitem__((slice(20, 25), slice(30, 35)), hot),
    "a spot in the corner": lambda view, hot: view.__setitem__((slice(-5, None), slice(-5, None)), hot),
    "a column": lambda view, hot: view.__setitem__((slice(None), 17), hot),
    "two columns at the edge": lambda view, hot: view.__setitem__((slice(None), slice(-2, None)), hot),
    "a row": lambda view, hot: view.__setitem__(59, hot),
}


@pytest.mark.parametrize("hot", [5.0, 65504.0, 3e38])
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_leaves_the_white_where_it_was(defect: str, hot: float) -> None:
    views = smooth(), smooth(top=0.6)
    before = find_white(views)
    assert before == pytest.approx(0.7)
    for view in views:
        DEFECTS[defect](view, hot)
    assert find_white(views) == pytest.approx(before, rel=0.02)


@pytest.mark.parametrize(
    "view",
    [
        smooth(),
        np.full((16, 16, 3), 0.7, np.float32),
        np.where(RNG.random((60, 80, 1)) < 0.4, np.float32(0.7), np.float32(0.01)).repeat(3, axis=2),
        (RNG.integers(1, 8, (40, 56, 3)) / np.float32(10)).astype(np.float32),
        np.kron(RNG.random((8, 8, 3)) > 0.8, np.ones((8, 8, 1))).astype(np.float32) * np.float32(0.7),
    ],
    ids=["smooth", "flat", "fine contrast", "noise", "squares"],
)
@pytest.mark.parametrize("scale", [1e-30, 1.0, 65535.0])
def test_the_white_of_an_ordinary_pair_is_its_maximum(view: np.ndarray[Any, Any], scale: float) -> None:
    scaled = view * np.float32(scale)
    assert find_white([scaled * np.float32(0.5), scaled]) == float(scaled.max())


def test_the_white_follows_a_growing_pixel_without_a_jump() -> None:
    flat = np.full((40, 40, 3), 0.5, np.float32)
    whites = []
    sizes = np.linspace(0.4, 3, 201, dtype=np.float32)
    for size in sizes:
        flat[20, 20] = size
        whites.append(find_white([flat]))
    assert max(whites) == pytest.approx(1.0, rel=0.02), "twice its surroundings counts in full"
    assert whites[0] == whites[-1] == 0.5
    assert np.abs(np.diff(whites)).max() <= np.diff(sizes).max() * 1.01


def test_lights_of_any_size_lie_above_white() -> None:
    whites, lights = [], np.geomspace(0.5, 1000, 101)
    for light in lights:
        view = np.full((200, 200, 3), 0.5, np.float32)
        view[100:120, 100:120] = light
        whites.append(find_white([view]))
    assert whites[0] == 0.5
    assert max(whites) == pytest.approx(3.0, rel=0.08), "six times the rest counts in full"
    assert whites[-1] == 0.625
    assert np.abs(np.diff(np.log(whites))).max() <= np.diff(np.log(lights)).max() * 1.01


@pytest.mark.parametrize(
    ("view", "white"),
    [
        (np.zeros((16, 16, 3), np.float32), 1.0),
        (np.full((16, 16, 3), -0.3, np.float32), 1.0),
        (np.full((16, 16, 3), 1e-42, np.float32), 1.0),
        (np.full((16, 16, 3), 1e-37, np.float32), float(np.float32(1e-37))),
    ],
    ids=["black", "negative", "denormal", "dim"],
)
def test_without_light_the_white_is_one(view: np.ndarray[Any, Any], white: float) -> None:
    assert find_white([view, view]) == white
    view = view.copy()
    view[8, 8] = 1e4
    assert find_white([view, view]) == white, "nor do broken pixels make light"
