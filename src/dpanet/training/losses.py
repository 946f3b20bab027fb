"""Training losses, on display values (1.0 is white)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.recording.display import to_linear
from dpanet.training.config import LossConfig


def charbonnier(output: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Return the mean of sqrt(difference**2 + epsilon**2), a scalar. Source: Charbonnier et al., 1994."""
    return torch.sqrt((output - truth) ** 2 + epsilon**2).mean()


def rms(output: Tensor, truth: Tensor) -> Tensor:
    """Return the root mean square error of each picture, (B, C, H, W), averaged over pictures; a scalar.

    The root keeps one picture with a large error from dominating the step.
    """
    return torch.sqrt(((output - truth) ** 2).mean((1, 2, 3)) + 1e-6).mean()


def frequency(output: Tensor, truth: Tensor) -> Tensor:
    """Return the mean modulus of the spectrum of the difference, with a unitary Fourier transform; a scalar.

    White noise of standard deviation s gives about 0.89 s, whatever the size.

    Source:
        after Cho et al., ICCV 2021 (MIMO-UNet), who sum real and imaginary parts.
    """
    spectrum: Tensor = torch.fft.rfft2(output - truth, norm="ortho")
    return spectrum.abs().mean()


def compute_loss(outputs: Sequence[Tensor], truth: Tensor, config: LossConfig) -> tuple[Tensor, Tensor]:
    """Return the loss to minimize, and the part of it to log: that of the largest output, without `frequency`.

    Args:
        outputs: (B, 3, h, w) each, largest first. Each smaller one is compared with the truth averaged down.
        truth: (B, 3, H, W), of the size of the first output.
        config: weights of the terms.
    """
    losses = [_distance(output.float(), _shrink(truth, output), config) for output in outputs]
    total = losses[0] + config.coarse * sum(losses[1:])
    if config.frequency:
        total = total + config.frequency * frequency(outputs[0].float(), truth)
    return total, losses[0]


def _distance(output: Tensor, truth: Tensor, config: LossConfig) -> Tensor:
    use_mse = config.kind == "mse"
    distance = F.mse_loss(output, truth) if use_mse else charbonnier(output, truth, config.epsilon)
    if config.rms:
        distance = distance + config.rms * rms(output, truth)
    if config.linear_rms:
        distance = distance + config.linear_rms * rms(to_linear(output), to_linear(truth))
    return distance


def _shrink(truth: Tensor, output: Tensor) -> Tensor:
    factor = truth.shape[-1] // output.shape[-1]
    return truth if factor == 1 else F.avg_pool2d(truth, factor)
