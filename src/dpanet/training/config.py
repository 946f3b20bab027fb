"""What decides a training run. Each class is a table of the configuration file; values are checked when built."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from dpanet.errors import ConfigError
from dpanet.pair import SMALLEST_SIDE
from dpanet.simulation.scene_config import SceneConfig


def above(settings: object, keys: str, least: float = 0.0, *, itself: bool = False) -> None:
    """Raises: ConfigError naming the first of `keys` whose value is not above `least` (or `itself` neither)."""
    for key in keys.split():
        value = getattr(settings, key)
        if value is not None and not (value >= least if itself else value > least):
            raise ConfigError(f"{key} is {value}; it must be {'at least' if itself else 'above'} {least:g}")


def share(settings: object, keys: str) -> None:
    """Raises: ConfigError naming the first of `keys` whose value is not within 0..1."""
    for key in keys.split():
        if not 0 <= getattr(settings, key) <= 1:
            raise ConfigError(f"{key} is {getattr(settings, key)}; it must be from 0 to 1")


@dataclass(frozen=True)
class NetworkConfig:
    """preset: its name. changes: fields of the preset to change. start: whose weights to begin with: a shipped
    name, a model file, or the folder of another run, whose best model is taken; without a preset, the network is
    that model's.
    """

    preset: str = ""
    start: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.preset and not self.start:
            raise ConfigError("preset is missing; name one, or a model to begin with as network.start")
        if self.changes and not self.preset:
            raise ConfigError("changes are given without a preset to change; name it as network.preset")


@dataclass(frozen=True)
class DataConfig:
    """What is trained on: pairs ``simulated`` from photographs as training goes, or real ``pairs`` with truths.

    simulated
        photographs: folder (a SOURCES.csv in it, with columns file and split, may keep some for validation;
        otherwise every twentieth is), or ``scikit-image`` for the three that package brings. kernels: folder
        of a measured lens, needed if `scenes.measured` is above 0. easy, hardening: blurs begin at `easy` of their
        strength and reach all of it after `hardening` of the steps. workers: processes that simulate beside the
        training; 0 for none. scenes: how likely is what.
    pairs
        pairs: folder of NAME_left, NAME_right, NAME_sharp, or one with such folders train and val. mirror, flip,
        resize: as `Augmentation`.
    """

    kind: Literal["simulated", "pairs"] = "simulated"
    photographs: str = ""
    kernels: str = ""
    easy: float = 1.0
    hardening: float = 0.0
    workers: int = 0
    scenes: SceneConfig = field(default_factory=SceneConfig)
    pairs: str = ""
    mirror: bool = True
    flip: bool = True
    resize: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        share(self, "easy hardening")
        above(self, "workers", 0, itself=True)


@dataclass(frozen=True)
class LossConfig:
    """kind: ``charbonnier`` (with `epsilon`) or ``mse``. frequency: weight of the term over the spectrum; 0 for none.
    coarse: weight of each smaller picture of a network that tells any.
    rms, linear_rms: weights of the root of each picture's mean square error, on display values and in linear light:
    PSNR's own measure, which weighs large errors, and in linear light those in bright places, more.
    """

    kind: Literal["charbonnier", "mse"] = "charbonnier"
    epsilon: float = 1e-3
    rms: float = 0.0
    linear_rms: float = 0.0
    frequency: float = 0.0
    coarse: float = 0.5

    def __post_init__(self) -> None:
        above(self, "epsilon")
        above(self, "rms linear_rms frequency coarse", itself=True)


@dataclass(frozen=True)
class OptimizerConfig:
    """kind: ``muon`` for convolutions and AdamW for the rest, ``adamw``, or ``adam``. clip: largest norm of the
    gradients; 0 for no limit. learning_rate: its highest value. beta2: of AdamW and Adam, how slowly their second
    moments change (beta1 is 0.9). weight_decay: of all weights, relative to the rate.

    schedule: of the learning rate behind `warmup` steps. ``cosine``: half a cosine down to `final` of it.
    ``constant``. ``halving``: halved every `halve_every` epochs, or steps where the run is measured in steps.
    """

    kind: Literal["muon", "adamw", "adam"] = "muon"
    learning_rate: float = 2e-3
    beta2: float = 0.99
    weight_decay: float = 1e-2
    clip: float = 0.1
    schedule: Literal["cosine", "constant", "halving"] = "cosine"
    warmup: int = 300
    final: float = 0.01
    halve_every: float = 0.0

    def __post_init__(self) -> None:
        above(self, "learning_rate")
        above(self, "weight_decay clip warmup halve_every", itself=True)
        share(self, "final")
        if not 0 <= self.beta2 < 1:
            raise ConfigError(f"beta2 is {self.beta2}; it must be at least 0 and below 1")
        if (self.schedule == "halving") != (self.halve_every > 0):
            raise ConfigError(
                f"halve_every is {self.halve_every:g} and the schedule {self.schedule}; the two belong together"
            )
        if self.kind == "adam" and self.weight_decay:
            raise ConfigError(f"weight_decay is {self.weight_decay}; adam has none, so give 0 or take adamw")


@dataclass(frozen=True)
class Stage:
    """Patches are `patch` px a side until `until` of the steps."""

    until: float
    patch: int

    def __post_init__(self) -> None:
        share(self, "until")
        above(self, "patch", SMALLEST_SIDE, itself=True)


@dataclass(frozen=True)
class ValidationConfig:
    """every: steps between validations. scenes: how many are judged, at `patch` px a side. samples: of these, how
    many are shown in a picture.
    """

    every: int = 250
    scenes: int = 24
    patch: int = 256
    samples: int = 4

    def __post_init__(self) -> None:
        above(self, "every scenes")
        above(self, "samples", itself=True)
        above(self, "patch", SMALLEST_SIDE, itself=True)


@dataclass(frozen=True)
class TrainingConfig:
    """One run.

    steps or epochs (over the pictures of ``pairs``): how long; one of the two. batch: scenes a step, over all
    processes; taken in `accumulate` parts. average: of the moving average of the weights, which is what comes out.
    precision: ``bfloat16`` computes in it where that is safe; ``auto`` does so where it is native. channels_last: how
    pictures lie in memory. device: ``auto`` takes the best; ``cpu``, ``cuda``, ``cuda:1``, ``mps``. seed: of weights,
    scenes and dropout. log_every: steps between lines of the log. checkpoint_minutes: between checkpoints.
    stages: patch sizes, one after the other.
    """

    network: NetworkConfig
    stages: tuple[Stage, ...]
    steps: int | None = None
    epochs: float | None = None
    batch: int = 8
    accumulate: int = 1
    average: float = 0.999
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    channels_last: bool = True
    device: str = "auto"
    seed: int = 1
    log_every: int = 50
    checkpoint_minutes: float = 4.0
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        above(self, "steps epochs batch accumulate log_every")
        above(self, "checkpoint_minutes seed", itself=True)
        if self.seed >= 2**63:
            raise ConfigError(f"seed is {self.seed}; it must be below 2^63")
        if (self.steps is None) == (self.epochs is None):
            raise ConfigError(f"steps is {self.steps} and epochs {self.epochs}; give one of the two")
        if self.epochs is not None and self.data.kind != "pairs":
            raise ConfigError("epochs is given, but simulated scenes never repeat; give steps instead")
        if self.batch % self.accumulate:
            raise ConfigError(
                f"batch is {self.batch}; it must be a multiple of accumulate, {self.accumulate}"
            )
        if not 0 <= self.average < 1:
            raise ConfigError(f"average is {self.average}; it must be at least 0 and below 1")
        ends = [stage.until for stage in self.stages]
        if not ends or ends[-1] != 1 or any(a >= b for a, b in pairwise(ends)):
            raise ConfigError(f"stages end at {ends} of the steps; give rising shares, the last of them 1")

    @property
    def largest_patch(self) -> int:
        """The largest patch of any stage, px."""
        return max(stage.patch for stage in self.stages)
