"""An output appears whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dpanet.errors import ConfigError, OutputError


def prepare_output(
    path: str | os.PathLike[str], overwrite: bool = False, suffixes: Sequence[str] = ()
) -> Path:
    """Check that a file can be written at `path`, before any work; leaves nothing behind.

    Raises: ConfigError for another suffix than `suffixes`; OutputError if the file exists (without
            `overwrite`), its folder does not, or the folder cannot be written.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path} does not end in {' or '.join(suffixes)}; choose one of these")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name the file to be written in it")
    _refuse_existing(path, overwrite)
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it first")
    probe = _beside(path)
    os.close(_create(probe, path))
    probe.unlink()
    return path


@contextmanager
def atomic_output(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """A path to write to; becomes `path` by renaming at the end, and is removed if anything fails.

    Raises: OutputError if `path` exists (without `overwrite`) or cannot be written.
    """
    path = Path(path)
    _refuse_existing(path, overwrite)
    unfinished = _beside(path)
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
    """Make a folder, and those it lies in. Raises: OutputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made ({error.strerror}); choose a place that may be written to"
        ) from error


def unfinished_outputs(folder: Path) -> list[Path]:
    """What `atomic_output` left in a folder when its process was killed; whoever writes there alone may remove it."""
    return [file for file in folder.glob(".*") if _UNFINISHED.fullmatch(file.name)]


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise OutputError(f"{path} exists already; choose another name or allow it with --overwrite")


_UNFINISHED = re.compile(r"\.+.+-[0-9a-f]{8}(\..+)?")
"""Names that `_beside` makes, and such names as made from them once more."""


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")


def _create(unfinished: Path, path: Path) -> int:
    try:
        return os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose a folder that may be written to"
        ) from error
