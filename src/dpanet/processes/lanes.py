"""Several jobs at a time, each from reading to writing in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Generic, Protocol

from dpanet.processes.background import Background
from dpanet.processes.pipeline import Input, Job, JobOnly, Output, Stages


class StoppedError(Exception):
    """A job was left because the user interrupted."""


class LaneStages(Stages[JobOnly, Input, Output], Protocol[JobOnly, Input, Output]):
    """What is done with each job; `compute` takes those that must be alone."""

    def compute_beside(self, job: JobOnly, data: Input, /) -> Output:
        """Compute its result, while other jobs are computed in other threads."""


class Lanes(Generic[Job, Input, Output]):
    """Runs jobs, several at a time. Files are written by one job at a time.

    Lines and errors come in the order of the jobs. A job that fails stops no other. A job that must be alone is read
    again when no other is at work, and computed and written in the calling thread.

    Args:
        stages: of each job.
        count: jobs at a time.
    """

    def __init__(self, stages: LaneStages[Job, Input, Output], count: int) -> None:
        self._stages = stages
        self._count = count
        self._ended = 0
        self._change = threading.Condition()
        self._writing = threading.Lock()
        self._stopped = False
        self._started: deque[tuple[Job, Background[str | None]]] = deque()

    def run(self, jobs: Sequence[Job]) -> None:
        """Run jobs. After an interrupt, jobs that are computed are still written, and no other is begun."""
        waiting = deque(enumerate(jobs))
        try:
            while waiting or self._started:
                # twice as many, so that no lane stands still while the job before is slow
                while waiting and len(self._started) < 2 * self._count:
                    place, job = waiting.popleft()
                    self._started.append((job, Background(partial(self._take_lane, place, job))))
                self._finish_first()
        finally:
            self._stopped = True
            while self._started:
                self._started[0][1].wait()
                self._finish_first()

    def check(self) -> None:
        """Raise StoppedError after an interrupt; for stages to call now and then."""
        if self._stopped:
            raise StoppedError

    def _take_lane(self, place: int, job: Job) -> str | None:
        """Run a job when it is its turn."""
        with self._change:
            self._change.wait_for(lambda: place < self._ended + self._count)
        try:
            return self._run_job(job)
        finally:
            with self._change:
                self._ended += 1
                self._change.notify_all()

    def _run_job(self, job: Job) -> str | None:
        """Return the line of a job, or None if it must be alone."""
        self.check()
        data = self._stages.read(job)
        if self._stages.is_alone(data):
            return None
        self.check()
        output = self._stages.compute_beside(job, data)
        del data
        with self._writing:
            return self._stages.write(job, output)

    def _finish_first(self) -> None:
        """Wait for the job that was started first, and say what became of it. An interrupt comes at once."""
        job, work = self._started[0]
        try:
            line = work.result()
        except StoppedError:
            self._started.popleft()
        except Exception as error:
            self._started.popleft()
            self._stages.fail(job, error)
        else:
            self._started.popleft()
            if line is not None:
                self._stages.finish(job, line)
            elif not self._stopped:
                self._run_alone(job)

    def _run_alone(self, job: Job) -> None:
        for _, other in self._started:
            other.wait()
        stages = self._stages
        try:
            line = stages.write(job, stages.compute(job, stages.read(job)))
        except Exception as error:
            stages.fail(job, error)
        else:
            stages.finish(job, line)
