"""What a model takes from nearly sharp pairs: nothing if it returns the mean of the views, much if it adds halos."""

import numpy as np
import pytest
import torch

from benchmarks import nearly_sharp
from dpanet.lenses.pixel4 import Pixel4
from dpanet.pair import Pixels
from dpanet.simulation.render import MARGIN


@pytest.fixture
def sharp(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    monkeypatch.setattr(nearly_sharp, "SIDE", 64)
    generator = torch.Generator().manual_seed(1)
    large, small = (
        torch.rand(3, side, side + 10, generator=generator) * 255 for side in (64 + 2 * MARGIN, 80)
    )
    return nearly_sharp.cut_middles([large, small])


def test_the_mean_loses_nothing_and_halos_lose_much(sharp: list[torch.Tensor]) -> None:
    assert [tuple(one.shape) for one in sharp] == [(3, 64 + 2 * MARGIN, 64 + 2 * MARGIN)], (
        "the other is too small"
    )
    pairs = nearly_sharp.simulate_pairs(sharp, nearly_sharp.OnePlace(Pixel4()), 0.05)

    def mean(left: Pixels, right: Pixels) -> Pixels:
        return (left + right) * np.float32(0.5)

    def halo(left: Pixels, right: Pixels) -> Pixels:
        both = mean(left, right)
        return both + (both - np.roll(both, 1, axis=0)) * np.float32(1.5)

    before, lost = nearly_sharp.measure_losses(mean, sharp, pairs)
    assert lost == [0] and before[0] > 20
    before, lost = nearly_sharp.measure_losses(halo, sharp, pairs)
    truth = sharp[0][:, MARGIN:-MARGIN, MARGIN:-MARGIN].permute(1, 2, 0).numpy()
    error = np.square(halo(*pairs[0]).clip(0, 1).astype(np.float64) - truth).mean()
    assert lost[0] == pytest.approx(before[0] + 10 * np.log10(error), abs=1e-3) and lost[0] > 1


def test_less_blur_leaves_less_error(sharp: list[torch.Tensor]) -> None:
    lens = nearly_sharp.OnePlace(Pixel4())
    psnrs = [
        nearly_sharp.measure_losses(
            lambda left, right: left, sharp, nearly_sharp.simulate_pairs(sharp, lens, s)
        )[0]
        for s in nearly_sharp.SCALES
    ]
    assert psnrs == sorted(psnrs, reverse=True)
    np.testing.assert_array_equal(lens.kernels(0, 0, [0.1]), lens.kernels(1, 1, [0.1]))
