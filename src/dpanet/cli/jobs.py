"""The pictures that `dpanet deblur` makes, and the log of a folder by which finished ones are skipped."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpanet.cli.failure import print_error
from dpanet.cli.progress import Meter
from dpanet.cli.views import Reader
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError, DpanetError, counted
from dpanet.files.output import prepare_output
from dpanet.files.store import Store, file_identity, read_log
from dpanet.images.defocus_map import color_file, write_defocus_map
from dpanet.images.pairing import natural_key
from dpanet.images.writing import write_picture
from dpanet.pair import Encoding

LOG = ".dpanet.jsonl"
"""The log in an output folder; hidden, since it is no picture."""


@dataclass(frozen=True)
class Job:
    """One picture to deblur."""

    name: str
    """Of the picture, unique in its folder."""
    left: Path
    """File of the left view."""
    right: Path
    """File of the right view."""
    output: Path
    """File of the picture."""
    defocus_map: Path | None = None
    """File of the defocus map, if it is wanted."""

    @property
    def map_paths(self) -> tuple[Path, ...]:
        """Paths of the defocus map and of its colored picture."""
        return () if self.defocus_map is None else (self.defocus_map, color_file(self.defocus_map))


@dataclass(frozen=True)
class Task:
    """What all pictures of a command have in common."""

    read: Reader
    """Reads the two views of a pair."""
    deblurrer: Deblurrer
    """Deblurs it."""
    encoding: Encoding | None
    """Encoding of the pictures, if not that of the views."""
    meter: Meter
    """Shows the progress."""

    def run(self, job: Job, overwrite: bool) -> str:
        """Read a pair, deblur it, write the picture and the defocus map; return a line that says so.

        Raises:
            DpanetError: if the pair is unusable or an output cannot be written.
        """
        start = time.perf_counter()
        pair = self.read(job.left, job.right)
        radius = None
        if job.defocus_map is None:
            picture = self.deblurrer(pair, output_encoding=self.encoding)
        else:
            picture, radius = self.deblurrer.with_defocus_map(pair, self.encoding)
        job.output.parent.mkdir(exist_ok=True)
        write_picture(picture, job.output, overwrite=overwrite)
        if job.defocus_map is not None and radius is not None:
            job.defocus_map.parent.mkdir(exist_ok=True)
            write_defocus_map(radius, job.defocus_map, overwrite)
        height, width = picture.pixels.shape[:2]
        return f"{job.output}: {width} x {height} px, {time.perf_counter() - start:.1f} s"


def deblur_folder(task: Task, jobs: list[Job], output: Path, key: dict[str, Any], overwrite: bool) -> int:
    """Deblur the pairs that are not finished, report what was done, and return how many pairs failed.

    A pair is finished if an earlier run wrote it with the same key from the same files, and its outputs are there.
    The key does not depend on whether defocus maps are wanted: without them, the picture is the same.

    Args:
        task: what all pictures have in common.
        jobs: the pairs.
        output: the folder; its log is `LOG`.
        key: plain values that all pictures depend on.
        overwrite: deblur all pairs, finished ones too.

    Raises:
        OutputError: if another process writes to the folder.
    """
    failed = skipped = 0
    with Store(output, LOG, order=natural_key) as store:
        finished = set() if overwrite else {job.name for job in jobs if _is_finished(store, job, key)}
        again = [j for j in jobs if j.name in store.entries and j.name not in finished and j.output.is_file()]
        if again and not overwrite:
            pairs = f"{counted(len(again), 'pair')} {'is' if len(again) == 1 else 'are'}"
            print(
                f"{output}: {pairs} deblurred again, since options, views or the program changed", flush=True
            )
        for job in jobs:
            try:
                if job.name in finished:
                    skipped += 1
                else:
                    own_key = _own_key(job, key)
                    same_picture = store.find(job.name, own_key) or {}
                    task.meter.say(task.run(job, overwrite or job.name in store.entries))
                    written = same_picture | _describe((job.output, *job.map_paths), output)
                    store.add(job.name, own_key, written, [job.output])
            except ConfigError as error:  # impossible for a picture of this size; others may be of another
                failed += 1
                print_error(f"{job.left}: {error}")
            except (DpanetError, OSError, MemoryError, RuntimeError) as error:
                failed += 1
                print_error(str(error) if isinstance(error, DpanetError) else f"{job.left}: {error}")
            task.meter.next_file()
    done = counted(len(jobs) - skipped - failed, "pair")
    print(f"{output}: {done} deblurred, {skipped} skipped" + (f", {failed} failed" if failed else ""))
    return failed


def list_written(folder: Path) -> dict[Path, str]:
    """Return the absolute paths of the files that earlier runs wrote for a folder, each with its SHA-256."""
    files: dict[Path, str] = {}
    for entry in read_log(folder / LOG):
        if isinstance(entry.value, dict):
            files |= {(folder / name).resolve(): str(digest) for name, digest in entry.value.items()}
    return files


def prepare_replaceable(
    path: Path, overwrite: bool, suffixes: tuple[str, ...], written: dict[Path, str]
) -> None:
    """Check that `path` can be written: it is free, or may be overwritten, or is just as an earlier run wrote it.

    Args:
        path: of the file.
        overwrite: whether any file may be replaced.
        suffixes: that are allowed.
        written: of `list_written`.

    Raises:
        OutputError: as `prepare_output`.
        ConfigError: if the suffix is not allowed.
    """
    digest = written.get(path.resolve())
    own = digest is not None and path.is_file() and digest == _digest(path)
    prepare_output(path, overwrite or own, suffixes)


def _own_key(job: Job, key: dict[str, Any]) -> dict[str, Any]:
    """Return what the picture of one pair depends on."""
    return key | {"files": [file_identity(job.left), file_identity(job.right)]}


def _is_finished(store: Store, job: Job, key: dict[str, Any]) -> bool:
    """Whether a store has the picture of a pair with this key, and the maps that are wanted with it."""
    try:
        written = store.find(job.name, _own_key(job, key))
    except OSError:  # a view is gone; the attempt to read it says so
        return False
    return written is not None and all(
        _name(file, store.folder) in written and file.is_file() for file in job.map_paths
    )


def _describe(files: tuple[Path, ...], folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file, by its path from the folder."""
    return {_name(file, folder): _digest(file) for file in files}


def _name(file: Path, folder: Path) -> str:
    """Return the path of a file from a folder, with forward slashes."""
    return Path(os.path.relpath(file, folder)).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
