"""The training loop: simulate, step, average, and never lose more than a few minutes."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.errors import SettingsError
from dpanet.network import DPANet, build
from dpanet.network.build import AnyNetwork
from dpanet.network.weights import fill, read_model, save_model
from dpanet.simulation.scene import Simulator
from dpanet.training.optimiser import Optimiser
from dpanet.training.settings import TrainingSettings

SAVE_EVERY = 240.0
"""Seconds between checkpoints."""


def charbonnier(output: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Mean of sqrt(difference**2 + epsilon**2), on display values. Source: Charbonnier et al., 1994."""
    return torch.sqrt((output - truth) ** 2 + epsilon**2).mean()


class Run:
    """A training run in a folder: `settings.json`, `log.csv`, `checkpoint.pt`, `model.safetensors` (the average).

    A folder that holds a checkpoint is taken up where it stopped, at the same scenes and random numbers. A new run
    begins with the weights of the file `start`, where one is given.
    """

    def __init__(
        self, settings: TrainingSettings, folder: Path, device: str = "cpu", start: Path | None = None
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.device = torch.device(device)
        self.rng = np.random.default_rng(settings.seed)
        torch.manual_seed(settings.seed)
        self.network = build(settings.preset).to(self.device)
        if start is not None:
            fill(self.network, read_model(start).state_dict(), start).train()
        self.averaged = build(settings.preset).to(self.device).requires_grad_(False).eval()
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = Optimiser(
            self.network, settings.learning_rate, settings.beta2, settings.weight_decay
        )
        self.held: list[dict[str, Any]] = []
        self.step = 0
        self.seconds = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "checkpoint.pt").exists():
            self._resume()
        self._note_settings()

    def train(
        self, simulator: Simulator, validation: tuple[Tensor, Tensor, Tensor] | None, every: int = 250
    ) -> None:
        """Train to the last step. Raises: SettingsError if the loss becomes NaN (the last checkpoint is good)."""
        s = self.settings
        self.network.train()
        started = saved = time.monotonic()
        losses: list[float] = []
        while self.step < s.steps:
            progress = self.step / s.steps
            strength = min(1.0, s.easy + (1 - s.easy) * progress / max(s.hardening, 1e-9))
            patch = s.small_patch if progress < s.growing else s.patch
            left, right, truth = (
                x.to(self.device, memory_format=torch.channels_last)
                for x in simulator.batch(self.rng, s.batch, patch, strength)
            )
            with torch.autocast(self.device.type, torch.bfloat16):
                pictures = _scales(self.network, left, right)
            losses_of = [charbonnier(p.float(), _shrunk(truth, p), s.epsilon) for p in pictures]
            loss = losses_of[0] + s.coarse * sum(losses_of[1:])
            if not torch.isfinite(loss):
                raise SettingsError(
                    f"the loss became {loss.item()} at step {self.step}; {self.folder / 'checkpoint.pt'} is the "
                    "last good state, so lower learning_rate and start again from it"
                )
            self.network.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), s.clip)
            self.optimiser.step(s.learning_rate * rate(self.step, s))
            self.step += 1
            self._average()
            losses.append(losses_of[0].item())
            now = time.monotonic()
            if self.step % every == 0 or self.step == s.steps:
                self.seconds, started = self.seconds + now - started, now
                self._log(float(np.mean(losses)), None if validation is None else self.validate(validation))
                losses = []
            if now - saved > SAVE_EVERY or self.step == s.steps:
                self.seconds, started = self.seconds + now - started, now
                self.save()
                saved = time.monotonic()

    @torch.no_grad()
    def _average(self) -> None:
        weight = min(self.settings.average, (1 + self.step) / (10 + self.step))
        for slow, fast in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - weight)

    @torch.no_grad()
    def validate(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[float, float]:
        """Mean PSNR over scenes of the averaged network, and of the mean of the views, on display values."""
        left, right, truth = (x.to(self.device) for x in batch)
        with torch.autocast(self.device.type, torch.bfloat16):
            output = torch.cat([self.averaged(a[None], b[None]) for a, b in zip(left, right, strict=True)])
        return _psnr(output.float().clamp(0, 1), truth), _psnr((left + right) / 2, truth)

    def _log(self, loss: float, scores: tuple[float, float] | None) -> None:
        output, nothing = scores or (math.nan, math.nan)
        row: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.seconds),
            "rate": self.settings.learning_rate * rate(self.step - 1, self.settings),
            "loss": loss,
            "psnr": output,
            "psnr_of_doing_nothing": nothing,
        }
        file = self.folder / "log.csv"
        fresh = not file.exists()
        with file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        print(
            " ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()),
            flush=True,
        )

    def save(self) -> None:
        """Write the checkpoint and the averaged model, each by atomic rename."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scenes": json.dumps(self.rng.bit_generator.state),
            "settings": json.dumps(self.held),
        }
        _write(self.folder / "checkpoint.pt", lambda p: torch.save(state, p))
        save_model(self.averaged, self.folder / "model.safetensors")

    def _note_settings(self) -> None:
        """Write `settings.json`: from which step on which settings held."""
        file = self.folder / "settings.json"
        now = json.loads(json.dumps(self.settings.to_dict()))
        if self.held and self.held[-1]["settings"] == now:
            return
        self.held.append({"from_step": self.step, "settings": now})
        _write(file, lambda p: p.write_text(json.dumps(self.held, indent=1)))

    def _check_settings(self) -> None:
        """Raises: SettingsError if a resumed run is given other settings than it had; only `steps` may change."""
        before, now = self.held[-1]["settings"], json.loads(json.dumps(self.settings.to_dict()))
        other = [key for key in now if key != "steps" and before.get(key) != now[key]]
        if other:
            raise SettingsError(
                f"{self.folder} was trained with {other[0]} = {before.get(other[0])}, now it is {now[other[0]]}; "
                "give the same settings (only steps may change), or another folder"
            )

    def _forget_later_rows(self) -> None:
        """Drop rows of `log.csv` that were written after the checkpoint: their steps are made again."""
        file = self.folder / "log.csv"
        if not file.exists():
            return
        head, *rows = file.read_text().splitlines(keepends=True)
        kept = [head, *(row for row in rows if int(row.split(",")[0]) <= self.step)]
        _write(file, lambda p: p.write_text("".join(kept)))

    def _resume(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", map_location=self.device, weights_only=True)
        self.held = json.loads(state["settings"])
        self._check_settings()
        self.step, self.seconds = state["step"], state["seconds"]
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = json.loads(state["scenes"])
        self._forget_later_rows()


def _scales(network: AnyNetwork, left: Tensor, right: Tensor) -> list[Tensor]:
    """The picture and the smaller ones, of a network that tells any."""
    return network.with_scales(left, right) if isinstance(network, DPANet) else [network(left, right)]


def _shrunk(truth: Tensor, picture: Tensor) -> Tensor:
    """The truth at the size of `picture`, by averaging."""
    step = truth.shape[-1] // picture.shape[-1]
    return truth if step == 1 else F.avg_pool2d(truth, step)


def rate(step: int, settings: TrainingSettings) -> float:
    """The learning rate of `step` as a share of the highest."""
    warm = min(1.0, (step + 1) / max(settings.warmup, 1))
    fallen = 0.5 + 0.5 * math.cos(math.pi * min(step / settings.steps, 1.0))
    return warm * (settings.final + (1 - settings.final) * fallen)


def _psnr(output: Tensor, truth: Tensor) -> float:
    mse = ((output - truth) ** 2).mean((1, 2, 3)).clamp(min=1e-10)
    return float((-10 * torch.log10(mse)).mean())


def _write(path: Path, how: Callable[[Path], object]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        how(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
