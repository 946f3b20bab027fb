"""A folder of results that can be resumed: each result has a key of everything that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dpanet.errors import OutputError, shown
from dpanet.files.lock import lock_folder
from dpanet.files.output import atomic_output


@dataclass(frozen=True)
class Entry:
    """One line of a store's log."""

    name: str
    """Of the result, unique in its store."""
    key: str
    """`digest` of everything that the result depends on."""
    value: Any
    """The result itself, plain values."""
    files: tuple[str, ...] = ()
    """Files that belong to the result, relative to the store's folder, with forward slashes."""


class Store:
    """Results in a folder, kept from other processes until `close`.

    `folder/log` has one JSON line for each result, appended after the result's files are whole, so that a run that is
    killed at any moment resumes with the first result that is missing. A result counts only if its key is the one
    that is asked for and all its files are there.

    Args:   folder: created if it does not exist. log: its name in it. inner: folders in it whose unfinished files
            are deleted too. order: sorts the names when the log is rewritten; by name if left out.
    Raises: OutputError if the folder cannot be created, another process writes there, or the log cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        log: str = "results.jsonl",
        *,
        inner: Sequence[str] = (),
        order: Callable[[str], Any] = str,
    ) -> None:
        self.folder = folder
        self.log = folder / log
        self._order = order
        self._lock = lock_folder(folder, *inner)
        try:
            self.entries = {entry.name: entry for entry in read_log(self.log)}
        except BaseException:
            self._lock.release()
            raise

    def find(self, name: str, key: Mapping[str, Any]) -> Any:
        """Return the value stored under `name`, or None if its key differs or a file of it is missing."""
        entry = self.entries.get(name)
        if entry is None or entry.key != digest(key):
            return None
        places = (os.path.join(self.folder, file) for file in entry.files)  # noqa: PTH118  # many thousand files
        return entry.value if all(os.path.isfile(place) for place in places) else None  # noqa: PTH113

    def add(self, name: str, key: Mapping[str, Any], value: Any, files: Iterable[Path] = ()) -> None:
        """Store a result whose `files` (inside the folder) are already written.

        Files of an earlier result of that name which are not among them are deleted.

        Raises: OutputError if the log cannot be written.
        """
        paths = tuple(file.relative_to(self.folder).as_posix() for file in files)
        entry = Entry(name, digest(key), value, paths)
        try:
            _append(self.log, format_entry(entry))
        except OSError as error:
            raise OutputError(
                f"{shown(self.log)} cannot be written ({error.strerror}); free space or choose another folder"
            ) from error
        self._delete_files(name, keep=paths)
        self.entries[name] = entry

    def restore(self, name: str, entry: Entry | None) -> None:
        """Take back an `add` whose files could not be put in place; `entry` is what was there before, if anything."""
        if entry is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = entry

    def remove(self, name: str) -> None:
        """Forget a result and delete its files; nothing that this store did not write is touched."""
        self._delete_files(name)
        self.entries.pop(name, None)

    def close(self) -> None:
        """Rewrite the log in order, without replaced lines, and let other processes write to the folder.

        A log that is so already is not written, so that a folder that may only be read can be asked what it has.
        """
        try:
            names = sorted(self.entries, key=self._order)
            text = "".join(format_entry(self.entries[name]) for name in names)
            if not self.log.is_file() or self.log.read_bytes() != text.encode("ascii"):
                with atomic_output(self.log, overwrite=True) as unfinished:
                    unfinished.write_text(text, encoding="ascii")
        finally:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _delete_files(self, name: str, keep: Sequence[str] = ()) -> None:
        entry = self.entries.get(name)
        for file in entry.files if entry is not None else ():
            if file not in keep:
                (self.folder / file).unlink(missing_ok=True)


def read_log(path: Path) -> Iterable[Entry]:
    """Yield the whole lines of a store's log, in order; a line that was cut off is skipped.

    Raises: OutputError if the file cannot be read.
    """
    if not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise OutputError(
            f"{shown(path)} cannot be read ({error.strerror}); choose another folder"
        ) from error
    yield from parse_log(text)


def parse_log(text: str) -> Iterable[Entry]:
    """Yield the whole lines of the text of a log, as `read_log`."""
    for line in text.split("\n"):  # a name may have other line ends in it
        try:
            fields = json.loads(line)
            files = tuple(fields.get("files", ()))
            entry = Entry(fields["name"], fields["key"], fields["value"], files)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if _is_inside(files):
            yield entry


def digest(key: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain values, whatever the order of their keys.

    Raises: TypeError for values that JSON does not know, ValueError for NaN and infinity.
    """
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_identity(path: Path) -> dict[str, Any]:
    """Return what changes when a file is replaced or edited: its size in bytes and its time of change in ns.

    Raises: OSError if the file cannot be seen.
    """
    status = path.stat()
    return {"name": path.name, "bytes": status.st_size, "changed": status.st_mtime_ns}


def first_difference(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return the first key whose values differ, dotted where it lies in a table; empty if all are equal."""
    for key in {**wanted, **stored}:
        one, other = stored.get(key), wanted.get(key)
        if one != other:
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                return f"{key}.{first_difference(one, other)}"
            return key
    return ""


def describe_difference(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return the first key whose values differ, with both values if they are short; empty if all are equal."""
    key = first_difference(stored, wanted)
    one, other = _look_up(stored, key), _look_up(wanted, key)
    if key and all(isinstance(value, str | int | float) and len(str(value)) <= 30 for value in (one, other)):
        return f"{key} {one}, not {other}"
    return key and f"other {key}"


def _look_up(table: Any, key: str) -> Any:
    """Return the value of a dotted key; None where there is none."""
    for part in key.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _is_inside(files: Sequence[Any]) -> bool:
    """Whether a log names files inside its own folder alone: an edited log must not delete anything else."""
    return all(
        isinstance(f, str) and not os.path.isabs(f) and ".." not in f.replace("\\", "/").split("/")  # noqa: PTH117
        for f in files
    )


def format_entry(entry: Entry) -> str:
    """Return the line of a log."""
    values = {"name": entry.name, "key": entry.key, "value": entry.value, "files": list(entry.files)}
    return json.dumps(values, allow_nan=False) + "\n"  # ASCII, which holds names that are not UTF-8 too


def _append(path: Path, line: str) -> None:
    """Append a line and see it safely on the disk; a line that was cut off before it stays a line of its own."""
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = f"\n{line}"
        file.write(line.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
