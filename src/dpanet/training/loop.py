"""The training loop: the scenes of a step, its gradients, the step, the average; then tell, judge and save.

A step depends on the weights and on its number alone: scenes and dropout are drawn from (seed, step). So a run that
was killed goes on from its last checkpoint and ends with the same weights, bit for bit, as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from dpanet.deblurrer.placement import keeping_memory
from dpanet.errors import ConfigError, TrainingError, WorkerError
from dpanet.network.build import AnyNetwork
from dpanet.network.dpdnet import DPDNet
from dpanet.training.batches import Batch, Batches
from dpanet.training.config import TrainingConfig
from dpanet.training.launch import Interruption, launch, own_device, parting, told, versions
from dpanet.training.losses import judge
from dpanet.training.run_folder import RunFolder
from dpanet.training.schedule import Schedule
from dpanet.training.source import Data, open_data
from dpanet.training.state import State, network_to_train, seed_generators
from dpanet.training.training_log import Entry, TrainingLog
from dpanet.training.validation import validate

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule

Ending = Literal["finished", "interrupted"]


def _nothing(step: int, steps: int) -> None:
    """Told of each step unless somebody else is."""


def train(
    run: RunFolder, say: Callable[[str], None] = print, stepped: Callable[[int, int], None] = _nothing
) -> Ending:
    """Train from the last checkpoint, or from the start, to the end.

    Args:   say: given each line of the log. stepped: told each step's number, and the last one's.
    Raises: ConfigError, DatasetError and alike before anything is written; later on, with what was reached saved,
            UnreadableImageError for a damaged picture, WorkerError if a process died; OutputError if a file cannot be
            written, TrainingError if the loss is no number any more, both with the last checkpoint intact.
    """
    settings, held = run.settings, run.read_checkpoint()
    network = network_to_train(settings, held)
    data = open_data(settings, own_device(settings))
    fabric = launch(settings, network.description)
    schedule = Schedule.of(settings, data.epoch)
    state = State(network, settings, fabric.device)
    state.restore(held)
    if state.step > schedule.steps:
        raise ConfigError(
            f"steps is {schedule.steps}, but {run.path} has made {state.step}; give at least as many"
        )
    learning = fabric.setup_module(_Learning(network))
    if fabric.is_global_zero:
        run.claim(state.step, f"{told(fabric)}, {versions()}")
        say(f"{run.path}: {state.told}, {data.told}, step {state.step} of {schedule.steps}, {told(fabric)}")

    began, saved = time.monotonic() - state.seconds, time.monotonic()
    with (
        parting(fabric),
        _released(run),
        keeping_memory(),
        Interruption() as interruption,
        TrainingLog(run, state.step, say, silent=not fabric.is_global_zero) as journal,
        Batches(data.training, schedule, state.step, fabric.global_rank, fabric.world_size) as batches,
    ):
        while state.step < schedule.steps:
            step = state.step
            with _saved_on_failure(run, state, fabric):
                seed_generators(settings.seed, step, fabric.global_rank)
                judged = _gradients(fabric, learning, batches.next_step(), settings)
                length = nn.utils.clip_grad_norm_(network.parameters(), settings.optimiser.clip or math.inf)
                loss, norm, stop = _agreed(fabric, judged, length, interruption.asked)
            if not math.isfinite(loss + norm):
                what = (
                    f"the loss became {loss}" if not math.isfinite(loss) else "the gradients became infinite"
                )
                raise run.no_number(what, step)
            state.advance(schedule.learning_rate(step), loss)
            state.seconds = time.monotonic() - began

            last = state.step == schedule.steps
            if last or state.step % settings.log_every == 0 or state.step % settings.validation.every == 0:
                entry = Entry(
                    state.step,
                    state.seconds,
                    schedule.learning_rate(step),
                    schedule.patch(step),
                    state.mean_loss(),
                )
                with _saved_on_failure(run, state, fabric):
                    _tell(entry, journal, run, state, data, fabric, last=last)
            if last or stop or time.monotonic() - saved >= 60 * settings.checkpoint_minutes:
                if fabric.is_global_zero:
                    run.save(state)
                saved = time.monotonic()
            stepped(state.step, schedule.steps)
            if stop and not last:
                return "interrupted"
    return "finished"


class _Learning(nn.Module):
    """A network whose call gives all pictures that are judged.

    Fabric computes in bfloat16, and joins processes, in the call alone; for a method that is marked as forward it
    does so only where there are several processes.
    """

    def __init__(self, network: AnyNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> list[Tensor]:
        if isinstance(self.network, DPDNet):
            return [self.network(left, right)]
        return self.network.with_scales(left, right)


def _gradients(
    fabric: Fabric, network: _FabricModule, parts: Iterator[Batch], settings: TrainingConfig
) -> Tensor:
    """Give the network the gradients of one global batch; returns this process's loss."""
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    losses = []
    for number, scenes in enumerate(parts, 1):
        left, right, truth = (part.to(fabric.device, memory_format=layout) for part in scenes)
        with fabric.no_backward_sync(network, enabled=number < settings.accumulate):
            whole, finest = judge(network(left, right), truth, settings.loss)
            fabric.backward(whole / settings.accumulate)
        losses.append(finest.detach())
    return torch.stack(losses).mean()


def _agreed(fabric: Fabric, loss: Tensor, norm: Tensor, asked: bool) -> tuple[float, float, bool]:
    """Loss and norm over all processes, and whether any of them was asked to stop."""
    mine = torch.stack((loss, norm, loss.new_tensor(float(asked))))
    reduced = fabric.all_reduce(mine)
    assert isinstance(reduced, Tensor)
    loss_of_all, norm_of_all, share = reduced.tolist()
    return loss_of_all, norm_of_all, share > 0


def _tell(
    entry: Entry,
    journal: TrainingLog,
    run: RunFolder,
    state: State,
    data: Data,
    fabric: Fabric,
    *,
    last: bool,
) -> None:
    """Write the line, with a validation where one is due; the best model so far is kept."""
    due = last or state.step % run.settings.validation.every == 0
    if data.validation is None or not due:
        return journal.write(entry)
    psnr, nothing, samples = validate(
        fabric, state.averaged, data.validation, run.settings.validation.samples
    )
    if psnr > state.best:
        state.best = psnr
        if fabric.is_global_zero:
            run.save_model(state, run.best)
    journal.write(replace(entry, psnr=psnr, nothing=nothing), samples)


@contextmanager
def _released(run: RunFolder) -> Iterator[None]:
    try:
        yield
    finally:
        run.release()


@contextmanager
def _saved_on_failure(run: RunFolder, state: State, fabric: Fabric) -> Iterator[None]:
    """What fails in here changes no weights: the state is whole, and is saved. A line of the log may be lost."""
    try:
        yield
    except Exception as error:
        if fabric.is_global_zero:
            run.save(state)
        said = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said:
            raise TrainingError(
                f"memory ran out at step {state.step}; go on with --resume {run.path} --set accumulate=N, "
                "which takes the batch in N parts"
            ) from error
        if fabric.world_size > 1 and isinstance(error, RuntimeError):
            raise WorkerError(
                f"a process of the run failed or ended at step {state.step} ({str(error).splitlines()[0]}); what was "
                f"reached is in {run.checkpoint}, so go on with --resume {run.path}"
            ) from error
        raise
