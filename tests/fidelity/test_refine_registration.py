from typing import Any

import numpy as np
import pytest
from evaluation.conftest import scene as scene  # a texture drawn by a formula

from dpanet.fidelity.refine_registration import refine_warp, warp_truth


def test_the_common_map_is_fitted_in_spite_of_windows_that_lie_elsewhere() -> None:
    rng = np.random.default_rng(1)
    correction = np.array([[0.004, -0.001, -2.5], [0.002, 0.003, 1.0]])
    centers = [(x, y) for x in range(80, 1300, 170) for y in range(80, 1000, 170)]
    shifts = [correction @ [x, y, 1] + rng.normal(0, 0.02, 2) for x, y in centers]
    for i in range(0, len(shifts), 6):
        shifts[i] = shifts[i] + rng.uniform(2, 6, 2)
    start = np.array([[1.001, 0, 0.5], [0, 0.999, -1]])
    refined = refine_warp(start, centers, shifts, [np.eye(2) * (1 + i % 5) for i in range(len(centers))])
    x, y = 700.0, 300.0
    expected = start @ [*(np.array([x, y]) - correction @ [x, y, 1]), 1]
    assert refined @ [x, y, 1] == pytest.approx(expected, abs=0.1)


def test_few_windows_and_windows_in_one_place_change_nothing() -> None:
    start = np.eye(2, 3)
    five = [(float(x), float(x * x)) for x in range(5)]
    assert refine_warp(start, five, [(1, 1)] * 5, [np.eye(2)] * 5) is start
    assert refine_warp(start, [(1, 1)] * 9, [(1, 1)] * 9, [np.eye(2)] * 9) is start


def test_the_truth_is_warped_to_where_the_map_points(scene: Any) -> None:
    warp = np.array([[1.01, 0.002, 1.5], [-0.001, 0.99, -0.75]])
    warped = warp_truth(scene()[..., 0], warp, 8)
    assert np.abs(warped[24:-24, 24:-24] - scene(warp)[16:-16, 16:-16, 0]).max() < 0.01
