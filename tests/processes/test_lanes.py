import signal
import sys
import threading
import time
from collections.abc import Sequence

import pytest

from dpanet.processes.lanes import Lanes, StoppedError


class Notes:
    """Stages of jobs that are named by letters; notes what happens."""

    def __init__(self, *, bad: Sequence[str] = (), large: str = "", slow: Sequence[str] = ()) -> None:
        self.bad, self.large, self.slow = bad, large, slow
        self.said: list[str] = []
        self.happened: list[str] = []
        self.beside: list[str] = []
        self.computing = self.most = self.writing = 0

    def note(self, stage: str, job: str) -> None:
        time.sleep(0.1 if f"{stage} {job}" in self.slow else 0.004)
        self.happened.append(f"{stage} {job}")
        if f"{stage} {job}" in self.bad:
            raise ValueError(f"{stage} {job}")

    def read(self, job: str) -> str:
        self.note("read", job)
        return job.upper()

    def compute(self, job: str, data: str) -> str:
        assert threading.current_thread() is threading.main_thread()
        assert data == job.upper() and job in self.large and self.computing == self.writing == 0
        self.note("compute", job)
        return 2 * data

    def compute_beside(self, job: str, data: str) -> str:
        assert data == job.upper() and job not in self.large
        self.computing += 1
        self.most = max(self.most, self.computing)
        try:
            self.note("compute", job)
        finally:
            self.computing -= 1
        self.beside.append(job)
        return 2 * data

    def write(self, job: str, output: str) -> str:
        assert output == 2 * job.upper()
        self.writing += 1
        assert self.writing == 1
        try:
            self.note("write", job)
        finally:
            self.writing -= 1
        return f"{job} is written"

    def is_alone(self, data: str) -> bool:
        return data.lower() in self.large

    def finish(self, job: str, line: str) -> None:
        assert line == f"{job} is written"
        self.said.append(job)

    def fail(self, job: str, error: Exception) -> None:
        self.said.append(f"error: {error}")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_many_jobs_are_computed_at_a_time(count: int) -> None:
    notes = Notes(slow=[f"compute {job}" for job in "abcdef"])
    Lanes(notes, count).run("abcdefg")
    assert notes.said == [*"abcdefg"] and notes.most == count


@pytest.mark.parametrize("jobs", ["", "a"])
def test_few_jobs(jobs: str) -> None:
    notes = Notes()
    Lanes(notes, 2).run(jobs)
    assert notes.said == [*jobs]


def test_a_slow_job_does_not_hold_up_the_other_lane() -> None:
    notes = Notes(slow=["compute a"])
    Lanes(notes, 2).run("abcd")
    assert notes.said == [*"abcd"]
    at = notes.happened.index
    assert at("write b") < at("write c") < at("compute a")


@pytest.mark.parametrize("stage", ["read", "compute", "write"])
@pytest.mark.parametrize("slow", ["write a", "read c", "compute b", ""])
def test_errors_come_in_order_and_stop_no_other(stage: str, slow: str) -> None:
    notes = Notes(bad=(f"{stage} b", f"{stage} d"), slow=[slow])
    Lanes(notes, 2).run("abcd")
    assert notes.said == ["a", f"error: {stage} b", "c", f"error: {stage} d"]


@pytest.mark.parametrize("large", ["a", "b", "e", "ab", "abcde"])
def test_a_large_job_is_alone(large: str) -> None:
    notes = Notes(large=large, slow=["compute c"])
    Lanes(notes, 2).run("abcde")
    assert notes.said == [*"abcde"] and sorted(notes.beside) == sorted(set("abcde") - set(large))
    notes = Notes(large="b", bad=["write b"])
    Lanes(notes, 2).run("abc")
    assert notes.said == ["a", "error: write b", "c"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal for one thread")
def test_an_interrupt_leaves_what_is_not_computed() -> None:
    def wait_for_stop() -> None:
        while True:  # as long as the test's own limit
            lanes.check()
            time.sleep(0.005)

    class Interrupted(Notes):
        def compute_beside(self, job: str, data: str) -> str:
            if job == "b":
                wait_for_stop()
            if job == "c":
                while not self.said:  # a
                    time.sleep(0.005)
                signal.pthread_kill(main, signal.SIGINT)
                with pytest.raises(StoppedError):
                    wait_for_stop()
            return super().compute_beside(job, data)

    main = threading.get_ident()
    notes = Interrupted()
    lanes = Lanes(notes, 2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            lanes.run("abcdefgh")
    finally:
        signal.signal(signal.SIGINT, before)
    assert notes.said == ["a", "c"], "c was computed, and is written; b was not"
    assert sorted(notes.happened) == [
        "compute a",
        "compute c",
        *(f"read {job}" for job in "abc"),
        "write a",
        "write c",
    ]
