"""Muon for the weights of convolutions and AdamW for everything else as one optimiser; or AdamW, or Adam alone.

Muon (Jordan et al., 2024; Liu et al., 2025) replaces the momentum of a matrix by its nearest orthogonal one, so
that every direction of a layer learns at one pace. Without normalisation layers that is worth a great deal:
docs/experiments.md.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dpanet.training.config import OptimizerConfig

SETTLING = ("guide", "head")
"""Parts that start at zero, and say something with each channel: offsets, masks, the picture. Left to AdamW."""


class Optimizer:
    """Steps all parameters of `network` that are to learn; the rate is one, scaled for Muon to AdamW's usual step.

    With ``muon``, convolution weights (D, C, K, K) are re-laid as rows of matrices (D, C*K*K) that share their
    memory, so the network must already be on its device.
    """

    def __init__(self, network: nn.Module, settings: OptimizerConfig) -> None:
        self.convolutions: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in network.named_parameters():
            matrix_like = settings.kind == "muon" and parameter.dim() == 4
            settling = any(word in name for word in SETTLING)
            if parameter.requires_grad:
                (self.convolutions if matrix_like and not settling else others).append(parameter)
        self.matrices = []
        for parameter in self.convolutions:
            matrix = nn.Parameter(parameter.data.contiguous().flatten(1))
            parameter.data = matrix.data.view(parameter.shape)
            self.matrices.append(matrix)
        rate, decay = settings.learning_rate, settings.weight_decay
        betas = (0.9, settings.beta2)
        parts: list[torch.optim.Optimizer] = []
        if self.matrices:
            parts.append(
                torch.optim.Muon(self.matrices, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            )
        if settings.kind == "adam":
            parts.append(torch.optim.Adam(others, rate, betas, fused=True))
        elif others:
            parts.append(torch.optim.AdamW(others, rate, betas, weight_decay=decay, fused=True))
        self.parts = tuple(parts)

    def step(self, learning_rate: float) -> None:
        """One step at `learning_rate`, along the gradients that the network's parameters hold."""
        for parameter, matrix in zip(self.convolutions, self.matrices, strict=True):
            matrix.grad = None if parameter.grad is None else parameter.grad.contiguous().flatten(1)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)
