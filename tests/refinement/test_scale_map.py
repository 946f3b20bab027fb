"""The blur scale of blocks: semi-global matching against plain loops, and its choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from dpanet.refinement import scale_map
from dpanet.refinement.evidence import Evidence
from dpanet.refinement.scale_map import JUMP, STEP, find_scales

SCALES = np.array([-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0], np.float32)


def parabolas(truth: NDArray[np.float64], scales: NDArray[np.float32] = SCALES) -> NDArray[np.float32]:
    """Residuals that are least at the true scale of each block, (scales, rows, columns)."""
    return np.float32(np.square(scales[:, None, None] - truth) + 0.05)


def least_by_trying(costs: NDArray[np.float32], last: int) -> float:
    """The least cost of a line (scales, blocks) that ends at scale `last`, of all lines there are."""
    count, length = costs.shape
    changes = np.abs(np.arange(count)[:, None] - np.arange(count))
    penalty = np.choose(changes.clip(0, 2), (0.0, STEP, JUMP))
    return min(
        sum(costs[scale, i] for i, scale in enumerate((*line, last)))
        + sum(penalty[one, other] for one, other in itertools.pairwise((*line, last)))
        for line in itertools.product(range(count), repeat=length - 1)
    )


def test_a_line_has_the_least_cost_of_all_lines() -> None:
    costs = np.random.default_rng(1).random((4, 5, 1)).astype(np.float32) * 3
    followed = scale_map._follow_line(costs)[:, -1, 0]
    wanted = [least_by_trying(costs[..., 0], last) for last in range(4)]
    # costs before the line's end are counted from their least, so that sums do not grow with the line
    np.testing.assert_allclose(followed - followed.min(), np.array(wanted) - min(wanted), atol=1e-5)


def test_lines_come_from_all_four_sides() -> None:
    """A block that knows its scale tells it to one that does not, wherever that lies."""
    for there in ((0, 4), (8, 4), (4, 0), (4, 8)):
        costs = np.zeros((7, 9, 9), np.float32)
        costs[:, there[0], there[1]] = 50
        costs[5, there[0], there[1]] = 0
        assert scale_map._sum_lines(costs)[:, 4, 4].argmin() == 5


@pytest.mark.parametrize("truth", [-0.7, -0.2, -0.07, 0.0, 0.11, 0.31, 0.7])
def test_a_scale_between_two_that_were_tried_is_found(truth: float) -> None:
    residuals = parabolas(np.full((6, 8), truth))
    found = find_scales(Evidence(residuals, residuals), SCALES)
    assert np.abs(found - truth).max() < 0.03


def test_where_nothing_is_said_a_place_is_in_focus() -> None:
    nothing = np.zeros((7, 6, 8), np.float32)
    assert not find_scales(Evidence(nothing, nothing), SCALES).any()


def test_an_object_keeps_its_border_and_a_wrong_block_is_outvoted() -> None:
    truth, scales = np.full((16, 24), -0.5), np.linspace(-1.2, 1.2, 25, dtype=np.float32)
    truth[:, 12:] = 1.0
    residuals = parabolas(truth, scales)
    residuals[:, 5, 4] = np.square(scales - 0.5) * 0.3 + 0.05  # weak and wrong
    found = find_scales(Evidence(residuals, residuals), scales)
    wrong = np.abs(found - truth)
    assert wrong[:, np.r_[:10, 14:24]].max() < 0.11, "no more than from a scale to the next"
    assert wrong[:, np.r_[:3, 21:24]].max() < 0.06


def test_a_picture_that_is_too_soft_does_not_move_the_scale_between_steps() -> None:
    views, picture = parabolas(np.full((6, 8), 0.31)), parabolas(np.full((6, 8), 0.24))
    found = find_scales(Evidence(views, picture), SCALES)
    assert np.abs(found - 0.31).max() < 0.03
