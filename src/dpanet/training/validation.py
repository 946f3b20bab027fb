"""How good the moving average is on scenes that are not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet.network.build import AnyNetwork
from dpanet.training.source import ValidationSet

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_TOGETHER = 4
"""Scenes judged at once."""


@torch.no_grad()
def validate(
    fabric: Fabric, network: AnyNetwork, held_out: ValidationSet, samples: int = 0
) -> tuple[float, float, list[NDArray[np.float32]]]:
    """Each process judges its share of the scenes.

    Returns: mean PSNR over scenes, dB, on display values, of the network's picture clipped to 0..1 and of the mean of
             the views; and up to `samples` strips (size, 3 * size, 3), 0..1: left view, picture, truth.
    """
    sums = torch.zeros(2, dtype=torch.float64)
    strips: list[NDArray[np.float32]] = []
    for scenes in held_out.scenes(fabric.global_rank, fabric.world_size, _TOGETHER):
        left, right, truth = (x.to(fabric.device) for x in (scenes.left, scenes.right, scenes.truth))
        with fabric.autocast():
            output = network(left, right)
        output = output.float().clamp(0, 1)
        sums += torch.tensor([psnr_sum(output, truth), psnr_sum((left + right) / 2, truth)])
        for strip in torch.cat((left, output, truth), dim=-1)[: samples - len(strips)]:
            strips.append(strip.permute(1, 2, 0).cpu().numpy())
    total = fabric.all_reduce(sums.float().to(fabric.device), reduce_op="sum")
    assert isinstance(total, Tensor)
    picture, nothing = (float(value) / held_out.count for value in total)
    return picture, nothing, strips


def psnr_sum(output: Tensor, truth: Tensor) -> float:
    """Sum over the scenes of their PSNR, dB; an error under 1e-10 counts as that."""
    mse = ((output - truth) ** 2).mean((1, 2, 3)).clamp(min=1e-10)
    return float((-10 * torch.log10(mse)).sum())
