"""What changes as a run goes on: the learning rate, the patch size, the strength of the blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dpanet.training.config import OptimizerConfig, TrainingConfig
from dpanet.training.pair_source import epoch_steps


@dataclass(frozen=True)
class Schedule:
    """The schedule of a run."""

    config: TrainingConfig
    steps: int
    """Length of the run."""
    unit: float = 1.0
    """Steps in the unit of `OptimizerConfig.halve_every`: 1, or those of an epoch."""

    @classmethod
    def create(cls, config: TrainingConfig, pictures: int | None) -> Schedule:
        """Return the schedule of a run over so many pictures; None if pictures never repeat."""
        if config.steps is not None:
            return cls(config, config.steps)
        assert config.epochs is not None and pictures is not None
        return cls(config, epoch_steps(config.epochs, pictures, config.batch), pictures / config.batch)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        optimizer = self.config.optimizer
        return optimizer.learning_rate * rate(step, self.steps, optimizer, self.unit)

    def patch(self, step: int) -> int:
        """Return the side of the patches of a step, px."""
        return next(stage.patch for stage in self.config.stages if step < stage.until * self.steps)

    def strength(self, step: int) -> float:
        """Return the factor on simulated blur radii of a step, 0..1."""
        return self.config.data.strength(step, self.steps)


def rate(step: int, steps: int, config: OptimizerConfig, unit: float = 1.0) -> float:
    """Return the learning rate of a step as a fraction of the highest."""
    warm = min(1.0, (step + 1) / max(config.warmup, 1))
    if config.schedule == "constant":
        return warm
    if config.schedule == "halving":
        return warm * 0.5 ** int(step / (config.halve_every * unit))
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1.0))
    return warm * (config.final + (1 - config.final) * cosine)
