"""A lens changed by polynomials: what the coefficients do, by centroids and spreads computed here."""

import numpy as np
import pytest

from dpanet.lenses.adjusted_lens import REACH, AdjustedLens, draw_polynomials, place_terms
from dpanet.lenses.lens import SIZE, Lens
from dpanet.lenses.pixel4 import Pixel4
from dpanet.lenses.ramped_lens import RampedLens

LINE = np.arange(SIZE) - SIZE // 2


def change(view: int, polynomial: int, term: int, value: float) -> AdjustedLens:
    lens = AdjustedLens(RampedLens(0.5))
    coefficients = lens.coefficients.copy()
    coefficients[view, polynomial, term] = value
    return AdjustedLens(RampedLens(0.5), coefficients)


def test_without_coefficients_it_is_its_base() -> None:
    lens: Lens = AdjustedLens(Pixel4())
    expected = Pixel4().kernels(0.2, 0.9, [-0.7, 0.0, 1.2])
    np.testing.assert_allclose(lens.kernels(0.2, 0.9, [-0.7, 0.0, 1.2]), expected, atol=1e-8)
    assert lens.max_scale == Pixel4().max_scale and "pixel4" in lens.name


def test_polynomials_add_no_light_and_differ() -> None:
    polynomials = draw_polynomials(15.0)
    assert len(polynomials) == 14  # of degrees 1 to 4: 2 + 3 + 4 + 5
    np.testing.assert_allclose(polynomials.sum((1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(polynomials).sum((1, 2)), 1)
    flat = polynomials.reshape(14, -1)
    assert np.linalg.matrix_rank(flat / np.linalg.norm(flat, axis=1, keepdims=True)) == 14


@pytest.mark.parametrize(("polynomial", "axis"), [(0, "x"), (1, "y")])
def test_the_first_ones_are_ramps_that_move_one_view(polynomial: int, axis: str) -> None:
    scale, value = 0.8, 0.3
    left, right = change(0, polynomial, 0, value).kernels(0.5, 0.5, [scale])[0].astype(float)
    np.testing.assert_array_equal(right, RampedLens(0.5).kernels(0.5, 0.5, [scale])[0, 1])
    line = np.linspace(-20, 20, 1601)
    y, x = np.meshgrid(line, line, indexing="ij")
    radius, reach = scale * 15, scale * 15 * REACH
    base = (np.hypot(x, y) <= radius) * (1 - 0.5 * x / radius) / (np.pi * radius**2)
    ramp = (np.hypot(x, y) <= reach) * (x if axis == "x" else y) / (4 / 3 * reach**3)  # integral of |x|
    light = (base + value * ramp).clip(0)
    expected = (light * x).sum() / light.sum(), (light * y).sum() / light.sum()
    np.testing.assert_allclose((left.sum(0) @ LINE, left.sum(1) @ LINE), expected, atol=0.15)  # of 1.8 px


def test_a_term_of_the_place_changes_the_field() -> None:
    lens = change(1, 0, 1, 0.3)  # the right view, ramp along x, times x of the field
    left_side, middle, right_side = (
        float(lens.kernels(0.5, x, [1.0])[0, 1].sum(0) @ LINE) for x in (0.1, 0.5, 0.9)
    )
    assert left_side + 1 < middle < right_side - 1
    assert middle == pytest.approx(RampedLens(0.5).kernels(0, 0, [1.0])[0, 1].sum(0) @ LINE)
    np.testing.assert_allclose(place_terms(1.0, 0.0), [1, -1, 1, 1, -1, 1])


def test_kernels_are_light_that_sums_to_one_and_turn_with_the_sign_of_the_scale() -> None:
    lens = change(0, 5, 0, 0.9)
    front, behind = lens.kernels(0.3, 0.8, [0.9, -0.9])
    assert front.min() >= 0
    np.testing.assert_allclose(front.sum((-1, -2)), 1, atol=1e-6)
    np.testing.assert_allclose(front, behind[:, ::-1, ::-1], atol=1e-8)
