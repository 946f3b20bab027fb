"""`python -m dpanet.training.defocus_head MODEL -o OUT.safetensors`: teach a finished network to tell the blur.

Only the head learns; the rest is held still, so that pictures stay what they are, bit for bit.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError
from dpanet.network import DPANet
from dpanet.network.defocus_head import UNIT
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig
from dpanet.training.config import DataConfig
from dpanet.training.source import simulator


def teach(
    network: DPANet,
    simulator: Simulator,
    *,
    steps: int = 800,
    batch: int = 8,
    patch: int = 192,
    learning_rate: float = 2e-3,
    seed: int = 11,
    every: int = 100,
) -> DPANet:
    """A copy of `network` with a trained defocus head.

    Smooth L1 loss on the signed radius (in units of 8 px), AdamW, half a cosine. Prints the mean absolute error in
    px every `every` steps.
    """
    torch.manual_seed(seed)
    taught = DPANet(replace(network.config, defocus=True))
    assert taught.defocus is not None
    taught.load_state_dict(network.state_dict(), strict=network.defocus is not None)
    taught.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    taught.defocus.requires_grad_(True)
    optimiser = torch.optim.AdamW(taught.defocus.parameters(), learning_rate, fused=True)
    errors: list[float] = []
    began = time.monotonic()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        left, right, _, radius = simulator.scenes([[seed, step, scene] for scene in range(batch)], patch)
        assert radius is not None
        with torch.autocast("cpu", torch.bfloat16):
            _, told = taught.with_defocus(left, right)
        loss = F.smooth_l1_loss(told.float() / UNIT, radius / UNIT, beta=0.25)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        errors.append(float((told.detach().float() - radius).abs().mean()))
        if (step + 1) % every == 0:
            print(
                f"step {step + 1} of {steps}, mean error {np.mean(errors[-every:]):.2f} px, "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
    return taught.requires_grad_(True).eval()


def main() -> None:
    """Read the command line and teach."""
    parser = argparse.ArgumentParser(
        prog="python -m dpanet.training.defocus_head",
        description="Teach a finished network to tell the blur.",
    )
    parser.add_argument("model", help="a shipped name, or a file")
    parser.add_argument("--photographs", type=Path, required=True, help="folder of sharp photographs")
    parser.add_argument("--kernels", type=Path, help="folder of measured kernels; half discs only without it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file of the taught model")
    parser.add_argument("--half", action="store_true", help="store in half precision, as shipped models are")
    parser.add_argument("--steps", type=int, default=800)
    given = parser.parse_args()
    network = load_model(given.model)
    if not isinstance(network, DPANet):
        raise ConfigError(f"{given.model} is no DPANet and has no alignment to read the blur from; give one")
    measured = SceneConfig().measured if given.kernels else 0.0
    scenes = DataConfig(
        photographs=str(given.photographs),
        kernels=str(given.kernels or ""),
        scenes=SceneConfig(measured=measured, quantized=0.0),  # as the shipped head was taught
    )
    photographed = simulator(scenes)
    assert photographed is not None
    taught = teach(network, photographed, steps=given.steps)
    save_model(taught, given.output, torch.float16 if given.half else torch.float32)


if __name__ == "__main__":
    main()
