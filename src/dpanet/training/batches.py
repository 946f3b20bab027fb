"""The batches of one process, step after step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from types import TracebackType
from typing import Any

import torch

from dpanet.errors import WorkerError
from dpanet.training.data import Batch, Loader, Request
from dpanet.training.schedule import Schedule


class Batches:
    """The part of each global batch that one process trains on.

    Process r of P has the scenes r*B/P to (r+1)*B/P of a batch of B scenes, so all processes together train on the
    same scenes whatever their number. The loader is closed at the end of the `with` block.
    """

    def __init__(
        self, loader: Loader, schedule: Schedule, first_step: int, rank: int = 0, processes: int = 1
    ) -> None:
        self._loader, self._accumulate = loader, schedule.config.accumulate
        self._requests = _requests(schedule, first_step, rank, processes)
        self._waiting: deque[Future[Any]] = deque()

    def __enter__(self) -> Batches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loader.close()

    def next_step(self) -> Iterator[Batch]:
        """Yield the `accumulate` parts of the next step.

        Raises:
            WorkerError: if a worker process died. Errors of the source pass through.
        """
        for _ in range(self._accumulate):
            yield self._next()

    def _next(self) -> Batch:
        for request in islice(self._requests, self._loader.ahead + 1 - len(self._waiting)):
            self._waiting.append(self._loader.submit(request))
        try:
            parts = self._loader.receive(self._waiting.popleft().result())
        except BrokenProcessPool as error:
            raise WorkerError(
                "a process that simulates ended before its work was done; go on with dpanet train --resume, and with "
                "fewer data.workers if memory ran out"
            ) from error
        left, right, truth = (torch.as_tensor(part) for part in parts)
        return left, right, truth


def _requests(schedule: Schedule, first_step: int, rank: int, processes: int) -> Iterator[Request]:
    """Yield the requests of one process, in the order of their use."""
    config = schedule.config
    share = config.batch // processes
    part = share // config.accumulate
    for step in range(first_step, schedule.steps):
        size, strength = schedule.patch(step), schedule.strength(step)
        for first in range(rank * share, (rank + 1) * share, part):
            seeds = [[config.seed, step, index] for index in range(first, first + part)]
            yield Request(seeds, size, strength)
