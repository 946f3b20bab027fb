"""The scenes of each step, made here, by a thread that reads ahead, or by processes that simulate ahead."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet.errors import WorkerError
from dpanet.simulation.workers import end_with_parent
from dpanet.training.config import DataConfig
from dpanet.training.schedule import Schedule
from dpanet.training.source import Source, simulator

Batch = tuple[Tensor, Tensor, Tensor]
"""left, right, truth, (N, 3, size, size) each."""

Order = tuple[list[list[int]], int, float]
"""What a source is asked for: seeds, size, strength."""

_source: Source | None = None
"""The simulator of this worker process."""


class Batches:
    """Step after step, the part of the global batch that falls to one of `processes`, in `accumulate` parts.

    Process r of P has the scenes r*B/P to (r+1)*B/P of a batch of B, so that all of them together make the same
    scenes whatever their number. The batches begin with `step`.
    """

    def __init__(
        self, source: Source, schedule: Schedule, step: int, rank: int = 0, processes: int = 1
    ) -> None:
        self.source, self.schedule, self.step = source, schedule, step
        self.rank, self.processes = rank, processes
        data = schedule.settings.data
        self._pool: Executor | None = None
        if data.kind == "pairs":
            self._pool, self._ahead = ThreadPoolExecutor(1), 2
        elif data.workers:
            self._pool, self._ahead = _processes(data), 2 * data.workers
        self._orders = self._all_orders()
        self._waiting: deque[Future[Batch | tuple[NDArray[np.float32], ...]]] = deque()

    def __enter__(self) -> Batches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def next_step(self) -> Iterator[Batch]:
        """The parts of the next step. Raises: WorkerError if a process died, and what the source raises."""
        for _ in range(self.schedule.settings.accumulate):
            yield self._next()

    def _next(self) -> Batch:
        if self._pool is None:
            return _parts(self.source, next(self._orders))
        for order in islice(self._orders, self._ahead + 1 - len(self._waiting)):
            if isinstance(self._pool, ProcessPoolExecutor):
                self._waiting.append(self._pool.submit(_simulate, order))
            else:
                self._waiting.append(self._pool.submit(_parts, self.source, order))
        try:
            made = self._waiting.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerError(
                "a process that simulates ended before its work was done; go on with dpanet train --resume, and with "
                "fewer data.workers if memory ran out"
            ) from error
        left, right, truth = (x if isinstance(x, Tensor) else torch.from_numpy(x) for x in made)
        return left, right, truth

    def _all_orders(self) -> Iterator[Order]:
        s = self.schedule.settings
        own = s.batch // self.processes
        part = own // s.accumulate
        for step in range(self.step, self.schedule.steps):
            size, strength = self.schedule.patch(step), self.schedule.strength(step)
            for first in range(self.rank * own, (self.rank + 1) * own, part):
                yield [[s.seed, step, index] for index in range(first, first + part)], size, strength


def _parts(source: Source, order: Order) -> Batch:
    made = source.scenes(*order)
    return made.left, made.right, made.truth


def _processes(data: DataConfig) -> ProcessPoolExecutor:
    """Fresh processes: a fork of one that has run torch may lock up."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(data.workers, spawn, initializer=_begin, initargs=(data,))


def _begin(data: DataConfig) -> None:
    """In a new process: leave interrupts to the parent, end with it, and open the photographs."""
    global _source
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _source = simulator(data)


def _simulate(order: Order) -> tuple[NDArray[np.float32], ...]:
    assert _source is not None
    return tuple(part.numpy() for part in _parts(_source, order))
