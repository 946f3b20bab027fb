import numpy as np
import pytest
import torch
from deconvolution.planted_blur import places, slanted_lens

from dpanet.deconvolution.blur_families import (
    ButterworthFamily,
    KernelFamily,
    MeasuredFamily,
    NoBlur,
    RampedDiscFamily,
)
from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.measured_kernels import MeasuredKernels

FAMILIES = [NoBlur(), RampedDiscFamily(), ButterworthFamily(), MeasuredFamily(slanted_lens((2, 3)))]


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
