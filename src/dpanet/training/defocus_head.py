"""Train the defocus head of a finished network; its other weights, and so its pictures, stay the same bit for bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from dpanet.network import DPANet
from dpanet.network.defocus_head import UNIT
from dpanet.simulation.scene import Simulator


def train_defocus_head(
    network: DPANet,
    simulator: Simulator,
    *,
    steps: int = 800,
    batch: int = 8,
    patch: int = 192,
    learning_rate: float = 2e-3,
    seed: int = 11,
    report_every: int = 100,
    report: Callable[[str], None] = print,
) -> DPANet:
    """Return a copy of a network with a trained defocus head.

    The loss is smooth L1 on the signed blur radius in units of 8 px; AdamW with half a cosine.

    Args:
        network: the network, with or without a head.
        simulator: source of scenes with known radii.
        steps: number of steps.
        batch: scenes in a step.
        patch: side of the scenes, px.
        learning_rate: the highest learning rate.
        seed: seed of the first weights and the scenes.
        report_every: steps between reports.
        report: called with a line with the mean absolute error, px.
    """
    torch.manual_seed(seed)
    trained = DPANet(replace(network.config, defocus=True))
    assert trained.defocus is not None
    trained.load_state_dict(network.state_dict(), strict=network.defocus is not None)
    trained.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    trained.defocus.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained.defocus.parameters(), learning_rate, fused=True)
    errors: list[float] = []
    started = time.monotonic()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        left, right, _, radius = simulator.scenes([[seed, step, scene] for scene in range(batch)], patch)
        assert radius is not None
        with torch.autocast("cpu", torch.bfloat16):
            _, estimate = trained.with_defocus(left, right)
        loss = F.smooth_l1_loss(estimate.float() / UNIT, radius / UNIT, beta=0.25)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        errors.append(float((estimate.detach().float() - radius).abs().mean()))
        if (step + 1) % report_every == 0:
            error, seconds = np.mean(errors[-report_every:]), time.monotonic() - started
            report(f"step {step + 1} of {steps}, mean error {error:.2f} px, {seconds:.0f} s")
    return trained.requires_grad_(True).eval()
