"""Scenes made by several processes at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from dpanet.errors import WorkerError
from dpanet.simulation.config import SimulationConfig
from dpanet.simulation.generator import SceneGenerator
from dpanet.simulation.scene_folder import Line, SceneFolder, write_scene

_AHEAD = 3
"""Scenes handed to a process at once, so that it never waits."""

_studio: SceneGenerator | None = None
"""The studio of this worker process."""


def make_scenes(
    recipe: SimulationConfig,
    held: SceneFolder,
    count: int,
    workers: int = 1,
    done: Callable[[Line], None] = lambda line: None,
) -> None:
    """Make the missing ones of the first `count` scenes of a recipe; `done` is told of each.

    The files are the same whatever the number of workers. With one, they are made in this process.

    Raises: UnreadableImageError for a damaged photograph, OutputError if a file cannot be written, WorkerError if
            a worker dies; scenes finished until then are kept, and the next call goes on with the missing ones.
    """
    missing = held.missing(count)
    try:
        made = (
            _alone(recipe, held.folder, missing)
            if workers == 1
            else _together(recipe, held, missing, workers)
        )
        for line in made:
            held.add(line)
            done(line)
    finally:
        held.close()


def suitable_workers(scenes: int) -> int:
    """One for each core, but none for fewer scenes than its start is worth."""
    return max(
        1,
        min(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            scenes // 16,
        ),
    )


def _alone(recipe: SimulationConfig, folder: Path, missing: Sequence[int]) -> Iterator[Line]:
    studio = SceneGenerator(recipe)
    for index in missing:
        yield write_scene(studio.scene(index), folder, index)


def _together(
    recipe: SimulationConfig, held: SceneFolder, missing: Sequence[int], workers: int
) -> Iterator[Line]:
    with _pool(recipe, min(workers, max(len(missing), 1))) as pool:
        left = iter(missing)
        running: set[Future[Line]] = set()
        try:
            while True:
                while len(running) < _AHEAD * workers and (index := next(left, None)) is not None:
                    running.add(pool.submit(_make, index, held.folder))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError(
                f"a worker process ended before its work was done, with {len(held.lines)} scenes in {held.folder}; "
                "give the same command again to go on, with fewer --workers or a smaller --size if memory ran out"
            ) from error


@contextmanager
def _pool(recipe: SimulationConfig, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes: a fork of one that has run torch may lock up."""
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(recipe,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(recipe: SimulationConfig) -> None:
    """In a new worker: leave an interrupt to the parent, end with it, and build the studio."""
    global _studio
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    _studio = SceneGenerator(recipe)


def end_with_parent() -> None:
    """Wait for the end of the parent, then end too; for a thread of a worker process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _make(index: int, folder: Path) -> Line:
    assert _studio is not None
    return write_scene(_studio.scene(index), folder, index)
