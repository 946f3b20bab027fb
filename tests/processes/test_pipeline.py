import threading
import time
from collections.abc import Sequence

import pytest

from dpanet.processes.pipeline import Pipeline


class Notes:
    """Stages of jobs that are named by letters; notes what happens."""

    def __init__(self, *, bad: Sequence[str] = (), large: str = "", slow: str = "") -> None:
        self.bad, self.large, self.slow = bad, large, slow
        self.said: list[str] = []
        self.happened: list[str] = []
        self.threads: set[str] = set()
        self.reading = self.writing = 0

    def note(self, stage: str, job: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.threads.add(stage)
        time.sleep(0.05 if f"{stage} {job}" == self.slow else 0.002)
        self.happened.append(f"{stage} {job}")
        if f"{stage} {job}" in self.bad:
            raise ValueError(f"{stage} {job}")

    def read(self, job: str) -> str:
        self.reading += 1
        assert self.reading <= 2, "one is computed, one read ahead"
        self.note("read", job)
        return job.upper()

    def compute(self, job: str, data: str) -> str:
        assert data == job.upper()
        self.note("compute", job)
        self.reading -= 1
        return 2 * data

    def write(self, job: str, output: str) -> str:
        assert output == 2 * job.upper()
        self.writing += 1
        assert self.writing == 1
        self.note("write", job)
        self.writing -= 1
        return f"{job} is written"

    def is_alone(self, data: str) -> bool:
        return data.lower() in self.large

    def finish(self, job: str, line: str) -> None:
        assert line == f"{job} is written"
        self.said.append(job)

    def fail(self, job: str, error: Exception) -> None:
        self.reading -= str(error).startswith(("read", "compute"))
        self.writing -= str(error).startswith("write")
        self.said.append(f"error: {error}")


def test_the_next_job_is_read_and_the_one_before_written_beside_each() -> None:
    notes = Notes(slow="compute b")
    Pipeline(notes).run("abcd")
    assert notes.said == [*"abcd"] and notes.threads == {"read", "write"}
    place = notes.happened.index
    assert place("read c") < place("compute b") and place("write a") < place("compute b")


@pytest.mark.parametrize("jobs", ["", "a"])
def test_few_jobs(jobs: str) -> None:
    notes = Notes()
    Pipeline(notes).run(jobs)
    assert notes.said == [*jobs]


@pytest.mark.parametrize("stage", ["read", "compute", "write"])
@pytest.mark.parametrize("slow", ["write a", "read c", "write b", ""])
def test_errors_come_in_order_and_stop_no_other(stage: str, slow: str) -> None:
    notes = Notes(bad=(f"{stage} b", f"{stage} d"), slow=slow)
    Pipeline(notes).run("abcd")
    assert notes.said == ["a", f"error: {stage} b", "c", f"error: {stage} d"]


def test_a_large_job_is_alone() -> None:
    notes = Notes(large="b", slow="write a")
    Pipeline(notes).run("abc")
    assert notes.said == [*"abc"]
    at = notes.happened.index
    assert at("write a") < at("compute b") < at("write b") < at("read c")
    notes = Notes(large="b", bad=["write b"])
    Pipeline(notes).run("abc")
    assert notes.said == ["a", "error: write b", "c"]


def test_an_interrupt_finishes_what_is_written() -> None:
    class Interrupted(Notes):
        def compute(self, job: str, data: str) -> str:
            if job == "c":
                raise KeyboardInterrupt
            return super().compute(job, data)

    notes = Interrupted(slow="write b")
    with pytest.raises(KeyboardInterrupt):
        Pipeline(notes).run("abcd")
    assert notes.said == ["a", "b"]
