from itertools import pairwise

import pytest
from training.conftest import small

from dpanet.training.config import OptimizerConfig
from dpanet.training.schedule import Schedule, rate


def test_rate_rises_and_falls() -> None:
    config = OptimizerConfig(warmup=100)
    rates = [rate(step, 1000, config) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01, abs=0.001)
    assert max(rates) == pytest.approx(1, abs=0.03)
    assert rates[-1] == pytest.approx(config.final, abs=1e-6)
    assert all(a >= b for a, b in pairwise(rates[100:]))


def test_halving_and_constant() -> None:
    halving = OptimizerConfig(warmup=0, schedule="halving", halve_every=60)
    epoch = 25.5  # steps
    rates = [rate(step, 0, halving, epoch) for step in (0, 1529, 1530, 3059, 3060)]
    assert rates == [1, 1, 0.5, 0.5, 0.25]
    constant = OptimizerConfig(warmup=4, schedule="constant")
    assert [rate(step, 0, constant) for step in (0, 1, 3, 99)] == [0.25, 0.5, 1, 1]


def test_stages_and_strength() -> None:
    config = small(
        steps=10,
        stages=[{"until": 0.25, "patch": 32}, {"until": 1.0, "patch": 64}],
        data={"curriculum": {"start": 0.5, "until": 0.4}},
    )
    schedule = Schedule.create(config, None)
    assert [schedule.patch(step) for step in range(10)] == [32] * 3 + [64] * 7
    assert [schedule.strength(step) for step in (0, 1, 2, 4, 9)] == pytest.approx([0.5, 0.625, 0.75, 1, 1])
    assert Schedule.create(small(), None).strength(0) == 1
    assert schedule.learning_rate(1) == pytest.approx(3e-3 * rate(1, 10, config.optimizer))


def test_epochs_are_counted_in_pictures() -> None:
    config = small(steps=None, epochs=2.0, batch=4, kind="pairs")
    schedule = Schedule.create(config, pictures=10)
    assert (schedule.steps, schedule.unit) == (5, 2.5)
