import numpy as np
import pytest
import torch

from dpanet.training.config import LossConfig
from dpanet.training.losses import charbonnier, compute_loss, frequency, rms


def test_charbonnier_by_hand() -> None:
    output, truth = torch.tensor([0.0, 0.3]), torch.tensor([0.0, 0.7])
    assert float(charbonnier(output, truth, 0.3)) == pytest.approx((0.3 + 0.5) / 2)


@pytest.mark.parametrize("shape", [(2, 3, 6, 7), (1, 3, 8, 8)])
def test_frequency_by_the_definition_of_the_transform(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    output, truth = (rng.random(shape) for _ in range(2))
    height, width = shape[-2:]
    y, x = (
        np.exp(-2j * np.pi * np.outer(range(height), range(height)) / height),
        np.exp(-2j * np.pi * np.outer(range(width), range(width)) / width),
    )
    spectrum = np.einsum("ij,bcjk,kl->bcil", y, output - truth, x) / np.sqrt(height * width)
    expected = np.abs(spectrum[..., : width // 2 + 1]).mean()  # the other half mirrors it
    assert float(frequency(torch.from_numpy(output), torch.from_numpy(truth))) == pytest.approx(expected)


def test_frequency_of_white_noise() -> None:
    noise = torch.from_numpy(np.random.default_rng(2).normal(0, 0.1, (1, 3, 64, 64)))
    assert float(frequency(noise, torch.zeros_like(noise))) == pytest.approx(
        0.0886, rel=0.02
    )  # Rayleigh's mean


def test_rms_is_of_each_picture_and_weighs_bright_places_in_linear_light() -> None:
    truth = torch.zeros(2, 3, 4, 4)
    output = truth.clone()
    output[0] += 0.1
    output[1, :, :2] += 0.4  # half of the pixels: 0.4 * sqrt(1/2)
    assert float(rms(output, truth)) == pytest.approx((0.1 + 0.4 * 0.5**0.5) / 2, rel=1e-4)
    config = LossConfig("mse", rms=1.0)
    whole, _ = compute_loss([output], truth, config)
    plain, _ = compute_loss([output], truth, LossConfig("mse"))
    assert float(whole - plain) == pytest.approx(float(rms(output, truth)))

    def linear_part(light: float) -> float:
        truth = torch.full((1, 3, 4, 4), light)
        more, _ = compute_loss([truth + 0.05], truth, LossConfig("mse", linear_rms=1.0))
        return float(more) - 0.05**2

    assert linear_part(0.8) > 4 * linear_part(0.2)
    # The sRGB curve by hand at 0.8 and 0.85.
    assert linear_part(0.8) == pytest.approx(
        ((0.85 + 0.055) / 1.055) ** 2.4 - ((0.8 + 0.055) / 1.055) ** 2.4, rel=1e-3
    )


def test_smaller_pictures_are_judged_against_the_shrunk_truth() -> None:
    truth = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
    fine, coarse = truth + 0.1, torch.tensor([[2.5, 4.5], [10.5, 12.5]])[None, None] / 16 + 0.2
    config = LossConfig("mse", coarse=0.5)
    whole, finest = compute_loss([fine, coarse], truth, config)
    assert (float(whole), float(finest)) == pytest.approx((0.01 + 0.5 * 0.04, 0.01))
    more, _ = compute_loss([fine, coarse], truth, LossConfig("mse", coarse=0.5, frequency=2.0))
    assert float(more - whole) == pytest.approx(2 * float(frequency(fine, truth)))
