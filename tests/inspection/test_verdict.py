"""Pairs of every kind, and what is found about them."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from inspection.planted_pair import HEIGHT, WIDTH, planted_pair, texture
from scipy import ndimage

from dpanet.inspection.circumstances import ORDINARY, Circumstances
from dpanet.inspection.file_facts import ValueFacts
from dpanet.inspection.inspection import Inspection, inspect_pair
from dpanet.inspection.measure import estimate_order, measure_pair
from dpanet.inspection.verdict import Finding, Verdict, is_exchanged, judge
from dpanet.inspection.view_order import ViewOrder
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
    "swapped, by habit": (pair(GOOD.right, GOOD.left), "usable", "swapped"),
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
    "turned by 90 degrees": (pair(np.rot90(GOOD.left), np.rot90(GOOD.right)), "unusable", "quarter-turn"),
    "turned by 270 degrees, swapped": (
        pair(np.rot90(GOOD.right, 3), np.rot90(GOOD.left, 3)),
        "unusable",
        "quarter-turn",
    ),
    "a copy, 3 px lower": (pair(SCENE, np.roll(SCENE, 3, 0)), "unusable", "misaligned"),
    "a blurred copy, 3 px lower": (
        pair(planted_pair(6.0, sharp=0).left, np.roll(planted_pair(6.0, sharp=0).left, 3, 0)),
        "unusable",
        "misaligned",
    ),
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


def inspect(views: DualPixelPair, circumstances: Circumstances = ORDINARY) -> Inspection:
    values = ValueFacts("linear", "nothing", (), "", "", None)
    return inspect_pair((), views, values, 0.0, circumstances=circumstances)


@pytest.mark.parametrize("name", ["another capture", "flat", "small", "turned by 90 degrees", "two cameras"])
def test_the_order_of_what_is_no_pair_cannot_be_decided(name: str) -> None:
    measures = inspect(CASES[name][0]).measures
    assert measures is not None
    assert (measures.order.state, measures.order.by) == ("undecided", "nothing")
    assert math.isnan(measures.order.behind)


def test_swapped_by_brightness_or_kernels_is_doubtful_and_by_habit_usable() -> None:
    measures = measure_pair(GOOD, 65535)
    for by, level in (("measured kernels", "doubtful"), ("camera", "doubtful"), ("habit", "usable")):
        found = judge(replace(measures, order=ViewOrder("swapped", by, 0.0, 0.5)))
        assert (found.level, found.findings[0].key) == (level, "swapped")


def test_an_exchanged_pair_is_one_with_no_other_doubt() -> None:
    swapped, other = (Finding(key, "doubtful", "") for key in ("swapped", "clipped"))
    assert is_exchanged(Verdict("doubtful", (swapped, Finding("brightness", "usable", ""))))
    assert not is_exchanged(Verdict("doubtful", (swapped, other)))
    assert not is_exchanged(Verdict("usable", (Finding("swapped", "usable", ""),)))


def test_sheets_of_the_other_order_are_no_finding() -> None:
    measures = measure_pair(CASES["dark right view"][0], 65535)
    swapped = replace(measures, order=ViewOrder("swapped", "camera", 0.0, 0.5))
    assert [finding.key for finding in judge(swapped, Circumstances(flat_field=True)).findings] == ["swapped"]


def test_white_sheets_are_advised_only_where_they_can_be_given() -> None:
    dark = CASES["dark right view"][0]
    for circumstances, advice in (
        (ORDINARY, "only raw views in two files can be evened out"),
        (Circumstances(sheets_option="--camera pixel-app --flat-field"), "give them with --camera pixel-app"),
        (Circumstances(flat_field=True, sheets_option="--flat-field"), "do not even it out"),
    ):
        (finding,) = inspect(dark, circumstances).verdict.findings
        assert finding.key == "brightness" and advice in finding.sentence
    (finding,) = inspect(GOOD, Circumstances(scale="its white is another")).verdict.findings
    assert (finding.key, finding.level, finding.sentence) == ("scale", "doubtful", "its white is another")


def test_the_quick_estimate_finds_the_order_that_the_whole_measure_finds() -> None:
    for name in ("a good pair", "swapped, by habit", "in focus", "flat"):
        views, _, _ = CASES[name]
        assert estimate_order(views).state == measure_pair(views, 65535).order.state, name
    assert estimate_order(CASES["swapped, by habit"][0]).state == "swapped"
