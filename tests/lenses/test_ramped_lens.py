"""A disc under a ramp: against the simulator's, which is written apart, and by its centroids."""

import numpy as np
import pytest

from dpanet.errors import ConfigError
from dpanet.lenses.lens import SIZE, Lens, blur_radius
from dpanet.lenses.ramped_lens import RADIUS, RampedLens
from dpanet.simulation.kernels import RampedDisc, ramped_disc

LINE = np.arange(SIZE) - SIZE // 2


@pytest.mark.parametrize("slope", [0.4, 0.9, 2.5])
@pytest.mark.parametrize("scale", [0.5, -0.8, 1.3])
def test_kernels_are_those_of_the_simulator(slope: float, scale: float) -> None:
    kernels = RampedLens(slope).kernels(0.2, 0.7, [scale])
    expected = ramped_disc([RampedDisc(scale * RADIUS, softness=1 / slope)]).numpy()
    assert np.abs(kernels - expected).sum((-1, -2)).max() < 0.06  # of 1: the borders are drawn unlike
    turned = ramped_disc([RampedDisc(-scale * RADIUS, softness=1 / slope)]).numpy()
    assert np.abs(kernels - turned).sum((-1, -2)).min() > 0.15


@pytest.mark.parametrize("slope", [0.3, 0.8])
def test_views_lie_as_far_apart_as_the_ramp_says(slope: float) -> None:
    left, right = RampedLens(slope).kernels(0.5, 0.5, [1.0])[0].sum(1) @ LINE
    assert left == pytest.approx(-slope * RADIUS / 4, rel=0.02)  # mean of x (1 - a x / r) over a disc
    assert right == pytest.approx(slope * RADIUS / 4, rel=0.02)


def test_it_is_a_lens_of_the_radius_that_it_states() -> None:
    lens: Lens = RampedLens(0.7)
    assert blur_radius(lens) == pytest.approx(RADIUS, rel=0.02)
    assert lens.max_scale > 1.6 and "0.70" in lens.name
    assert lens.kernels(0, 0, [0.0])[0, :, SIZE // 2, SIZE // 2] == pytest.approx(1)
    with pytest.raises(ConfigError, match="scale"):
        lens.kernels(0.5, 0.5, [lens.max_scale * 1.01])
