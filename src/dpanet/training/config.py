"""The config of a training run. Each class is a table of the TOML file; values are checked when it is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from dpanet.errors import ConfigError
from dpanet.files.config_checks import require_above, require_at_least, require_fraction
from dpanet.pair import SMALLEST_SIDE
from dpanet.training.pairs_data import PairsData
from dpanet.training.simulated_data import SimulatedData


@dataclass(frozen=True)
class NetworkConfig:
    """The network to train."""

    preset: str = ""
    """Name of a preset; empty for the network of `start`."""
    start: str = ""
    """Weights to start from: a shipped model's name, a model file, or a run's folder (its best model)."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of the preset with other values."""

    def __post_init__(self) -> None:
        if not self.preset and not self.start:
            raise ConfigError("preset is missing; name one, or a model to start from as network.start")
        if self.changes and not self.preset:
            raise ConfigError("changes needs a preset to change; name it as network.preset")


@dataclass(frozen=True)
class LossConfig:
    """The loss; its terms are on display values, 0..1, unless stated otherwise."""

    kind: Literal["charbonnier", "mse"] = "charbonnier"
    """The main term."""
    epsilon: float = 1e-3
    """Epsilon of ``charbonnier``."""
    rms: float = 0.0
    """Weight of the root of each picture's mean square error; like PSNR, it weighs large errors more."""
    linear_rms: float = 0.0
    """The same in linear light, which weighs errors in bright places more."""
    frequency: float = 0.0
    """Weight of the difference between the spectra."""
    coarse: float = 0.5
    """Weight of each smaller output of a network that has any."""

    def __post_init__(self) -> None:
        require_above(self, 0, "epsilon")
        require_at_least(self, 0, "rms", "linear_rms", "frequency", "coarse")


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and the learning rate over time."""

    kind: Literal["muon", "adamw", "adam"] = "muon"
    """``muon`` is Muon for convolutions and AdamW for all other weights."""
    learning_rate: float = 2e-3
    """The highest learning rate."""
    beta2: float = 0.99
    """Decay of the second moments of AdamW and Adam; their beta1 is 0.9."""
    weight_decay: float = 1e-2
    """Decay of all weights, relative to the learning rate."""
    clip: float = 0.1
    """Largest norm of the gradients; 0 for no limit."""
    schedule: Literal["cosine", "constant", "halving"] = "cosine"
    """The learning rate after the warm-up: half a cosine, constant, or halved every `halve_every`."""
    warmup: int = 300
    """Steps in which the learning rate rises to its highest value."""
    final: float = 0.01
    """Last learning rate of ``cosine``, as a fraction of the highest."""
    halve_every: float = 0.0
    """Period of ``halving``: epochs, or steps in a run whose length is given in steps."""

    def __post_init__(self) -> None:
        require_above(self, 0, "learning_rate")
        require_at_least(self, 0, "weight_decay", "clip", "warmup", "halve_every")
        require_fraction(self, "final")
        if not 0 <= self.beta2 < 1:
            raise ConfigError(f"beta2 is {self.beta2}; it must be at least 0 and below 1")
        if (self.schedule == "halving") != (self.halve_every > 0):
            raise ConfigError(
                f"halve_every is {self.halve_every:g} and the schedule {self.schedule}; "
                "give halve_every with the schedule halving, and only with it"
            )
        if self.kind == "adam" and self.weight_decay:
            raise ConfigError(
                f"weight_decay is {self.weight_decay}; adam has none, so give 0 or choose adamw"
            )


@dataclass(frozen=True)
class Stage:
    """A part of the run with one patch size."""

    until: float
    """End of the stage, as a fraction of all steps."""
    patch: int
    """Side of the patches, px."""

    def __post_init__(self) -> None:
        require_fraction(self, "until")
        require_at_least(self, SMALLEST_SIDE, "patch")


@dataclass(frozen=True)
class ValidationConfig:
    """Validation on scenes that are not trained on."""

    every: int = 250
    """Steps between validations."""
    scenes: int = 24
    """Number of scenes."""
    patch: int = 256
    """Side of the scenes, px."""
    samples: int = 4
    """Number of scenes in the sample picture of each validation; 0 for no picture."""

    def __post_init__(self) -> None:
        require_above(self, 0, "every", "scenes")
        require_at_least(self, 0, "samples")
        require_at_least(self, SMALLEST_SIDE, "patch")


@dataclass(frozen=True)
class TrainingConfig:
    """All that determines a training run."""

    network: NetworkConfig
    stages: tuple[Stage, ...]
    """Patch sizes, one after the other; the last stage ends at 1."""
    steps: int | None = None
    """Length of the run in steps; either this or `epochs`."""
    epochs: float | None = None
    """Length of the run in passes over all pairs; for real pairs only."""
    batch: int = 8
    """Scenes in a step, over all processes."""
    accumulate: int = 1
    """Parts that the batch is computed in, to save memory."""
    ema_decay: float = 0.999
    """Decay of the exponential moving average of the weights, which is the model that is saved."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """``bfloat16`` computes in it where that is safe; ``auto`` does so where the device has it natively."""
    channels_last: bool = True
    """Memory layout of the pictures: channels last, or contiguous."""
    device: str = "auto"
    """``auto`` for the best one; or ``cpu``, ``cuda``, ``cuda:1``, ``mps``."""
    seed: int = 1
    """Seed of the first weights, the scenes and dropout."""
    log_every: int = 50
    """Steps between lines of the log."""
    checkpoint_minutes: float = 4.0
    """Minutes between checkpoints."""
    data: SimulatedData | PairsData = field(default_factory=SimulatedData)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        require_above(self, 0, "steps", "epochs", "batch", "accumulate", "log_every")
        require_at_least(self, 0, "checkpoint_minutes", "seed")
        if self.seed >= 2**63:
            raise ConfigError(f"seed is {self.seed}; it must be below 2^63")
        if (self.steps is None) == (self.epochs is None):
            raise ConfigError(f"steps is {self.steps} and epochs {self.epochs}; give one of the two")
        if self.epochs is not None and not self.data.repeats:
            raise ConfigError("epochs is given, but simulated scenes never repeat; give steps instead")
        if self.batch % self.accumulate:
            raise ConfigError(
                f"batch is {self.batch}; it must be a multiple of accumulate, {self.accumulate}"
            )
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f"ema_decay is {self.ema_decay}; it must be at least 0 and below 1")
        ends = [stage.until for stage in self.stages]
        if not ends or ends[-1] != 1 or any(a >= b for a, b in pairwise(ends)):
            raise ConfigError(f"stages end at {ends} of the steps; give rising fractions, the last of them 1")

    @property
    def largest_patch(self) -> int:
        """The largest patch of all stages, px."""
        return max(stage.patch for stage in self.stages)
