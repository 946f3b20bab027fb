"""Write a file whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dpanet.errors import ConfigError, OutputError

_UNFINISHED = re.compile(r"\.dpanet-[0-9a-f]{16}\.partial(\.[^.]*)?")
"""Names of `_unfinished_path`, and no others."""


def prepare_output(
    path: str | os.PathLike[str], overwrite: bool = False, suffixes: Sequence[str] = ()
) -> Path:
    """Check, before any work, that a file can be written at `path`; leave nothing behind.

    Args:
        path: file to be written.
        overwrite: whether the file may exist already.
        suffixes: allowed suffixes in lower case, with the dot; empty for any.

    Returns:
        `path` as a Path.

    Raises:
        ConfigError: if the suffix is not one of `suffixes`.
        OutputError: if the file exists (without `overwrite`), its folder does not exist, or the folder cannot be
            written to.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path} does not end in {' or '.join(suffixes)}; choose one of these")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name the file to be written in it")
    _refuse_existing(path, overwrite)
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it first")
    probe = _unfinished_path(path)
    os.close(_create(probe, path))
    probe.unlink()
    return path


@contextmanager
def atomic_output(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Yield a path to write to, and rename it to `path` at the end.

    The yielded path lies in the same folder and has the same suffix, by which encoders choose their format. If
    anything fails, it is deleted and `path` stays as it was.

    Args:
        path: file to be written.
        overwrite: whether the file may exist already.

    Raises:
        OutputError: if `path` exists (without `overwrite`) or cannot be written.
    """
    path = Path(path)
    _refuse_existing(path, overwrite)
    unfinished = _unfinished_path(path)
    os.close(_create(unfinished, path))
    try:
        try:
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            _refuse_existing(path, overwrite)
            unfinished.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror}); free space or choose another"
            ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they do not exist.

    Raises:
        OutputError: if that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be created ({error.strerror}); choose a place that may be written to"
        ) from error


def unfinished_outputs(folder: Path) -> list[Path]:
    """List the files that `atomic_output` left in a folder because its process was killed.

    A file of a process that is still at work looks the same: delete them only where no other process writes.
    """
    return sorted(
        file for file in folder.glob(".dpanet-*") if _UNFINISHED.fullmatch(file.name) and file.is_file()
    )


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise OutputError(f"{path} exists already; choose another name or allow it with --overwrite")


def _unfinished_path(path: Path) -> Path:
    """Return a new name in the folder of `path`, with its suffix, that only this program gives."""
    return path.with_name(f".dpanet-{secrets.token_hex(8)}.partial{path.suffix}")


def _create(unfinished: Path, path: Path) -> int:
    """Create an empty file that does not exist yet; return its descriptor. Errors name `path`."""
    try:
        return os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose a folder that may be written to"
        ) from error
