"""Averaging over mirror images: what a pair's symmetries promise must hold of the picture."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair

RNG = np.random.default_rng(4)


class Lopsided(nn.Module):
    """Treats left and right, up and down differently."""

    description = Description(multiple_of=2, halo=2)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.conv = nn.Conv2d(6, 3, 3, padding=1)
        self.calls = 0

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        self.calls += 1
        result: Tensor = self.conv(torch.cat([left, right], dim=1)) ** 2
        return result


def pair() -> DualPixelPair:
    return DualPixelPair(*RNG.random((2, 32, 48, 3)).astype(np.float32))


def sideways(given: DualPixelPair) -> DualPixelPair:
    return DualPixelPair(
        np.ascontiguousarray(given.right[:, ::-1]), np.ascontiguousarray(given.left[:, ::-1])
    )


def upside_down(given: DualPixelPair) -> DualPixelPair:
    return DualPixelPair(np.ascontiguousarray(given.left[::-1]), np.ascontiguousarray(given.right[::-1]))


@pytest.mark.parametrize(("tta", "holds"), [(1, (False, False)), (2, (True, False)), (4, (True, True))])
def test_the_average_keeps_the_symmetries_of_a_pair(tta: int, holds: tuple[bool, bool]) -> None:
    network = Lopsided()
    apply = Deblurrer(network, device="cpu", precision="float32", tta=tta)
    given = pair()
    straight = apply(given).pixels
    assert network.calls == tta
    mirrored = apply(sideways(given)).pixels[:, ::-1], apply(upside_down(given)).pixels[::-1]
    same = tuple(bool(np.allclose(straight, other, atol=1e-6)) for other in mirrored)
    assert same == holds


def test_other_numbers_of_passes_are_refused() -> None:
    with pytest.raises(ConfigError, match="tta is 3; a pair has 1, 2 or 4"):
        Deblurrer(Lopsided(), tta=3)


def test_unless_told_otherwise_the_network_decides() -> None:
    network = Lopsided()
    network.description = Description(multiple_of=2, halo=2, tta=4)
    Deblurrer(network, device="cpu")(pair())
    assert network.calls == 4
