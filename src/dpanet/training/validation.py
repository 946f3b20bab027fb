"""Validation of the moving average on scenes that are not trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet.network import Network
from dpanet.training.data import ValidationSet

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_CHUNK_SIZE = 4
"""Scenes that go through the network at once."""


@dataclass(frozen=True)
class Validation:
    """The result of a validation."""

    psnr: float
    """Mean PSNR of the network's outputs over all scenes, dB, on display values clipped to 0..1."""
    psnr_of_views: float
    """The same of the mean of both views, which is the score without a network."""
    samples: list[NDArray[np.float32]] = field(default_factory=list)
    """Strips of left view, output and truth, (size, 3 * size, 3), 0..1, of this process's first scenes."""


@torch.no_grad()
def validate(fabric: Fabric, network: Network, validation_set: ValidationSet, samples: int = 0) -> Validation:
    """Score a network on the validation set; each process takes its share of the scenes.

    Args:
        fabric: of this process.
        network: the network, on the device.
        validation_set: the scenes.
        samples: number of sample strips to return at most.
    """
    sums = torch.zeros(2, dtype=torch.float64)
    strips: list[NDArray[np.float32]] = []
    for scenes in validation_set.scenes(fabric.global_rank, fabric.world_size, _CHUNK_SIZE):
        left, right, truth = (x.to(fabric.device) for x in (scenes.left, scenes.right, scenes.truth))
        with fabric.autocast():
            output = network(left, right)
        output = output.float().clamp(0, 1)
        sums += torch.tensor([psnr_sum(output, truth), psnr_sum((left + right) / 2, truth)])
        for strip in torch.cat((left, output, truth), dim=-1)[: samples - len(strips)]:
            strips.append(strip.permute(1, 2, 0).cpu().numpy())
    total = fabric.all_reduce(sums.float().to(fabric.device), reduce_op="sum")
    assert isinstance(total, Tensor)
    psnr, psnr_of_views = (float(value) / validation_set.count for value in total)
    return Validation(psnr, psnr_of_views, strips)


def psnr_sum(output: Tensor, truth: Tensor) -> float:
    """Return the sum of the scenes' PSNR, dB; mean square errors are at least 1e-10."""
    mse = ((output - truth) ** 2).mean((1, 2, 3)).clamp(min=1e-10)
    return float((-10 * torch.log10(mse)).sum())
