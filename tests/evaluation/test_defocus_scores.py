import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import spearmanr

from dpanet.errors import ConfigError, PairError, ShapeError
from dpanet.evaluation.defocus_scores import affine_invariant_error, spearman_distance

SCORES = {
    "aiwe1": lambda m, t, w=None: affine_invariant_error(m, t, 1, w),
    "aiwe2": lambda m, t, w=None: affine_invariant_error(m, t, 2, w),
    "spearman": spearman_distance,
}


@pytest.fixture
def maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A map, a truth of few codes that follows it roughly, with outliers, and weights, some 0."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 20, (9, 11)) * 12.0
    map = -0.02 * truth + rng.normal(0, 0.5, truth.shape)
    map[2, 3:6] += 9
    weights = rng.integers(0, 4, truth.shape).astype(float)
    return map, truth, weights


def least_absolute(map: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """The same minimum as a linear programme: variables a, b, and a bound on each residual."""
    x, w = map.ravel(), weights.ravel() / weights.sum()
    inside = truth[weights > 0]
    y = (truth.ravel() - inside.min()) / (inside.max() - inside.min())
    n = x.size
    model = np.stack([x, np.ones(n)], 1)
    bounds = np.block([[model, -np.eye(n)], [-model, -np.eye(n)]])
    solution = linprog(np.r_[0, 0, w], bounds, np.r_[y, -y], bounds=[(None, None)] * 2 + [(0, None)] * n)
    return float(solution.fun)


def test_hand_worked_errors() -> None:
    truth = np.array([[10.0, 10.0, 30.0, 30.0]])  # scaled: 0, 0, 1, 1
    map = np.array([[0.0, 1.0, 0.0, 1.0]])  # without information: gain 0, offset anywhere between and 1/2
    assert affine_invariant_error(map, truth, 1) == pytest.approx(0.5)
    assert affine_invariant_error(map, truth, 2) == pytest.approx(0.5)
    truth = np.array([[0.0, 1.0, 2.0, 10.0]])
    map = np.array([[0.0, 1.0, 2.0, 3.0]])  # L1 passes through the first three: 7 / 10 is left in one of four
    assert affine_invariant_error(map, truth, 1) == pytest.approx(0.7 / 4)
    # least squares: slope 3.1, means 1.5 and 3.25, residuals 1.4, -.7, -2.8, 2.1 of a range of 10
    assert affine_invariant_error(map, truth, 2) == pytest.approx(
        math.sqrt((1.96 + 0.49 + 7.84 + 4.41) / 4) / 10
    )


def test_hand_worked_ranks() -> None:
    assert spearman_distance(np.array([[1.0, 2, 3]]), np.array([[1.0, 9, 3]])) == pytest.approx(0.5)
    # ranks 1.5 1.5 3 against 1 2 3: covariance 3 / 2 over sqrt(3 / 2 * 2)
    tied = spearman_distance(np.array([[5.0, 5, 7]]), np.array([[1.0, 2, 3]]))
    assert tied == pytest.approx(1 - math.sqrt(3) / 2)


def test_against_independent_solvers(maps) -> None:
    map, truth, weights = maps
    for w in (np.ones_like(truth), weights):
        expected = least_absolute(map, truth, w)
        assert affine_invariant_error(map, truth, 1, w) == pytest.approx(expected, abs=1e-6)
    inside = weights > 0
    x, y, w = map[inside], truth[inside], weights[inside]
    y = (y - y.min()) / np.ptp(y)
    a, b = np.polyfit(x, y, 1, w=np.sqrt(w))
    assert affine_invariant_error(map, truth, 2, weights) == pytest.approx(
        math.sqrt(np.average((y - a * x - b) ** 2, weights=w)), rel=1e-9
    )
    assert spearman_distance(map, truth) == pytest.approx(1 - abs(spearmanr(map, truth, axis=None)[0]))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("gain", "offset"), [(1e-6, 0), (-1, 0), (37, -1e4), (-1e5, 3)])
def test_gain_sign_and_offset_of_map_and_truth_change_nothing(maps, score, gain, offset) -> None:
    map, truth, weights = maps
    plain = SCORES[score](map, truth, weights)
    assert 0.01 < plain < 0.9
    assert SCORES[score](gain * map + offset, truth, weights) == pytest.approx(plain, abs=1e-7)
    assert SCORES[score](map, gain * truth + offset, weights) == pytest.approx(plain, abs=1e-7)
    assert SCORES[score](gain * truth + offset, truth, weights) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("score", SCORES)
def test_pixels_of_no_weight_do_not_count(maps, score) -> None:
    map, truth, weights = maps
    plain = SCORES[score](map, truth, weights)
    if score != "spearman":
        assert SCORES[score](map, truth, 3 * weights) == pytest.approx(plain)
    assert SCORES[score](map, truth) != pytest.approx(plain, abs=1e-4)
    map, truth = map.copy(), truth.copy()
    map[weights == 0], truth[weights == 0] = 1e3, -1e3
    assert SCORES[score](map, truth, weights) == pytest.approx(plain)


def test_a_flat_map_leaves_the_spread_of_the_truth(maps) -> None:
    _, truth, _ = maps
    scaled = (truth - truth.min()) / np.ptp(truth)
    for level in (0.0, 0.1, -1e6):
        flat = np.full_like(truth, level)
        assert affine_invariant_error(flat, truth, 1) == pytest.approx(
            np.abs(scaled - np.median(scaled)).mean(), abs=1e-9
        )
        assert affine_invariant_error(flat, truth, 2) == pytest.approx(scaled.std(), abs=1e-9)
        assert spearman_distance(flat, truth) == 1


@pytest.mark.parametrize("score", SCORES)
def test_what_has_no_score_is_refused(maps, score) -> None:
    map, truth, weights = maps
    for place in range(3):
        broken = [map.copy(), truth.copy(), weights.copy()]
        broken[place][4, 5] = np.nan
        with pytest.raises(PairError, match=r"NaN or infinity"):
            SCORES[score](*broken)
    with pytest.raises(ShapeError, match=r"\(9, 10\)"):
        SCORES[score](map[:, 1:], truth)
    with pytest.raises(ShapeError, match=r"weights \(8, 11\)"):
        SCORES[score](map, truth, weights[1:])
    with pytest.raises(PairError, match="the truth is flat"):
        SCORES[score](map, np.ones_like(truth))
    for useless in (-weights, 0 * weights):
        with pytest.raises(PairError, match="negative or all 0"):
            SCORES[score](map, truth, useless)


def test_only_two_powers_are_defined(maps) -> None:
    with pytest.raises(ConfigError, match="power is 3"):
        affine_invariant_error(maps[0], maps[1], 3)
