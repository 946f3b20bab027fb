"""Steps a second of `dpanet train` against a bare loop, and the simulator's share.

python benchmarks/training_speed.py [CONFIG] [--set KEY=VALUE ...] [--steps N] [--rounds N]
    CONFIG is compact by default, on scikit-image's photographs and ramped discs unless --set changes that. The bare
    loop simulates the same scenes and takes the same steps with the same optimizer, without Fabric, moving average,
    log or checkpoints; `dpanet train` writes a line of the log at each step here, more often than usual. The two
    alternate. Times are of the clock, and of the processor (which other work on the machine does not change);
    validation is left out of both, and the time of a checkpoint is listed separately.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch

from dpanet.engines.allocator import reuse_freed_memory
from dpanet.engines.placement import choose_precision
from dpanet.training.config import Stage, TrainingConfig
from dpanet.training.config_file import load_config
from dpanet.training.launch import choose_training_device
from dpanet.training.loop import train
from dpanet.training.losses import compute_loss
from dpanet.training.optimizer import Optimizer
from dpanet.training.run_folder import RunFolder
from dpanet.training.schedule import Schedule
from dpanet.training.state import create_network

HERE = ("data.photographs=scikit-image", "data.scenes.measured=0", "data.scenes.pages=10")

WARM_UP = 3
"""Steps at the start that are not counted."""

Times = list[tuple[float, float]]
"""Seconds of the clock and of the processor, for each step."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", nargs="?", default="compact")
    parser.add_argument("--set", nargs="*", action="extend", default=[])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    config = load_config(options.config, [*HERE, *options.set])
    patch, batch = config.largest_patch, config.batch
    config = replace(
        config,
        steps=WARM_UP + options.steps + 1,
        log_every=1,
        stages=(Stage(1.0, patch),),
        validation=replace(config.validation, every=10**9, scenes=1),
    )
    bare: Times = []
    whole: Times = []
    simulated: Times = []
    for _ in range(options.rounds):
        steps, scenes = bare_loop(config)
        bare += steps
        simulated += scenes
        whole += dpanet_train(config)
    saving = dpanet_train(replace(config, checkpoint_minutes=0.0))
    print(
        f"{options.config}, {batch} patches of {patch} px, {choose_training_device(config).type}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    for clock, name in enumerate(("clock", "processor")):
        one, other, scenes_of, with_checkpoint = (
            statistics.median(seconds[clock] for seconds in times)
            for times in (bare, whole, simulated, saving)
        )
        print(
            f"{name:9}  bare loop {1 / one:.2f} steps a second ({batch / one:.1f} patches), dpanet train "
            f"{1 / other:.2f} ({batch / other:.1f}), {100 * (other / one - 1):+.1f} % a step; simulation "
            f"{100 * scenes_of / one:.0f} % of the bare step; a checkpoint {with_checkpoint - other:.2f} s"
        )


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def between(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    return after[0] - before[0], after[1] - before[1]


def bare_loop(config: TrainingConfig) -> tuple[Times, Times]:
    """Return the times of each step, and those of its simulation."""
    device = choose_training_device(config)
    network = create_network(config).to(device).train()
    source = config.data.open(config, device).training
    optimizer, schedule = Optimizer(network, config.optimizer), Schedule.create(config, None)
    half = choose_precision(config.precision, device, network.description) is torch.bfloat16
    steps: Times = []
    simulated: Times = []
    with reuse_freed_memory():
        for step in range(schedule.steps):
            began = now()
            seeds = [[config.seed, step, index] for index in range(config.batch)]
            scenes = source.scenes(seeds, schedule.patch(step), schedule.strength(step))
            _wait(device)
            simulated.append(between(began, now()))
            left, right, truth = (x.to(device, memory_format=torch.channels_last) for x in scenes[:3])
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                scaled = getattr(network, "with_scales", None)
                pictures = [network(left, right)] if scaled is None else scaled(left, right)
            loss, _ = compute_loss(pictures, truth, config.loss)
            network.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if config.optimizer.clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), config.optimizer.clip)
            optimizer.step(schedule.learning_rate(step))
            _wait(device)
            steps.append(between(began, now()))
    return steps[WARM_UP:-1], simulated[WARM_UP:-1]


def dpanet_train(config: TrainingConfig) -> Times:
    """Return the times of each step but the last one, which has a validation."""
    ended: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name, reuse_freed_memory():  # as the command does
        run = RunFolder.create(Path(name) / "run", config)
        train(run, lambda line: None, lambda step, steps: ended.append(now()))
    return [between(*pair) for pair in pairwise(ended[WARM_UP - 1 : -1])]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
