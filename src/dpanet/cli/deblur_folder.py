"""Many pictures in one folder, and its log, by which finished ones are skipped when the command is given again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dpanet.cli.failure import describe_error, print_error
from dpanet.cli.jobs import DeblurredPair, Job, OpenedPair, Task
from dpanet.errors import ConfigError, OutputError, counted, shown
from dpanet.files.output import prepare_output
from dpanet.files.store import Store, file_identity, read_log
from dpanet.images.pairing import natural_key
from dpanet.processes.pipeline import Pipeline

LOG = ".dpanet.jsonl"
"""The log in an output folder; hidden, since it is no picture."""

Written = tuple[str, int | None, int | None]
"""SHA-256, size in bytes and time of change in ns of a file; the last two are None in logs of older versions."""


def deblur_folder(
    task: Task, jobs: list[Job], output: Path, key: dict[str, Any], overwrite: bool, left_out: int = 0
) -> int:
    """Deblur the pairs that are not finished, report what was done, and return how many pairs failed.

    Beside the network, the next pair is read and the one before is written.

    A pair is finished if an earlier run wrote it with the same key from the same files, and its outputs are there.
    The key does not depend on whether defocus maps are wanted: without them, the picture is the same.

    The log names the files of a pair when they are whole, just before they get their names, so that a command that
    is killed at any moment neither loses a pair nor takes its own picture for somebody else's.

    Args:
        task: what all pictures have in common.
        jobs: the pairs.
        output: the folder; its log is `LOG`.
        key: plain values that all pictures depend on.
        overwrite: deblur all pairs, finished ones too.
        left_out: number of captures that are no pairs, for the report.

    Raises:
        OutputError: if another process writes to the folder.
    """
    folders = {os.fspath(path.parent.absolute()) for job in jobs for path in job.outputs}
    with Store(output, LOG, inner=sorted(folders), order=natural_key) as store:
        finished = set() if overwrite else {job.name for job in jobs if _is_finished(store, job, key)}
        again = [j for j in jobs if j.name in store.entries and j.name not in finished and j.output.is_file()]
        if again and not overwrite:
            pairs = f"{counted(len(again), 'pair')} {'is' if len(again) == 1 else 'are'}"
            print(
                f"{shown(output)}: {pairs} deblurred again, since options, views or the program changed",
                flush=True,
            )
        for _ in finished:
            task.meter.next_file()
        stages = _FolderStages(task, store, key, overwrite)
        Pipeline(stages).run([job for job in jobs if job.name not in finished])
        failed = stages.failed
        done = counted(len(jobs) - len(finished) - failed, "pair")
        ending = (f", {failed} failed" if failed else "") + (f", {left_out} left out" if left_out else "")
        print(f"{shown(output)}: {done} deblurred, {len(finished)} skipped{ending}", flush=True)
    return failed


@dataclass
class _FolderStages:
    """What is done with each pair of a folder; see `Stages`."""

    task: Task
    """What all pictures have in common."""
    store: Store
    """Gets the results."""
    key: dict[str, Any]
    """Plain values that all pictures depend on."""
    overwrite: bool
    """Whether files may be replaced that the store has not written."""
    failed: int = 0
    """Number of pairs that failed."""

    def read(self, job: Job) -> tuple[dict[str, Any], OpenedPair]:
        own_key = _own_key(job, self.key)  # of the files as they are before they are read
        return own_key, self.task.read(job)

    def is_alone(self, data: tuple[dict[str, Any], OpenedPair]) -> bool:
        return data[1].large

    def compute(
        self, job: Job, data: tuple[dict[str, Any], OpenedPair]
    ) -> tuple[dict[str, Any], DeblurredPair]:
        own_key, opened = data
        return own_key, self.task.deblur(job, opened)

    def write(self, job: Job, output: tuple[dict[str, Any], DeblurredPair]) -> str:
        own_key, deblurred = output
        earlier = self.store.entries.get(job.name)
        same_picture = self.store.find(job.name, own_key) or {}

        def record(files: dict[Path, Path]) -> None:
            written = same_picture | {
                _name(path, self.store.folder): _describe(file) for path, file in files.items()
            }
            self.store.add(job.name, own_key, written, [job.output])

        try:
            return self.task.write(job, deblurred, self.overwrite or earlier is not None, record)
        except Exception:
            self.store.restore(job.name, earlier)
            raise

    def finish(self, job: Job, line: str) -> None:
        print(line, flush=True)  # above the bars of a terminal; at once in a file or pipe
        self.task.meter.next_file()

    def fail(self, job: Job, error: Exception) -> None:
        self.failed += 1
        # one that is impossible for a picture of this size, while others may be of another
        place = f"{shown(job.left)}: " if isinstance(error, ConfigError) else ""
        print_error(place + describe_error(error, "deblur", job.left))
        self.task.meter.next_file()


def list_written(folder: Path) -> dict[str, list[Written]]:
    """Return the absolute paths of the files that earlier runs wrote for a folder, each with all its versions."""
    files: dict[str, list[Written]] = {}
    for entry in read_log(folder / LOG):
        if isinstance(entry.value, dict):
            for name, value in entry.value.items():
                place = os.path.join(folder, name)  # noqa: PTH118  # many thousand files
                files.setdefault(real_path(place), []).append(_read_written(value))
    return files


def prepare_replaceable(
    path: Path,
    overwrite: bool,
    suffixes: tuple[str, ...],
    written: Mapping[str, list[Written]],
    *,
    probe: bool = True,
) -> None:
    """Check that `path` can be written: it is free, or may be overwritten, or is just as an earlier run wrote it.

    Args:
        path: of the file.
        overwrite: whether any file may be replaced.
        suffixes: that are allowed.
        written: of `list_written`.
        probe: whether to try to write in its folder.

    Raises:
        OutputError: if the file was changed since it was written; or as `prepare_output`.
        ConfigError: if the suffix is not allowed.
    """
    versions = written.get(real_path(path), ())
    own = any(_is_unchanged(path, version) for version in versions)
    if versions and not own and not overwrite and path.is_file():
        raise OutputError(
            f"{shown(path)} was changed since it was written; move it elsewhere, or replace it with --overwrite"
        )
    if probe or not own:
        prepare_output(path, overwrite or own, suffixes, probe=probe)


def real_path(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a file whose folder is reached without links."""
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)  # noqa: PTH118


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _own_key(job: Job, key: dict[str, Any]) -> dict[str, Any]:
    """Return what the picture of one pair depends on."""
    return key | {"files": [file_identity(view) for view in job.views]}


def _is_finished(store: Store, job: Job, key: dict[str, Any]) -> bool:
    """Whether a store has the picture of a pair with this key, and the maps that are wanted with it."""
    if job.name not in store.entries:
        return False
    try:
        written = store.find(job.name, _own_key(job, key))
    except OSError:  # a view is gone; the attempt to read it says so
        return False
    if not isinstance(written, dict):
        return False
    versions = {file: written.get(_name(file, store.folder)) for file in job.outputs}
    return all(
        value is not None and _is_unchanged(file, _read_written(value)) for file, value in versions.items()
    )


def _read_written(value: Any) -> Written:
    """Return what a log says of a file; logs of older versions have its SHA-256 alone."""
    digest, *rest = value if isinstance(value, list) and value else [value]
    size, changed = rest if len(rest) == 2 else (None, None)
    return str(digest), size, changed


def _is_unchanged(path: Path, written: Written) -> bool:
    """Whether a file is as it was written. It is read only if its size is the same and its time of change is not."""
    digest, size, changed = written
    try:
        status = path.stat()
        if size is not None and status.st_size != size:
            return False
        return (changed is not None and status.st_mtime_ns == changed) or _digest(path) == digest
    except OSError:
        return False


def _describe(file: Path) -> list[Any]:
    """Return what the log says of a file that is whole."""
    status = file.stat()
    return [_digest(file), status.st_size, status.st_mtime_ns]


def _name(file: Path, folder: Path) -> str:
    """Return the path of a file from a folder, with forward slashes."""
    try:
        return file.relative_to(folder).as_posix()
    except ValueError:
        return Path(os.path.relpath(file, folder)).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
