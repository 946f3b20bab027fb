"""Where a run computes: one device, or all processes that torchrun started."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import torch

from dpanet.deblurrer.placement import choose_device, choose_precision
from dpanet.errors import ConfigError, counted
from dpanet.network.description import Description
from dpanet.training.config import TrainingConfig
from dpanet.version import __version__

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def check_installed() -> None:
    """Raises: ConfigError if what training needs beside the rest of the package is not there."""
    from importlib.util import find_spec

    missing = [name for name in ("lightning_fabric", "tensorboard") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"training needs {missing[0]}, which is not installed; run in the clone: "
            "pip install -c constraints.txt '.[train]'"
        )


@contextmanager
def parting(fabric: Fabric) -> Iterator[None]:
    """Take leave of the other processes at the end, where there are any.

    What torch leaves of the group to the end of the interpreter now and then aborts it there, after all was done.
    """
    ended = False
    try:
        yield
        ended = True
    finally:
        if fabric.world_size > 1:
            if ended:
                fabric.barrier()
            torch.distributed.destroy_process_group()


def own_device(settings: TrainingConfig) -> torch.device:
    """The device of this process. Raises: ConfigError for one that is not there."""
    device = choose_device(settings.device)
    if device.type == "cuda" and int(os.environ.get("WORLD_SIZE", 1)) > 1:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return device


def launch(settings: TrainingConfig, description: Description) -> Fabric:
    """Lightning Fabric for this process.

    Under torchrun it joins the other processes (NCCL between GPUs, gloo between processors), one device each;
    otherwise it takes one device.

    Raises: ConfigError for a device that is not there, or a batch that does not divide among the processes.
    """
    check_installed()
    processes, here = (int(os.environ.get(key, 1)) for key in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if settings.batch % (processes * settings.accumulate):
        raise ConfigError(
            f"batch is {settings.batch}; it must be a multiple of {processes} processes times accumulate, "
            f"{settings.accumulate}"
        )
    device = own_device(settings)
    bfloat16 = choose_precision(settings.precision, device, description) is torch.bfloat16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from lightning_fabric import Fabric
        from lightning_fabric.plugins import MixedPrecision

    class Autocast(MixedPrecision):
        """Leaves the views as they are: rounded to bfloat16, they would have eight bits, and the picture too."""

        def convert_input(self, data: Any) -> Any:
            return data

    devices: Any = here
    if processes == 1 and device.index is not None:
        devices = [device.index]
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=processes // here,
        strategy="ddp" if processes > 1 else "auto",
        plugins=Autocast("bf16-mixed", device.type) if bfloat16 else None,
    )
    fabric.launch()
    return fabric


def told(fabric: Fabric) -> str:
    """Where it computes, in words."""
    count = f"{fabric.world_size} x " if fabric.world_size > 1 else ""
    threads = f", {counted(torch.get_num_threads(), 'thread')}" if fabric.device.type == "cpu" else ""
    precision = "bfloat16" if fabric._precision.precision == "bf16-mixed" else "float32"
    return f"{count}{fabric.device.type}{threads}, {precision}"


def versions() -> str:
    """Of this package and of torch, which decide the last bits of a run."""
    return f"dpanet {__version__}, torch {torch.__version__}"


class Interruption:
    """While it lasts, an interrupt (Ctrl-C, SIGTERM) is only noted, so that the step can end; a second one is not."""

    asked = False

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in self._before:
            signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
