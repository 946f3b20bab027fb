"""Where a run computes: one device, or one for each process that torchrun started."""

from __future__ import annotations

import gc
import logging
import os
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from dpanet.engines.placement import choose_device, choose_precision
from dpanet.errors import ConfigError, WorkerError, counted
from dpanet.extras import check_command
from dpanet.network.description import Description
from dpanet.processes.torchrun import TORCHRUN, Processes, find_processes
from dpanet.training.config import TrainingConfig
from dpanet.version import __version__

if TYPE_CHECKING:
    from lightning_fabric import Fabric


PATIENCE = 20.0
"""Seconds after which a process says that it waits for the others."""


def choose_training_device(config: TrainingConfig) -> torch.device:
    """Return the device of this process.

    Raises:
        ConfigError: if this machine does not have the device.
    """
    device, processes = choose_device(config.device), find_processes()
    if device.type == "cuda" and processes.count > 1:
        if processes.local_rank >= torch.cuda.device_count():
            raise ConfigError(
                f"LOCAL_RANK of the environment is {processes.local_rank}, but torch finds "
                f"{counted(torch.cuda.device_count(), 'GPU')} on this machine; start one process for each GPU"
            )
        return torch.device("cuda", processes.local_rank)
    return device


def launch(config: TrainingConfig, description: Description, report: Callable[[str], None] = print) -> Fabric:
    """Return Lightning Fabric for this process, connected to the other processes of torchrun, if there are any.

    They communicate by NCCL between GPUs, and by gloo between CPUs. Other launchers, such as SLURM, are ignored.
    `report` is called with a line that says so when the other processes do not come.

    Raises:
        MissingPackageError: if a package of the extra `train` is missing.
        ConfigError: if this machine does not have the device, or the batch cannot be divided among the processes.
        WorkerError: if the other processes cannot be reached.
    """
    check_command("train")
    processes = find_processes()
    if config.batch % (processes.count * config.accumulate):
        raise ConfigError(
            f"batch is {config.batch}; it must be a multiple of {processes.count} processes times accumulate, "
            f"{config.accumulate}"
        )
    device = choose_training_device(config)
    bfloat16 = choose_precision(config.precision, device, description) is torch.bfloat16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from lightning_fabric import Fabric
        from lightning_fabric.plugins import MixedPrecision
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment
        from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    class Autocast(MixedPrecision):
        """Computes in bfloat16, but does not round the views to its eight bits."""

        def convert_input(self, data: Any) -> Any:
            return data

    class SingleProcess(LightningEnvironment):
        """One process, whatever the environment says."""

        @property
        def creates_processes_externally(self) -> bool:
            return True

        def local_rank(self) -> int:
            return 0

        def node_rank(self) -> int:
            return 0

    # Without an explicit environment, Fabric would look for SLURM's and others' variables.
    plugins: list[Any] = [TorchElasticEnvironment() if processes.count > 1 else SingleProcess()]
    if bfloat16:
        plugins.append(Autocast("bf16-mixed", device.type))
    devices: Any = processes.local_count
    if processes.count == 1 and device.index is not None:
        devices = [device.index]
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    with _ignore_variables("LT_"), _wait_for_others(processes, report):
        fabric = Fabric(
            accelerator=device.type,
            devices=devices,
            num_nodes=processes.count // processes.local_count,
            strategy="ddp" if processes.count > 1 else "auto",
            plugins=plugins,
        )
        fabric.launch()
    return fabric


@contextmanager
def _ignore_variables(prefix: str) -> Iterator[None]:
    """Hide the environment's variables with this prefix; those of Fabric would replace the arguments that it gets."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(prefix)}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _wait_for_others(processes: Processes, report: Callable[[str], None]) -> Iterator[None]:
    """Say, after a while, that the other processes have not come; raise WorkerError if they cannot be reached."""
    if processes.count == 1:
        yield
        return
    place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    remedy = (
        f"start all {processes.count} with torchrun, or, to train with one, unset {', '.join(TORCHRUN)} in the "
        "environment"
    )
    timer = threading.Timer(
        PATIENCE,
        report,
        [f"process {processes.rank} of {processes.count} waits at {place} for the others; {remedy}"],
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    except (RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise WorkerError(
            f"process {processes.rank} of {processes.count} cannot reach the others at {place} ({reason}); {remedy}"
        ) from error
    finally:
        timer.cancel()


@contextmanager
def leave_process_group(fabric: Fabric) -> Iterator[None]:
    """Leave the group of processes at the end of the `with` block, after waiting for the others if all went well.

    Torch would leave it at the end of the interpreter, which sometimes aborts there. The model that joins the
    processes must be freed before. If it held the last reference to the group, freeing it would wait, with Python's
    global lock, for a thread of the group that needs that lock.
    """
    if fabric.world_size == 1:
        yield
        return
    try:
        yield
        fabric.barrier()
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # whose variables keep the model
        raise
    finally:
        gc.collect()
        torch.distributed.destroy_process_group()


def describe_device(fabric: Fabric) -> str:
    """Return the number of processes, the device and the precision as text."""
    count = f"{fabric.world_size} x " if fabric.world_size > 1 else ""
    threads = f", {counted(torch.get_num_threads(), 'thread')}" if fabric.device.type == "cpu" else ""
    precision = "bfloat16" if fabric._precision.precision == "bf16-mixed" else "float32"
    return f"{count}{fabric.device.type}{threads}, {precision}"


def describe_versions() -> str:
    """Return the versions of this package and of torch, which determine the last bits of the weights."""
    return f"dpanet {__version__}, torch {torch.__version__}"
