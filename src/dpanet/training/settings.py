"""What decides a training run; saved with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from dpanet.errors import SettingsError
from dpanet.simulation.scene import SceneSettings


@dataclass(frozen=True)
class TrainingSettings:
    """One run.

    The learning rate rises for `warmup` steps, then falls along half a cosine to `final` of it. Blurs begin at
    `easy` of their strength and reach all of it after `hardening` of the steps: from the start at full
    strength, nothing is learned for a long time. Patches are `small_patch` px until `growing` of the steps.
    The loss of each smaller picture that the network tells (`DPANet.with_scales`) counts `coarse` times.
    """

    preset: str = "compact"
    steps: int = 8000
    batch: int = 8
    patch: int = 256
    small_patch: int = 192
    growing: float = 0.5
    easy: float = 0.5
    hardening: float = 0.3
    learning_rate: float = 2e-3
    final: float = 0.01
    warmup: int = 300
    weight_decay: float = 1e-2
    beta2: float = 0.99
    clip: float = 0.1
    average: float = 0.999
    epsilon: float = 1e-3
    coarse: float = 0.5
    seed: int = 1
    scenes: SceneSettings = field(default_factory=SceneSettings)

    def __post_init__(self) -> None:
        for key in ("steps", "batch", "patch", "small_patch", "learning_rate", "epsilon"):
            if getattr(self, key) <= 0:
                raise SettingsError(f"{key} is {getattr(self, key)}; it must be above zero")
        if not 0 <= self.average < 1:
            raise SettingsError(f"average is {self.average}; it must be at least 0 and below 1")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
