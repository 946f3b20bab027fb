"""One process at a time writes to a folder, and begins by sweeping away what a killed one left half written."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from dpanet.errors import OutputError
from dpanet.files.output import make_folder, unfinished_outputs

LOCK = ".lock"
"""The file in a folder that is held by the process that writes there; it stays, and holds nothing."""


def claim(folder: Path, *inner: str) -> FileLock:
    """Make a folder and keep other processes from it until the lock is released (or this process ends).

    Outputs that were left unfinished in it, and in its folders `inner`, are removed: nobody is at work on them.

    Raises: OutputError if it cannot be made, or another process writes there.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OutputError(
            f"another process writes to {folder}; wait for its end, or name another folder"
        ) from error
    except OSError:
        return (
            lock  # some file systems of clusters have none; what else is wrong is told when a file is written
        )
    for place in (folder, *(folder / name for name in inner)):
        for file in unfinished_outputs(place):
            file.unlink(missing_ok=True)
    return lock


def holds_files(folder: Path) -> bool:
    """Whether anything lies there but a lock and outputs left unfinished."""
    return folder.is_dir() and bool({*folder.iterdir()} - {folder / LOCK, *unfinished_outputs(folder)})
