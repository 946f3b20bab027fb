"""Many pictures in one folder, and its log, by which finished ones are skipped when the command is given again."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dpanet.engines.processor import count_cores
from dpanet.errors import ConfigError, counted, shown
from dpanet.files.store import Store, file_identity
from dpanet.files.written_files import describe_written, is_unchanged, name_from_folder, parse_written
from dpanet.images.pairing import natural_key
from dpanet.jobs.failure_list import FAILURES, FailureList
from dpanet.jobs.job import DeblurredPair, Job, OpenedPair, Task
from dpanet.jobs.result_lines import print_result
from dpanet.processes.lanes import Lanes
from dpanet.processes.pipeline import Pipeline
from dpanet.terminal.failure import describe_error, print_error

LOG = ".dpanet.jsonl"
"""The log in an output folder; hidden, since it is no picture."""

_LANES = 2
"""Pairs that are computed at a time."""

_FEWEST = 4
"""Pairs that are computed so: for fewer, loading the network again takes longer than it saves."""


def deblur_folder(
    task: Task, jobs: list[Job], output: Path, key: dict[str, Any], overwrite: bool, left_out: int = 0
) -> int:
    """Deblur the pairs that are not finished, report what was done, and return how many pairs failed.

    Where two pairs at a time, each on half of the cores, take less time than one after the other, they are deblurred
    so. Otherwise the next pair is read and the one before is written beside the network.

    A pair is finished if an earlier run wrote it with the same key from the same files, and its outputs are there.
    The key does not depend on whether defocus maps are wanted: without them, the picture is the same.

    The log names the files of a pair when they are whole, just before they get their names, so that a command that
    is killed at any moment neither loses a pair nor takes its own picture for somebody else's.

    Args:
        task: what all pictures have in common.
        jobs: the pairs.
        output: the folder; its log is `LOG`, and the list of the pairs that failed `FAILURES`.
        key: plain values that all pictures depend on.
        overwrite: deblur all pairs, finished ones too.
        left_out: number of captures that are no pairs, for the report.

    Raises:
        OutputError: if another process writes to the folder.
    """
    folders = {os.fspath(path.parent.absolute()) for job in jobs for path in job.outputs}
    with Store(output, LOG, inner=sorted(folders), order=natural_key) as store:
        finished = set() if overwrite else {job.name for job in jobs if is_finished(store, job, key)}
        again = [j for j in jobs if j.name in store.entries and j.name not in finished and j.output.is_file()]
        if again and not overwrite:
            pairs = f"{counted(len(again), 'pair')} {'is' if len(again) == 1 else 'are'}"
            again_line = (
                f"{shown(output)}: {pairs} deblurred again, since options, views or the program changed"
            )
            print_result(task.lines.remark(again_line))
        for job in jobs:
            if job.name in finished:
                print_result(task.lines.skipped(job.names))
                task.meter.skip_file()
        pending = [job for job in jobs if job.name not in finished]
        failures = FailureList.of_file(output / FAILURES)
        failures.begin(job.name for job in pending)
        stages = _FolderStages(task, store, key, overwrite, failures)
        try:
            if _gains_by_lanes(task, len(pending)):
                stages.run_lanes(pending)
            else:
                Pipeline(stages).run(pending)
        finally:
            failures.write()
        failed = stages.failed
        done = counted(len(jobs) - len(finished) - failed, "pair")
        ending = (f", {failed} failed" if failed else "") + (f", {left_out} left out" if left_out else "")
        line = f"{shown(output)}: {done} deblurred, {len(finished)} skipped{ending}"
        print_result(task.lines.remark(line))
    return failed


def _gains_by_lanes(task: Task, pairs: int) -> bool:
    engine, threads = task.deblurrer.engine, task.deblurrer.threads or count_cores()
    on_cores = engine.name == "onnxruntime" and engine.device == "cpu" and threads >= _LANES
    return on_cores and task.load_again is not None and pairs >= _FEWEST


@dataclass
class _FolderStages:
    """What is done with each pair of a folder; see `Stages` and `LaneStages`."""

    task: Task
    """What all pictures have in common."""
    store: Store
    """Gets the results."""
    key: dict[str, Any]
    """Plain values that all pictures depend on."""
    overwrite: bool
    """Whether files may be replaced that the store has not written."""
    failures: FailureList
    """Gets the sentences about pairs that fail."""
    failed: int = 0
    """Number of pairs that failed."""
    lane: Task | None = None
    """As `task`, for pairs beside which others are computed."""

    def run_lanes(self, jobs: list[Job]) -> None:
        """Run jobs, several at a time; they share a network of their own, since each gets fewer threads."""
        assert self.task.load_again is not None
        lanes = Lanes(self, _LANES)
        deblurrer = self.task.load_again(_LANES)
        deblurrer.progress = lambda done, total: lanes.check()
        self.lane = replace(self.task, deblurrer=deblurrer)
        self.task.meter.tiles(0, 1)  # the time begins
        lanes.run(jobs)

    def read(self, job: Job) -> tuple[dict[str, Any], OpenedPair]:
        own_key = key_of_pair(job, self.key)  # of the files as they are before they are read
        return own_key, self.task.read(job)

    def is_alone(self, data: tuple[dict[str, Any], OpenedPair]) -> bool:
        return data[1].large

    def compute(
        self, job: Job, data: tuple[dict[str, Any], OpenedPair]
    ) -> tuple[dict[str, Any], DeblurredPair]:
        own_key, opened = data
        return own_key, self.task.deblur(job, opened)

    def compute_beside(
        self, job: Job, data: tuple[dict[str, Any], OpenedPair]
    ) -> tuple[dict[str, Any], DeblurredPair]:
        own_key, opened = data
        assert self.lane is not None
        return own_key, self.lane.deblur(job, opened)

    def write(self, job: Job, output: tuple[dict[str, Any], DeblurredPair]) -> str:
        own_key, deblurred = output
        earlier = self.store.entries.get(job.name)
        same_picture = self.store.find(job.name, own_key) or {}

        def record(files: dict[Path, Path]) -> None:
            written = same_picture | {
                name_from_folder(path, self.store.folder): describe_written(file)
                for path, file in files.items()
            }
            self.store.add(job.name, own_key, written, [job.output])

        try:
            return self.task.write(job, deblurred, self.overwrite or earlier is not None, record)
        except Exception:
            self.store.restore(job.name, earlier)
            raise

    def finish(self, job: Job, line: str) -> None:
        self.failures.note(job.name, None)
        print_result(line)  # above the bars of a terminal
        self.task.meter.next_file()

    def fail(self, job: Job, error: Exception) -> None:
        self.failed += 1
        # one that is impossible for a picture of this size, while others may be of another
        place = f"{shown(job.left)}: " if isinstance(error, ConfigError) else ""
        sentence = place + describe_error(error, "deblur", job.left)
        self.failures.note(job.name, sentence)
        print_error(sentence)
        print_result(self.task.lines.failed(job.names, sentence))
        self.task.meter.next_file()


def key_of_pair(job: Job, key: dict[str, Any]) -> dict[str, Any]:
    """Return what the picture of one pair depends on."""
    return key | {"files": [file_identity(view) for view in job.views]}


def is_finished(store: Store, job: Job, key: dict[str, Any]) -> bool:
    """Whether a store has the picture of a pair with this key of the folder, and the maps that are wanted with it."""
    if job.name not in store.entries:
        return False
    try:
        own_key = key_of_pair(job, key)
    except OSError:  # a view is gone; the attempt to read it says so
        return False
    return is_written(store, job, own_key)


def is_written(store: Store, job: Job, own_key: dict[str, Any]) -> bool:
    """Whether a store has the outputs of a pair with this key of its own, as they were written."""
    written = store.find(job.name, own_key)
    if not isinstance(written, dict):
        return False
    versions = {file: written.get(name_from_folder(file, store.folder)) for file in job.outputs}
    return all(
        value is not None and is_unchanged(file, parse_written(value)) for file, value in versions.items()
    )
