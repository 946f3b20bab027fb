import numpy as np
import pytest
import torch
from deconvolution.planted_blur import places, slanted_lens

from dpanet.deconvolution.blur_families import (
    ButterworthFamily,
    GaussianFamily,
    HalvedDiscFamily,
    KernelFamily,
    MeasuredFamily,
    NoBlur,
    RampedDiscFamily,
)
from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.measured_kernels import MeasuredKernels

FAMILIES = [
    NoBlur(),
    GaussianFamily(),
    HalvedDiscFamily(),
    ButterworthFamily(),
    RampedDiscFamily(),
    MeasuredFamily(slanted_lens((2, 3))),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_kernels_and_weights_sum_to_one(family: KernelFamily) -> None:
    for shape in (0, len(family.shapes) - 1):
        scales = [family.scales[0], 0.0, family.scales[-1]]
        kernels = family.kernels((0.5, 0.5), scales, shape)
        assert kernels.shape == (3, 2, SIZE, SIZE)
        torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(3, 2))
    weights = [weight for _, weight in family.regions(places(8), places(12))]
    torch.testing.assert_close(torch.stack(weights).sum(0), torch.ones(8, 12))


def test_a_measured_family_needs_a_known_grid() -> None:
    kernels = np.ones((5, 3, 3))
    with pytest.raises(ConfigError, match="5 kernel pairs"):
        MeasuredFamily(MeasuredKernels(kernels, kernels))


@pytest.mark.parametrize("radius", [9.0, -14.0])
def test_a_ramp_moves_the_centroid_by_a_quarter_of_slope_times_radius(radius: float) -> None:
    """Integral of x (1 - a x / r) over the disc: -a r / 4; the Gaussian of equal slope moves as far, and as wide."""
    x = (torch.arange(SIZE) - SIZE // 2).float()
    ramped, gaussian = RampedDiscFamily(), GaussianFamily()
    for family in (ramped, gaussian):
        shape = next(
            i for i, s in enumerate(family.shapes) if s["slope"] == pytest.approx(0.6) and not s.get("rim", 0)
        )
        left, right = family.kernels((0.5, 0.5), [radius], shape)[0]
        assert float((left * x).sum()) == pytest.approx(-0.6 * radius / 4, abs=0.02)
        assert float((right * x).sum()) == pytest.approx(0.6 * radius / 4, abs=0.02)
        y_variance = float((left * x[:, None] ** 2).sum())
        assert y_variance == pytest.approx(radius**2 / 4, rel=0.02)


def test_a_halved_disc_is_dark_on_the_other_side() -> None:
    left, right = HalvedDiscFamily().kernels((0.5, 0.5), [12.0], 0)[0]
    middle = SIZE // 2
    assert float(left[:, middle + 1 :].sum()) < 0.01 and float(right[:, :middle].sum()) < 0.01
