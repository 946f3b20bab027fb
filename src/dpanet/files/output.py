"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dpanet.errors import ConfigError, OutputError, shown

if sys.platform != "win32":
    import fcntl

_UNFINISHED = re.compile(r"\.dpanet-[0-9a-f]{16}\.partial(\.[^.]*)?")
"""Names of `unfinished_path`, and no others."""

_ABANDONED = 3600.0
"""Seconds after which an unfinished file that no process holds is nobody's."""


def prepare_output(
    path: str | os.PathLike[str], overwrite: bool = False, suffixes: Sequence[str] = (), *, probe: bool = True
) -> Path:
    """Check, before any work, that a file can be written at `path`; leave nothing behind.

    Args:
        path: file to be written.
        overwrite: whether the file may exist already.
        suffixes: allowed suffixes in lower case, with the dot; empty for any.
        probe: whether to create and delete a file in the folder; once is enough for many files.

    Returns:
        `path` as a Path.

    Raises:
        ConfigError: if the suffix is not one of `suffixes`.
        OutputError: if the file exists (without `overwrite`), its folder does not exist, or the folder cannot be
            written to.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConfigError(f"{shown(path)} does not end in {' or '.join(suffixes)}; choose one of these")
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{shown(path)} is a folder; name the file to be written in it")
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise OutputError(f"{shown(path)} is not a regular file; choose another name")
    _refuse_existing(path, overwrite)
    place = _follow_link(path)
    if not place.parent.is_dir():
        raise OutputError(f"the folder {shown(place.parent)} does not exist; create it first")
    if probe:
        trial = unfinished_path(place)
        os.close(_create(trial, path))
        trial.unlink()
    return path


@contextmanager
def atomic_output(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Yield a path to write to, and rename it to `path` at the end.

    The yielded path lies in the same folder and has the same suffix, by which encoders choose their format. If
    anything fails, it is deleted and `path` stays as it was. If `path` is a link, the file that it leads to is
    written, and the link stays.

    Args:
        path: file to be written.
        overwrite: whether the file may exist already.

    Raises:
        OutputError: if `path` exists (without `overwrite`) or cannot be written.
    """
    path = Path(path)
    _refuse_existing(path, overwrite)
    place = _follow_link(path)
    unfinished = unfinished_path(place)
    descriptor = _create(unfinished, path)
    try:
        try:
            _mark_as_in_use(descriptor)
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            _refuse_existing(path, overwrite)
            unfinished.replace(place)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(
                f"{shown(path)} cannot be written ({reason}); free space or choose another"
            ) from error
    finally:
        unfinished.unlink(missing_ok=True)
        if sys.platform != "win32":
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they do not exist.

    Raises:
        OutputError: if that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{shown(folder)} cannot be created ({error.strerror}); choose a place that may be written to"
        ) from error


def unfinished_outputs(folder: Path) -> list[Path]:
    """List the files that `atomic_output` left in a folder because its process was killed.

    On Windows and on file systems without locks, a file of a process that is still at work looks the same: delete
    them only where no other process writes.
    """
    return sorted(
        file
        for file in folder.glob(".dpanet-*")
        if _UNFINISHED.fullmatch(file.name) and file.is_file() and not _is_in_use(file)
    )


def delete_abandoned(folder: Path) -> None:
    """Delete what killed processes left in a folder where others may be at work: only what is older than an hour."""
    if not os.access(folder, os.W_OK):
        return
    for file in unfinished_outputs(folder):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > _ABANDONED:
                file.unlink()


def _mark_as_in_use(descriptor: int) -> None:
    """Lock an unfinished file until its process ends, so that another process can tell it from an abandoned one."""
    if sys.platform == "win32":
        os.close(descriptor)  # an open file could not be renamed
        return
    with contextlib.suppress(OSError):  # no locks on this file system
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_in_use(file: Path) -> bool:
    """Whether a living process writes an unfinished file, as far as that can be seen."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _status(path: Path) -> os.stat_result | None:
    """Return what a path leads to, None if to nothing. Raises: OutputError if that cannot be seen."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise OutputError(
            f"{shown(path)} cannot be written ({error.strerror}); choose another name"
        ) from error


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and _status(path) is not None:
        raise OutputError(
            f"{shown(path)} exists already; choose another name, or --overwrite it (in Python, overwrite=True)"
        )


def _follow_link(path: Path) -> Path:
    """Return the path of the file itself, where `path` is a link to it."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def unfinished_path(path: Path) -> Path:
    """Return a new name in the folder of `path`, with its suffix, that only this program gives.

    It is no longer than any name with that suffix may be, however long that of `path` is.
    """
    return path.with_name(f".dpanet-{secrets.token_hex(8)}.partial{path.suffix}")


def _create(unfinished: Path, path: Path) -> int:
    """Create an empty file that does not exist yet; return its descriptor. Errors name `path`."""
    try:
        return os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        raise OutputError(
            f"{shown(path)} cannot be written ({error.strerror}); choose a folder that may be written to"
        ) from error
