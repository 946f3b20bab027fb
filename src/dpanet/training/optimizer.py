"""Muon for the weights of convolutions and AdamW for all others as one optimizer; or AdamW, or Adam alone.

Muon (Jordan et al., 2024; Liu et al., 2025) replaces the momentum of a matrix by its nearest orthogonal one, so that
all directions of a layer learn at one rate. Without normalization layers this helps a great deal:
docs/experiments.md.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dpanet.training.config import OptimizerConfig

ADAMW_PARTS = ("offset_mask", "head")
"""Parts of names of convolutions that AdamW trains also with ``muon``: they start at zero, and each of their output
channels has a meaning of its own (offsets, masks, the picture)."""


class Optimizer:
    """Updates all parameters of a network that require gradients, at one learning rate.

    Muon's steps are scaled to the usual size of AdamW's. With ``muon``, convolution weights (D, C, K, K) are replaced
    by views of matrices (D, C*K*K), so the network must already be on its device.
    """

    def __init__(self, network: nn.Module, config: OptimizerConfig) -> None:
        self.convolutions: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in network.named_parameters():
            use_muon = config.kind == "muon" and parameter.dim() == 4
            use_muon = use_muon and not any(part in name for part in ADAMW_PARTS)
            if parameter.requires_grad:
                (self.convolutions if use_muon else others).append(parameter)
        self.matrices = []
        for parameter in self.convolutions:
            matrix = nn.Parameter(parameter.data.contiguous().flatten(1))
            parameter.data = matrix.data.view(parameter.shape)
            self.matrices.append(matrix)
        rate, decay = config.learning_rate, config.weight_decay
        betas = (0.9, config.beta2)
        parts: list[torch.optim.Optimizer] = []
        if self.matrices:
            parts.append(
                torch.optim.Muon(self.matrices, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            )
        if config.kind == "adam":
            parts.append(torch.optim.Adam(others, rate, betas, fused=True))
        elif others:
            parts.append(torch.optim.AdamW(others, rate, betas, weight_decay=decay, fused=True))
        self.parts = tuple(parts)

    def step(self, learning_rate: float) -> None:
        """Update the parameters along their gradients."""
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
