"""All that training changes: the weights, their moving average, the optimiser, the step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dpanet.checkpoints.model_file import FINISHED, SHIPPED, fill, load_model
from dpanet.errors import ConfigError, WeightsError
from dpanet.network import DPANet
from dpanet.network.build import FAMILIES, AnyNetwork, build, family, from_config
from dpanet.training.config import NetworkConfig, TrainingConfig
from dpanet.training.config_file import plain, read_table
from dpanet.training.optimiser import Optimizer


class State:
    """step: steps that were made. seconds: that they took. best: PSNR of the best validation, dB.
    losses: of the steps since the last line of the log.
    """

    def __init__(self, network: AnyNetwork, settings: TrainingConfig, device: torch.device) -> None:
        self.settings = settings
        self.network = network.to(device).train()
        self.averaged = from_config(family(network), network.config.to_dict()).to(device)
        self.averaged.load_state_dict(network.state_dict())
        self.averaged.requires_grad_(False).eval()
        if isinstance(network, DPANet) and network.defocus is not None:
            network.defocus.requires_grad_(False)  # taught for itself, on another loss
        self.optimiser = Optimizer(network, settings.optimiser)
        self._pairs = [
            (slow, fast)
            for slow, fast in zip(self.averaged.parameters(), network.parameters(), strict=True)
            if fast.requires_grad
        ]
        self.step, self.seconds, self.best = 0, 0.0, -math.inf
        self.losses: list[float] = []

    @property
    def told(self) -> str:
        """In words."""
        return (
            f"{self.network.config.name} of {sum(p.numel() for p in self.network.parameters()):,} parameters"
        )

    def mean_loss(self) -> float:
        """Of the steps since it was last asked for."""
        losses, self.losses = self.losses, []
        return sum(losses) / len(losses)

    @torch.no_grad()
    def advance(self, learning_rate: float, loss: float) -> None:
        """One step along the gradients, and the average after it."""
        self.optimiser.step(learning_rate)
        self.network.zero_grad()
        self.step += 1
        self.losses.append(loss)
        weight = min(self.settings.average, (1 + self.step) / (10 + self.step))
        slow, fast = (list(tensors) for tensors in zip(*self._pairs, strict=True))
        torch._foreach_lerp_(slow, fast, 1 - weight)

    def is_finite(self) -> bool:
        """Whether every weight is still a number; the average follows the weights, so it has seen them all."""
        return all(bool(tensor.isfinite().all()) for tensor in self.averaged.parameters())

    def to_dict(self) -> dict[str, Any]:
        """What `restore` takes; tensors are not copied."""
        return {
            "family": family(self.network),
            "config": self.network.config.to_dict(),
            "settings": plain(self.settings),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "losses": self.losses,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, held: Mapping[str, Any] | None) -> None:
        """Take up what `to_dict` gave, where there is such."""
        if held is None:
            return
        self.step, self.seconds, self.best = held["step"], held["seconds"], held["best"]
        self.losses = list(held["losses"])
        self.network.load_state_dict(held["network"])
        self.averaged.load_state_dict(held["averaged"])
        self.optimiser.load_state_dict(held["optimiser"])


def seed_generators(seed: int, step: int, rank: int) -> None:
    """Set torch's generators anew for one step of one process.

    What is drawn in a step (which features dropout silences) thus depends on nothing but these three numbers, and a
    run that goes on needs no states of generators.
    """
    number = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0]
    torch.manual_seed(int(number >> 1))


def network_to_train(settings: TrainingConfig, held: Mapping[str, Any] | None = None) -> AnyNetwork:
    """The network of a checkpoint, its weights still to be restored; or the one that a run begins with, its weights
    drawn from the seed or taken from `network.start`.

    Raises: ConfigError for an unknown preset, changes that do not fit it, or patches that do not suit it;
            WeightsError if the model to start with is missing or another network.
    """
    if held is not None:
        return from_config(held["family"], held["config"])
    torch.manual_seed(settings.seed)
    network = _network(settings.network)
    if hasattr(network, "with_scales"):
        multiple = network.config.multiple_of
        for place, stage in enumerate(settings.stages):
            if stage.patch % multiple:
                raise ConfigError(
                    f"stages[{place}].patch is {stage.patch}; this network needs multiples of {multiple}"
                )
    return network


def _network(settings: NetworkConfig) -> AnyNetwork:
    start = None if not settings.start else model_of(settings.start)
    if not settings.preset:
        assert start is not None
        return load_model(start)
    network = build(settings.preset)
    if settings.changes:
        _, config, _ = FAMILIES[family(network)]
        table = {**asdict(network.config), "name": "custom", **settings.changes}
        changed = read_table(config, table, "network.changes.")
        network = from_config(family(network), changed.to_dict())
    if start is not None:
        fill(network, load_model(start).state_dict(), Path(start))
    return network


def model_of(start: str) -> str:
    """What `load_model` takes: a shipped name, a file, or the best model of a run's folder."""
    folder = Path(start)
    if start in SHIPPED or folder.is_file():
        return start
    if not folder.is_dir():
        raise WeightsError(
            f"network.start is {start}, which is no model's name, file or run; give one by --set network.start=RUN"
        )
    for name in FINISHED:
        if (folder / name).is_file():
            return str(folder / name)
    raise WeightsError(
        f"network.start is {start}, which holds no model ({', '.join(FINISHED)}); give a finished run"
    )
