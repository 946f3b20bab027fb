"""What changes as a run goes on: the learning rate, the patch, the strength of the blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dpanet.training.config import OptimizerConfig, TrainingConfig
from dpanet.training.pairs import epoch_steps


@dataclass(frozen=True)
class Schedule:
    """Of a run of `steps` steps; `unit` is the number of steps (1, or those of an epoch) its settings count in."""

    settings: TrainingConfig
    steps: int
    unit: float = 1.0

    @classmethod
    def of(cls, settings: TrainingConfig, epoch: int | None) -> Schedule:
        """Of a run over `epoch` different pictures, where they repeat."""
        if settings.steps is not None:
            return cls(settings, settings.steps)
        assert settings.epochs is not None and epoch is not None
        return cls(settings, epoch_steps(settings.epochs, epoch, settings.batch), epoch / settings.batch)

    def learning_rate(self, step: int) -> float:
        """For the step that has `step` before it."""
        s = self.settings.optimiser
        return s.learning_rate * rate(step, self.steps, s, self.unit)

    def patch(self, step: int) -> int:
        """Pixels a side."""
        return next(s.patch for s in self.settings.stages if step < s.until * self.steps)

    def strength(self, step: int) -> float:
        """The share of its blur that a simulated scene keeps."""
        data = self.settings.data
        if data.hardening == 0:
            return 1.0
        return min(1.0, data.easy + (1 - data.easy) * step / (data.hardening * self.steps))


def rate(step: int, steps: int, settings: OptimizerConfig, unit: float = 1.0) -> float:
    """The learning rate as a share of the highest."""
    warm = min(1.0, (step + 1) / max(settings.warmup, 1))
    if settings.schedule == "constant":
        return warm
    if settings.schedule == "halving":
        return warm * 0.5 ** int(step / (settings.halve_every * unit))
    fallen = 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1.0))
    return warm * (settings.final + (1 - settings.final) * fallen)
