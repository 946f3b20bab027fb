"""Files that earlier runs wrote, as the log of a folder describes them: whether they are still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dpanet.errors import counted, shown
from dpanet.files.output import prepare_output
from dpanet.files.store import read_log

Written = tuple[str, int | None, int | None]
"""SHA-256, size in bytes and time of change in ns of a file; the last two are None in logs of older versions."""


_NAMED = 3
"""Files that a sentence names at most."""


@dataclass(frozen=True)
class ForeignFile:
    """A file in the place of an output that is not as an earlier run wrote it, so that it is left as it is."""

    name: str
    """As it is shown."""
    changed: bool
    """Whether it was written by an earlier run and changed since; otherwise, it is of another program."""

    @property
    def sentence(self) -> str:
        """What it is, and what to do."""
        what = "was changed since it was written" if self.changed else "exists already"
        return f"{self.name} {what}; move it elsewhere, or add --overwrite to replace it"


def list_written(log: Path) -> dict[str, list[Written]]:
    """Return the absolute paths of the files that a log describes, each with all its versions."""
    files: dict[str, list[Written]] = {}
    for entry in read_log(log):
        if isinstance(entry.value, dict):
            for name, value in entry.value.items():
                place = os.path.join(log.parent, name)  # noqa: PTH118  # many thousand files
                files.setdefault(real_path(place), []).append(parse_written(value))
    return files


def prepare_replaceable(
    path: Path,
    overwrite: bool,
    suffixes: tuple[str, ...],
    written: Mapping[str, list[Written]],
    *,
    probe: bool = True,
) -> ForeignFile | None:
    """Check that `path` can be written: it is free, or may be overwritten, or is just as an earlier run wrote it.

    Args:
        path: of the file.
        overwrite: whether any file may be replaced.
        suffixes: that are allowed.
        written: of `list_written`.
        probe: whether to try to write in its folder.

    Returns:
        The file that is to be left as it is, if there is one.

    Raises:
        OutputError: as `prepare_output`, but for a file that exists.
        ConfigError: if the suffix is not allowed.
    """
    versions = written.get(real_path(path), ())
    own = any(is_unchanged(path, version) for version in versions)
    if probe or not own:
        prepare_output(path, True, suffixes, probe=probe)
    if own or overwrite or not path.exists():
        return None
    return ForeignFile(shown(path), changed=bool(versions))


def describe_foreign(files: Sequence[ForeignFile]) -> str:
    """Return the sentence about pairs that are left out, each of which has one of these files as its output."""
    one, more = len(files) == 1, len(files) - _NAMED
    named = ", ".join(file.name for file in files[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    there = "a file is" if one else f"{len(files)} files are"
    it = "it" if one else "them"
    return (
        f"{counted(len(files), 'pair')}, since {there} there that dpanet did not write or that "
        f"{'was' if one else 'were'} changed since: {named}; move {it} elsewhere, or add --overwrite to replace {it}"
    )


def real_path(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a file whose folder is reached without links."""
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)  # noqa: PTH118


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def parse_written(value: Any) -> Written:
    """Return what a log says of a file; logs of older versions have its SHA-256 alone."""
    digest, *rest = value if isinstance(value, list) and value else [value]
    size, changed = rest if len(rest) == 2 else (None, None)
    return str(digest), size, changed


def is_unchanged(path: Path, written: Written) -> bool:
    """Whether a file is as it was written. It is read only if its size is the same and its time of change is not."""
    digest, size, changed = written
    try:
        status = path.stat()
        if size is not None and status.st_size != size:
            return False
        return (changed is not None and status.st_mtime_ns == changed) or _digest(path) == digest
    except OSError:
        return False


def describe_written(file: Path) -> list[Any]:
    """Return what the log says of a file that is whole."""
    status = file.stat()
    return [_digest(file), status.st_size, status.st_mtime_ns]


def name_from_folder(file: Path, folder: Path) -> str:
    """Return the path of a file from a folder, with forward slashes."""
    try:
        return file.relative_to(folder).as_posix()
    except ValueError:
        return Path(os.path.relpath(file, folder)).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
