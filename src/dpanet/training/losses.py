"""How far a picture is from its truth, as training judges it: on display values, 1.0 = white."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.simulation.display import to_linear
from dpanet.training.config import LossConfig


def charbonnier(output: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Mean of sqrt(difference**2 + epsilon**2). Source: Charbonnier et al., 1994."""
    return torch.sqrt((output - truth) ** 2 + epsilon**2).mean()


def rms(output: Tensor, truth: Tensor) -> Tensor:
    """Root of the mean square error of each picture (B, C, H, W), averaged over pictures.

    The root keeps a picture that is far from its truth from deciding the step alone.
    """
    return torch.sqrt(((output - truth) ** 2).mean((1, 2, 3)) + 1e-6).mean()


def frequency(output: Tensor, truth: Tensor) -> Tensor:
    """Mean modulus of the difference's spectrum, each picture's Fourier transform being unitary.

    Returns: for white noise of standard deviation s, about 0.89 s, whatever the size.
    Source:  after Cho et al., ICCV 2021 (MIMO-UNet), who sum real and imaginary parts.
    """
    spectrum: Tensor = torch.fft.rfft2(output - truth, norm="ortho")
    return spectrum.abs().mean()


def judge(pictures: Sequence[Tensor], truth: Tensor, settings: LossConfig) -> tuple[Tensor, Tensor]:
    """What is to fall, and its part that lasts: the loss of the finest picture, without further terms.

    pictures: (B, 3, h, w), finest first; each smaller one is compared with the truth shrunk by averaging.
    truth:    (B, 3, H, W).
    """
    each = [_distance(picture.float(), _shrunk(truth, picture), settings) for picture in pictures]
    whole = each[0] + settings.coarse * sum(each[1:])
    if settings.frequency:
        whole = whole + settings.frequency * frequency(pictures[0].float(), truth)
    return whole, each[0]


def _distance(output: Tensor, truth: Tensor, settings: LossConfig) -> Tensor:
    distance = (
        F.mse_loss(output, truth) if settings.kind == "mse" else charbonnier(output, truth, settings.epsilon)
    )
    if settings.rms:
        distance = distance + settings.rms * rms(output, truth)
    if settings.linear_rms:
        distance = distance + settings.linear_rms * rms(to_linear(output), to_linear(truth))
    return distance


def _shrunk(truth: Tensor, picture: Tensor) -> Tensor:
    step = truth.shape[-1] // picture.shape[-1]
    return truth if step == 1 else F.avg_pool2d(truth, step)
