"""All that a training step changes: the weights, their moving average, the optimizer, the step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dpanet.checkpoints.model_file import load_model, load_weights
from dpanet.checkpoints.shipped_models import FINISHED, SHIPPED
from dpanet.errors import ConfigError, WeightsError
from dpanet.files.config_table import read_table
from dpanet.network import Network, build
from dpanet.network.families import from_config
from dpanet.network.old_names import rename_keys
from dpanet.training.config import NetworkConfig, TrainingConfig
from dpanet.training.config_file import to_table
from dpanet.training.optimizer import Optimizer


class State:
    """The state of a run between two steps."""

    def __init__(self, network: Network, config: TrainingConfig, device: torch.device) -> None:
        self.config = config
        self.network = network.to(device).train()
        """The network that is trained."""
        self.ema = type(network)(network.config).to(device)
        """The exponential moving average of its weights, as a network."""
        self.ema.load_state_dict(network.state_dict())
        self.ema.requires_grad_(False).eval()
        if network.defocus is not None:
            network.defocus.requires_grad_(False)  # it is trained on its own, with another loss
        self.optimizer = Optimizer(network, config.optimizer)
        self._ema_pairs = [
            (average, weight)
            for average, weight in zip(self.ema.parameters(), network.parameters(), strict=True)
            if weight.requires_grad
        ]
        self.step = 0
        """Number of finished steps."""
        self.seconds = 0.0
        """Time that they took."""
        self.best = -math.inf
        """PSNR of the best validation, dB."""
        self.losses: list[float] = []
        """Losses of the steps since the last line of the log."""

    @property
    def description(self) -> str:
        """The network's name and size, for the first line of a run."""
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        name, preset = self.network.config.name, self.config.network.preset
        if name == "custom":  # a preset with changes, or a model whose own name says no more
            name = f"{preset} with changes," if preset else "network"
        return f"{name} of {parameters:,} parameters"

    def take_mean_loss(self) -> float:
        """Return the mean loss since the last call."""
        losses, self.losses = self.losses, []
        return sum(losses) / len(losses)

    @torch.no_grad()
    def advance(self, learning_rate: float, loss: float) -> None:
        """Update the weights along their gradients, then the moving average."""
        self.optimizer.step(learning_rate)
        self.network.zero_grad()
        self.step += 1
        self.losses.append(loss)
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        averages, weights = (list(tensors) for tensors in zip(*self._ema_pairs, strict=True))
        torch._foreach_lerp_(averages, weights, 1 - decay)

    def is_finite(self) -> bool:
        """Return whether all weights are finite, seen by the moving average, which has had them all."""
        return all(bool(tensor.isfinite().all()) for tensor in self.ema.parameters())

    def to_dict(self) -> dict[str, Any]:
        """Return what `restore` needs; tensors are not copied."""
        return {
            "family": self.network.family,
            "network_config": self.network.config.to_dict(),
            "training_config": to_table(self.config),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "losses": self.losses,
            "network": self.network.state_dict(),
            "averaged": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Set the state to that of `to_dict`."""
        self.step, self.seconds, self.best = checkpoint["step"], checkpoint["seconds"], checkpoint["best"]
        self.losses = list(checkpoint["losses"])
        self.network.load_state_dict(checkpoint["network"])
        self.ema.load_state_dict(checkpoint["averaged"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])


def seed_generators(seed: int, step: int, rank: int) -> None:
    """Seed torch's generators for one step of one process.

    What is drawn in a step (the features that dropout removes) then depends on these three numbers alone, so that a
    checkpoint needs no states of generators.
    """
    number = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0]
    torch.manual_seed(int(number >> 1))


def create_network(config: TrainingConfig, checkpoint: Mapping[str, Any] | None = None) -> Network:
    """Return the network of a checkpoint, without its weights; or that of a new run, with its first weights.

    Raises:
        ConfigError: if the preset is unknown, or its changes or the patches do not fit it.
        WeightsError: if the model to start from is missing or another network.
    """
    if checkpoint is not None:
        return from_config(checkpoint["family"], checkpoint["network_config"])
    torch.manual_seed(config.seed)
    network = _create_network(config.network)
    multiple = network.config.multiple_of
    for index, stage in enumerate(config.stages):
        if stage.patch % multiple:
            raise ConfigError(
                f"stages[{index}].patch is {stage.patch}; this network needs multiples of {multiple}"
            )
    return network


def _create_network(config: NetworkConfig) -> Network:
    start = resolve_model(config.start) if config.start else None
    if not config.preset:
        assert start is not None
        return load_model(start)
    network = build(config.preset)
    if config.changes:
        table = {**asdict(network.config), "name": "custom", **rename_keys(config.changes)}
        changed = read_table(type(network.config), table, "network.changes.")
        network = type(network)(changed)
    if start is not None:
        load_weights(network, load_model(start).state_dict(), Path(start))
    return network


def resolve_model(start: str) -> str:
    """Return the argument of `load_model` for a shipped name, a file, or a run's folder (its best model).

    Raises:
        WeightsError: if there is no such model.
    """
    folder = Path(start)
    if start in SHIPPED or folder.is_file():
        return start
    if not folder.is_dir():
        raise WeightsError(
            f"network.start is {start}, which is not a model's name, a file or a run; give one by "
            "--set network.start=RUN"
        )
    for name in FINISHED:
        if (folder / name).is_file():
            return str(folder / name)
    raise WeightsError(
        f"network.start is {start}, which contains no model ({', '.join(FINISHED)}); give a finished run"
    )
