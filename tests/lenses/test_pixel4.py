"""The Pixel 4 without files: laws of its kernels, and facts of the measured ones."""

import numpy as np
import pytest

from dpanet.errors import ConfigError
from dpanet.lenses.field_model import FieldModel
from dpanet.lenses.lens import SIZE, Lens
from dpanet.lenses.pixel4 import Pixel4
from dpanet.lenses.pixel4_parameters import PIXEL4
from dpanet.simulation.measured_kernels import MeasuredKernels

LINE = np.arange(SIZE) - SIZE // 2
PLACES = [(0.5, 0.5), (0.08, 0.06), (0.92, 0.06), (0.5, 0.94), (0.0, 1.0)]


@pytest.mark.parametrize("place", PLACES)
def test_kernels_are_light_that_sums_to_one_around_the_middle(place: tuple[float, float]) -> None:
    lens: Lens = Pixel4()
    kernels = lens.kernels(*place, [-1.6, -0.5, 0.0, 0.7, 1.0, lens.max_scale]).astype(np.float64)
    assert kernels.min() >= 0
    np.testing.assert_allclose(kernels.sum((-1, -2)), 1, atol=1e-5)
    assert abs((kernels.sum(-2) @ LINE).mean(1)).max() < 0.01
    assert abs((kernels.sum(-1) @ LINE).mean(1)).max() < 0.01


def test_a_negative_scale_turns_both_views_by_half_a_turn() -> None:
    front, behind = Pixel4().kernels(0.3, 0.8, [1.1, -1.1])
    np.testing.assert_allclose(front, behind[:, ::-1, ::-1], atol=1e-8)


def test_in_focus_a_point_stays_a_point() -> None:
    assert Pixel4().kernels(0.3, 0.8, [0.0])[0, :, SIZE // 2, SIZE // 2] == pytest.approx(1)


@pytest.mark.parametrize("place", [(0.5, 0.9), (0.1, 0.2), (0.8, 0.6)])
def test_the_right_view_is_the_left_one_seen_in_a_mirror(place: tuple[float, float]) -> None:
    """True of the model about its axes, here moved to the middle of the field."""
    lens = FieldModel(
        PIXEL4.size, (0, 0), (0, 0), PIXEL4.softness, PIXEL4.outline, PIXEL4.brightness, PIXEL4.division
    )
    line = np.arange(-20, 21.0)
    down, right = np.meshgrid(line, line, indexing="ij")
    y, x = place
    here, mirrored, upended = lens.pairs(
        np.array([y, y, 1 - y]), np.array([x, 1 - x, x]), down[None], right[None]
    )
    np.testing.assert_allclose(here, mirrored[::-1, :, ::-1], atol=1e-12)
    np.testing.assert_allclose(here, upended[:, ::-1], atol=1e-12)


MEASURED = {
    (0, 0): (5.13, 6.37, 5.57, 6.44, 6.19),
    (0, 3): (5.36, 5.05, 4.86, 6.49, 6.39),
    (0, 7): (4.93, 5.60, 6.37, 5.86, 6.30),
    (2, 0): (5.31, 6.79, 5.82, 6.33, 6.03),
    (2, 4): (5.21, 4.77, 4.84, 5.63, 5.71),
    (2, 7): (5.15, 5.80, 6.82, 5.65, 6.05),
    (3, 7): (5.16, 5.82, 6.87, 5.70, 6.07),
    (5, 0): (5.39, 6.57, 5.87, 6.65, 6.39),
    (5, 4): (5.55, 5.15, 5.18, 6.49, 6.51),
    (5, 7): (5.18, 5.85, 6.63, 6.10, 6.47),
}
"""Of the measured kernels in cells (row, column) of the 6 x 8, within 20 px of the middle: px from the left centroid
to the right one along x, and standard deviations in px of left and right along x, then of both along y."""


@pytest.mark.parametrize(("cell", "facts"), list(MEASURED.items()))
def test_disparity_and_widths_are_those_that_were_measured(
    cell: tuple[int, int], facts: tuple[float, ...]
) -> None:
    row, column = cell
    pair = Pixel4().kernels((row + 0.5) / 6, (column + 0.5) / 8, [1.0])[0].astype(np.float64)
    pair *= LINE**2 + LINE[:, None] ** 2 < 20**2
    across, down = (profile / profile.sum(1, keepdims=True) for profile in (pair.sum(1), pair.sum(2)))
    x, y = across @ LINE, down @ LINE
    widths = (*np.sqrt(across @ LINE**2 - x**2), *np.sqrt(down @ LINE**2 - y**2))
    assert (x[1] - x[0], *widths) == pytest.approx(facts, abs=0.6)


@pytest.mark.parametrize("cell", [0, 20, 47])
def test_the_simulator_blurs_with_the_same_kernels(cell: int) -> None:
    row, column = divmod(cell, 8)
    scales = [-1.2, 0.0, 0.4, 1.0]
    simulated = MeasuredKernels.of_pixel4().at([cell] * len(scales), scales).numpy()
    np.testing.assert_allclose(
        Pixel4().kernels((row + 0.5) / 6, (column + 0.5) / 8, scales), simulated, rtol=0, atol=1e-6
    )


def test_a_scale_beyond_the_frame_is_refused() -> None:
    with pytest.raises(ConfigError, match="of this lens no more than 2"):
        Pixel4().kernels(0.5, 0.5, [2.1])
