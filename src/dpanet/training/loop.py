"""The training loop.

A step depends on the weights and on its number alone: scenes and dropout are drawn from (seed, step). So a run that
is killed and resumed from its last checkpoint ends with the same weights, bit for bit, as one that is not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from dpanet.errors import ConfigError, TrainingError, WorkerError
from dpanet.network import Network
from dpanet.processes.interrupts import InterruptHandler
from dpanet.training.batches import Batches
from dpanet.training.config import TrainingConfig
from dpanet.training.data import Batch, OpenedData
from dpanet.training.launch import (
    choose_training_device,
    describe_device,
    describe_versions,
    launch,
    leave_process_group,
)
from dpanet.training.losses import compute_loss
from dpanet.training.run_folder import RunFolder
from dpanet.training.schedule import Schedule
from dpanet.training.state import State, create_network, seed_generators
from dpanet.training.training_log import Entry, TrainingLog
from dpanet.training.validation import Validation, validate

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule

Ending = Literal["finished", "interrupted"]


def train(
    run: RunFolder,
    report: Callable[[str], None] = print,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> Ending:
    """Train from the last checkpoint, or from the start, to the end or an interrupt.

    Args:
        run: the folder of the run.
        report: called with each line of the log.
        on_step: called after each step with its number and that of the last one.

    Raises:
        ConfigError, DatasetError, ...: before anything is written, if the config or the data are impossible.
        UnreadableImageError: for a damaged picture, after a checkpoint.
        WorkerError: if a process died, after a checkpoint.
        OutputError: if a file cannot be written; the last checkpoint remains.
        TrainingError: if the loss is not finite; the last checkpoint remains.
    """
    config, checkpoint = run.config, run.read_checkpoint()
    network = create_network(config, checkpoint)
    data = config.data.open(config, choose_training_device(config))
    fabric = launch(config, network.description, report)
    schedule = Schedule.create(config, data.pictures)
    state = State(network, config, fabric.device)
    if checkpoint is not None:
        state.restore(checkpoint)
    if state.step > schedule.steps:
        raise ConfigError(
            f"steps is {schedule.steps}, but {run.path} has finished {state.step}; give at least as many"
        )
    if fabric.is_global_zero:
        run.lock(state.step, f"{describe_device(fabric)}, {describe_versions()}")
        report(
            f"{run.path}: {state.description}, {data.description}, step {state.step} of {schedule.steps}, "
            f"{describe_device(fabric)}"
        )

    with leave_process_group(fabric), _release_at_end(run):
        return _run_steps(run, fabric, network, data, schedule, state, report, on_step)


def _run_steps(
    run: RunFolder,
    fabric: Fabric,
    network: Network,
    data: OpenedData,
    schedule: Schedule,
    state: State,
    report: Callable[[str], None],
    on_step: Callable[[int, int], None],
) -> Ending:
    """Run the steps that are left; the model that joins the processes ends with this function."""
    config = run.config
    model = fabric.setup_module(_AllOutputs(network))
    started, saved = time.monotonic() - state.seconds, time.monotonic()
    with (
        InterruptHandler() as interrupt,
        TrainingLog(run, state.step, report, silent=not fabric.is_global_zero) as log,
        Batches(
            config.data.loader(data.training), schedule, state.step, fabric.global_rank, fabric.world_size
        ) as batches,
    ):
        while state.step < schedule.steps:
            step = state.step
            with _save_on_failure(run, state, fabric):
                seed_generators(config.seed, step, fabric.global_rank)
                local_loss = _compute_gradients(fabric, model, batches.next_step(), config)
                local_norm = nn.utils.clip_grad_norm_(network.parameters(), config.optimizer.clip or math.inf)
                loss, norm, stop = _reduce(fabric, local_loss, local_norm, interrupt.requested)
            if not math.isfinite(loss):
                raise run.not_finite(f"the loss became {loss}", step)
            if not math.isfinite(norm):
                raise run.not_finite("the gradients became infinite", step)
            state.advance(schedule.learning_rate(step), loss)
            state.seconds = time.monotonic() - started

            is_last = state.step == schedule.steps
            validate_now = is_last or state.step % config.validation.every == 0
            if validate_now or state.step % config.log_every == 0:
                mean_loss = state.take_mean_loss()
                with _save_on_failure(run, state, fabric):
                    validation = _validate(run, state, data, fabric) if validate_now else None
                    entry = Entry(
                        state.step,
                        state.seconds,
                        schedule.learning_rate(step),
                        schedule.patch(step),
                        mean_loss,
                        psnr=None if validation is None else validation.psnr,
                        nothing=None if validation is None else validation.psnr_of_views,
                    )
                    log.write(entry, () if validation is None else validation.samples)
            if is_last or stop or time.monotonic() - saved >= 60 * config.checkpoint_minutes:
                if fabric.is_global_zero:
                    run.save(state)
                saved = time.monotonic()
            on_step(state.step, schedule.steps)
            if stop and not is_last:
                return "interrupted"
    return "finished"


class _AllOutputs(nn.Module):
    """A network whose `forward` returns all outputs that the loss compares, largest first.

    Fabric applies bfloat16, and joins processes, in `forward` alone; other methods that are marked as forward get
    both only where there are several processes.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> list[Tensor]:
        return self.network.with_scales(left, right)


def _compute_gradients(
    fabric: Fabric, model: _FabricModule, parts: Iterator[Batch], config: TrainingConfig
) -> Tensor:
    """Add up the gradients of one global batch in the network; return the mean loss of this process's parts."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    losses = []
    for number, batch in enumerate(parts, 1):
        left, right, truth = (part.to(fabric.device, memory_format=layout) for part in batch)
        with fabric.no_backward_sync(model, enabled=number < config.accumulate):
            total, logged = compute_loss(model(left, right), truth, config.loss)
            fabric.backward(total / config.accumulate)
        losses.append(logged.detach())
    return torch.stack(losses).mean()


def _reduce(fabric: Fabric, loss: Tensor, norm: Tensor, stop: bool) -> tuple[float, float, bool]:
    """Return the mean loss and norm of all processes, and whether any of them was asked to stop."""
    reduced = fabric.all_reduce(torch.stack((loss, norm, loss.new_tensor(float(stop)))))
    assert isinstance(reduced, Tensor)
    mean_loss, mean_norm, stopping = reduced.tolist()
    return mean_loss, mean_norm, stopping > 0


def _validate(run: RunFolder, state: State, data: OpenedData, fabric: Fabric) -> Validation | None:
    """Validate the moving average and save it if it is the best so far; return None without a validation set."""
    if data.validation is None:
        return None
    validation = validate(fabric, state.ema, data.validation, run.config.validation.samples)
    if validation.psnr > state.best:
        state.best = validation.psnr
        if fabric.is_global_zero:
            run.save_model(state, run.best)
    return validation


@contextmanager
def _release_at_end(run: RunFolder) -> Iterator[None]:
    """Release the lock of the folder at the end of the `with` block."""
    try:
        yield
    finally:
        run.release()


@contextmanager
def _save_on_failure(run: RunFolder, state: State, fabric: Fabric) -> Iterator[None]:
    """Save the state if the `with` block fails, which must not change any weights. A line of the log may be lost."""
    try:
        yield
    except Exception as error:
        if fabric.is_global_zero:
            run.save(state)
        text = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
            raise TrainingError(
                f"memory ran out at step {state.step}; go on with --resume {run.path} --set accumulate=N, "
                "which computes the batch in N parts"
            ) from error
        if fabric.world_size > 1 and isinstance(error, RuntimeError):
            raise WorkerError(
                f"a process of the run failed or ended at step {state.step} ({str(error).splitlines()[0]}); "
                f"{run.checkpoint} has all finished steps, so go on with --resume {run.path}"
            ) from error
        raise
