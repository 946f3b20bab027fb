"""Simulate scenes in several processes at once, and write them to a folder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dpanet.errors import WorkerError
from dpanet.processes.workers import prepare_worker
from dpanet.simulation.config import SimulationConfig
from dpanet.simulation.generator import SceneGenerator
from dpanet.simulation.scene_folder import SceneFolder, write_scene

_AHEAD = 3
"""Scenes submitted for each worker, so that it never waits for the next one."""

_SCENES_PER_WORKER = 16
"""Fewer scenes than this are not worth the start of another worker."""

_generator: SceneGenerator | None = None
"""The generator of this worker process."""


def write_scenes(
    config: SimulationConfig,
    folder: SceneFolder,
    count: int,
    workers: int = 1,
    on_written: Callable[[int], None] = lambda index: None,
) -> None:
    """Write the missing ones of the first `count` scenes of a config, then close the folder.

    The files are the same whatever the number of workers.

    Args:   workers: processes; with 1, everything is done in this one. on_written: called with the number of each
            scene that is finished.
    Raises: UnreadableImageError for a damaged photograph, OutputError if a file cannot be written, WorkerError if
            a worker dies; finished scenes stay, and the next call goes on with the missing ones.
    """
    missing = folder.missing(count)
    try:
        scenes = (
            _simulate_here(config, folder.folder, missing)
            if workers == 1
            else _simulate_in_workers(config, folder, missing, workers)
        )
        for scene in scenes:
            folder.add(scene)
            on_written(scene["index"])
    finally:
        folder.close()


def default_workers(scenes: int) -> int:
    """Choose the number of workers for so many scenes: one for each core, fewer for few scenes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, scenes // _SCENES_PER_WORKER))


def _simulate_here(
    config: SimulationConfig, folder: Path, indices: Sequence[int]
) -> Iterator[dict[str, Any]]:
    generator = SceneGenerator(config)
    for index in indices:
        yield write_scene(generator.generate(index), folder, index)


def _simulate_in_workers(
    config: SimulationConfig, folder: SceneFolder, indices: Sequence[int], workers: int
) -> Iterator[dict[str, Any]]:
    with _open_pool(config, min(workers, max(len(indices), 1))) as pool:
        remaining = iter(indices)
        running: set[Future[dict[str, Any]]] = set()
        try:
            while True:
                while len(running) < _AHEAD * workers and (index := next(remaining, None)) is not None:
                    running.add(pool.submit(_simulate_in_worker, index, folder.folder))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError(
                f"a worker process ended before its work was done, with {len(folder)} scenes in {folder.folder}; "
                "give the same command again to go on, with fewer --workers or a smaller --size if memory ran out"
            ) from error


@contextmanager
def _open_pool(config: SimulationConfig, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of new processes; a fork of a process that has run torch may deadlock."""
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(config,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(config: SimulationConfig) -> None:
    """Prepare a new worker: leave interrupts to the parent, end with it, and build the generator."""
    global _generator
    prepare_worker(signal.SIGINT)
    _generator = SceneGenerator(config)


def _simulate_in_worker(index: int, folder: Path) -> dict[str, Any]:
    assert _generator is not None
    return write_scene(_generator.generate(index), folder, index)
