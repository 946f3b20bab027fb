"""Training data that is simulated from photographs as training goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dpanet.datasets.photographs import (
    check_photographs,
    scikit_image_photographs,
    split_photographs,
)
from dpanet.errors import ConfigError, counted
from dpanet.files.config_checks import require_at_least, require_fraction
from dpanet.processes.workers import prepare_worker
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig
from dpanet.training.data import (
    NO_VALIDATION,
    Loader,
    OpenedData,
    Request,
    Source,
    ValidationSet,
    load_batch,
    require_folder,
)

if TYPE_CHECKING:
    from dpanet.training.config import TrainingConfig

SCIKIT_IMAGE = "scikit-image"
"""Value of `SimulatedData.photographs` that needs no folder."""

_PAGE_SEED = 20
"""Seed of the printed pages to train on; the next one is that of the pages for validation."""


@dataclass(frozen=True)
class Curriculum:
    """Blur that grows in the first part of a run."""

    start: float = 1.0
    """Blur of the first step, as a fraction of its full strength."""
    until: float = 0.0
    """Fraction of the steps after which the blur has its full strength."""

    def __post_init__(self) -> None:
        require_fraction(self, "start", "until")

    def strength(self, step: int, steps: int) -> float:
        """Return the factor on blur radii at a step of a run of `steps`, 0..1."""
        if self.until == 0:
            return 1.0
        return min(1.0, self.start + (1 - self.start) * step / (self.until * steps))


@dataclass(frozen=True)
class SimulatedData:
    """Pairs simulated from photographs."""

    kind: Literal["simulated"] = "simulated"
    photographs: str = ""
    """Folder of sharp photographs (see `split_photographs`), or ``scikit-image`` for the ones of that package."""
    kernels: str = ""
    """Folder of the kernels of a measured lens; needed if `scenes.measured` is above 0."""
    curriculum: Curriculum = field(default_factory=Curriculum)
    workers: int = 0
    """Processes that simulate ahead of need; 0 simulates in the training process."""
    scenes: SceneConfig = field(default_factory=SceneConfig)

    repeats: ClassVar[bool] = False
    """Whether a run sees the same pictures again, so that its length can be given in epochs."""
    paths: ClassVar[tuple[str, ...]] = ("photographs", "kernels")
    """Fields that are paths."""
    resumable: ClassVar[tuple[str, ...]] = ("photographs", "kernels", "workers")
    """Fields that may change when a run is resumed."""

    def __post_init__(self) -> None:
        require_at_least(self, 0, "workers")

    def strength(self, step: int, steps: int) -> float:
        """Return the factor on blur radii at a step of a run of `steps`, 0..1."""
        return self.curriculum.strength(step, steps)

    def open(self, config: TrainingConfig, device: torch.device | str = "cpu") -> OpenedData:
        """Open the photographs and kernels, and check all that can be checked before training: each is decoded once.

        Raises:
            ConfigError: naming the key that is missing or not a folder.
            DatasetError: naming the files that are missing or cannot be used.
        """
        training = self.simulator(device)
        assert training is not None
        held_out = self.simulator(device, held_out=True)
        for simulator in (training, held_out):
            if simulator is not None and isinstance(simulator.photographs, PhotoCache):
                check_photographs(simulator.photographs.files)
        text = counted(len(training.photographs), "photograph")
        if held_out is None:
            return OpenedData(training, None, None, f"{text}, {NO_VALIDATION}")
        validation = ValidationSet(held_out, config.validation.scenes, config.validation.patch)
        return OpenedData(training, validation, None, f"{text}, {len(held_out.photographs)} held out")

    def simulator(self, device: torch.device | str = "cpu", *, held_out: bool = False) -> Simulator | None:
        """Return the simulator of the photographs to train on, or of those held out; None if there are none.

        It raises what `open` does.
        """
        needs_kernels = self.scenes.measured > 0
        if needs_kernels and not self.kernels and not self.photographs:
            raise ConfigError(
                "data.photographs and data.kernels are missing; give a folder of sharp photographs and one of "
                "measured kernels by --set data.photographs=FOLDER data.kernels=FOLDER, or do without kernels by "
                "--set data.scenes.measured=0"
            )
        kernels = None
        if needs_kernels:
            folder = require_folder(
                self.kernels, "data.kernels", "measured kernels", "or data.scenes.measured=0"
            )
            kernels = MeasuredKernels.read(folder)
        photographs: Sequence[torch.Tensor]
        if self.photographs == SCIKIT_IMAGE:
            photographs = scikit_image_photographs(held_out)
        else:
            folder = require_folder(
                self.photographs, "data.photographs", "sharp photographs", f"or {SCIKIT_IMAGE}"
            )
            photographs = PhotoCache(split_photographs(folder)[held_out])
        if not len(photographs):
            return None
        pages = max(1, self.scenes.pages // 8) if held_out else self.scenes.pages
        scenes = replace(self.scenes, pages=pages)
        return Simulator(photographs, kernels, scenes, device, page_seed=_PAGE_SEED + held_out)

    def loader(self, source: Source) -> Loader:
        """Return a loader of batches from a source, or from worker processes that simulate the same scenes."""
        if not self.workers:
            return Loader(partial(load_batch, source))
        return WorkerLoader(self)


class WorkerLoader(Loader):
    """Loads batches that processes simulate ahead of need.

    Batches come through files: a process that is killed while it sends one through the pool's own pipe would leave
    half of it there, and the parent would wait for ever. A path is short enough to be sent whole or not at all.
    """

    def __init__(self, data: SimulatedData) -> None:
        self._folder = TemporaryDirectory(prefix="dpanet-batches-")
        spawn = multiprocessing.get_context("spawn")  # a fork of a process that has run torch may deadlock
        setup = (data, Path(self._folder.name))
        pool = ProcessPoolExecutor(data.workers, spawn, initializer=_start_worker, initargs=setup)
        super().__init__(_load_in_worker, pool, 2 * data.workers)

    def receive(self, result: Path) -> tuple[NDArray[np.float32], ...]:
        with result.open("rb") as file:
            parts = tuple(np.load(file) for _ in range(3))
        result.unlink()
        return parts

    def close(self) -> None:
        super().close()
        self._folder.cleanup()


_source: Source | None = None
"""The simulator of this worker process."""
_results = Path()
"""The folder of its batches."""


def _start_worker(data: SimulatedData, results: Path) -> None:
    """Prepare a new worker: leave interrupts to the parent, end with it, and open the photographs."""
    global _source, _results
    prepare_worker(signal.SIGINT, signal.SIGTERM)
    torch.set_num_threads(1)
    _source, _results = data.simulator(), results


def _load_in_worker(request: Request) -> Path:
    """Simulate a batch and return the file that holds its parts."""
    assert _source is not None
    descriptor, name = mkstemp(".npy", dir=_results)
    with os.fdopen(descriptor, "wb") as file:
        for part in load_batch(_source, request):
            np.save(file, part.numpy())
    return Path(name)
