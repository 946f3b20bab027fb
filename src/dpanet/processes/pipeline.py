"""Jobs one after another, where the next is read and the one before is written beside the network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from dpanet.processes.background import Background

Job = TypeVar("Job")
JobOnly = TypeVar("JobOnly", contravariant=True)
Input = TypeVar("Input")
Output = TypeVar("Output")


class Stages(Protocol[JobOnly, Input, Output]):
    """What is done with each job."""

    def read(self, job: JobOnly, /) -> Input:
        """Read its files; in a thread."""

    def compute(self, job: JobOnly, data: Input, /) -> Output:
        """Compute its result; in the calling thread."""

    def write(self, job: JobOnly, output: Output, /) -> str:
        """Write its files and return a line that says so; in a thread."""

    def is_alone(self, data: Input, /) -> bool:
        """Whether it needs so much memory that no other job may be read or written meanwhile.

        All its stages then run in the calling thread.
        """

    def finish(self, job: JobOnly, line: str, /) -> None:
        """Take the line of a job that is written; in the calling thread, as `fail`."""

    def fail(self, job: JobOnly, error: Exception, /) -> None:
        """Take the error of a job that failed, while it is handled."""


class Pipeline(Generic[Job, Input, Output]):
    """Runs jobs; at most one is read ahead, and at most one is still written.

    Lines and errors come in the order of the jobs. A job that fails stops no other.

    Args:
        stages: of each job.
    """

    def __init__(self, stages: Stages[Job, Input, Output]) -> None:
        self._stages = stages
        self._ahead: Background[Input] | None = None
        self._writing: tuple[Job, Background[str]] | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Run jobs. After an interrupt, the files of the job that is written become whole first."""
        try:
            for place, job in enumerate(jobs):
                self._run_job(job, jobs[place + 1 : place + 2])
        finally:
            self._finish_writing()

    def _run_job(self, job: Job, following: Sequence[Job]) -> None:
        """Read a job, if that was not begun, begin to read the one that follows, compute it, begin to write it."""
        stages = self._stages
        reading = self._ahead or Background(partial(stages.read, job))
        self._ahead = None
        try:
            data = reading.result()
        except Exception as error:
            self._fail(job, error)
            return
        del reading
        alone = stages.is_alone(data)
        if alone:
            self._finish_writing()
        elif following:
            self._ahead = Background(partial(stages.read, following[0]))
        try:
            output = stages.compute(job, data)
            del data
            line = stages.write(job, output) if alone else None
        except Exception as error:
            self._fail(job, error)
            return
        self._finish_writing()
        if line is None:
            self._writing = job, Background(partial(stages.write, job, output))
        else:
            stages.finish(job, line)

    def _finish_writing(self) -> None:
        """Wait until the job before is written, and say so."""
        if self._writing is None:
            return
        (job, writing), self._writing = self._writing, None
        try:
            writing.wait()
            line = writing.result()
        except Exception as error:
            self._stages.fail(job, error)
        else:
            self._stages.finish(job, line)

    def _fail(self, job: Job, error: Exception) -> None:
        """Say that a job failed, after what is to be said of the one before."""
        self._finish_writing()
        self._stages.fail(job, error)
