"""Pairs of every kind, and what is found about them."""

from collections.abc import Callable

import numpy as np
import pytest
from inspection.planted_pair import HEIGHT, WIDTH, planted_pair, texture
from scipy import ndimage

from dpanet.inspection.measure import estimate_order, measure_pair
from dpanet.inspection.verdict import judge
from dpanet.pair import DualPixelPair

GOOD = planted_pair(6.0)
SCENE = texture()


def pair(left: np.ndarray, right: np.ndarray) -> DualPixelPair:
    views = [np.ascontiguousarray(view, np.float32) for view in (left, right)]
    views = [np.repeat(view[..., None], 3, axis=2) if view.ndim == 2 else view for view in views]
    return DualPixelPair(views[0], views[1], "linear")


def right_changed(change: Callable[[np.ndarray], np.ndarray]) -> DualPixelPair:
    return pair(GOOD.left, change(GOOD.right))


def two_cameras() -> DualPixelPair:
    """A scene of sharp surfaces at several distances."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shifts = 7.0 * (columns // 160 % 3)
    return pair(SCENE, ndimage.map_coordinates(SCENE, (rows, columns + shifts), order=1, mode="reflect"))


def noisy(sigma: float) -> DualPixelPair:
    rng = np.random.default_rng(8)
    return pair(*(view + sigma * rng.standard_normal(view.shape) for view in (GOOD.left, GOOD.right)))


CASES = {
    "a good pair": (GOOD, "usable", None),
    "a noisy pair": (noisy(0.02), "usable", None),
    "swapped": (pair(GOOD.right, GOOD.left), "doubtful", "swapped"),
    "the same picture twice": (pair(GOOD.left, GOOD.left), "unusable", "identical"),
    "in focus": (planted_pair(0.0), "doubtful", "in-focus"),
    "flat": (
        pair(*(0.4 + 0.01 * np.random.default_rng(2).standard_normal((2, 200, 300)))),
        "doubtful",
        "flat",
    ),
    "black": (pair(np.zeros((64, 64)), np.zeros((64, 64))), "unusable", "identical"),
    "small": (pair(GOOD.left[:40, :60], GOOD.right[:40, :60]), "doubtful", "small"),
    "another capture": (pair(GOOD.left, planted_pair(6.0, seed=2).right), "unusable", "different"),
    "upside down": (right_changed(lambda view: view[::-1, ::-1]), "unusable", "different"),
    "1 px lower": (right_changed(lambda view: np.roll(view, 1, 0)), "doubtful", "misaligned"),
    "4 px higher": (right_changed(lambda view: np.roll(view, -4, 0)), "unusable", "misaligned"),
    "5 px to the side": (right_changed(lambda view: np.roll(view, 5, 1)), "unusable", "shifted"),
    "turned by half a degree": (
        right_changed(lambda view: ndimage.rotate(view, 0.5, reshape=False, mode="reflect")),
        "unusable",
        "turned",
    ),
    "two cameras": (two_cameras(), "unusable", "two-cameras"),
    "dark right view": (right_changed(lambda view: view * 0.6), "usable", "brightness"),
    "overexposed": (
        pair(np.minimum(GOOD.left + 0.45, 1), np.minimum(GOOD.right + 0.45, 1)),
        "doubtful",
        "clipped",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    views, level, key = CASES[name]
    verdict = judge(measure_pair(views, 65535))
    assert verdict.level == level, verdict.findings
    assert [finding.key for finding in verdict.findings][:1] == ([key] if key else [])


def test_the_quick_estimate_finds_the_order_that_the_whole_measure_finds() -> None:
    for name in ("a good pair", "swapped", "in focus", "flat"):
        views, _, _ = CASES[name]
        assert estimate_order(views).state == measure_pair(views, 65535).order.state, name
    assert estimate_order(CASES["swapped"][0]).state == "swapped"
