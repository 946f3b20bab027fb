"""Let only one process at a time write to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dpanet.errors import OutputError, shown
from dpanet.files.output import make_folder, unfinished_outputs

if TYPE_CHECKING:
    from filelock import FileLock

LOCK = ".lock"
"""Name of the empty file that the writing process locks; it stays in the folder."""


def lock_folder(folder: Path, *inner: str) -> FileLock:
    """Create a folder, lock it against other processes, and delete the unfinished files of killed ones.

    Args:
        folder: folder to be written to.
        inner: names of folders in it whose unfinished files are deleted too.

    Returns:
        The lock, to be released; it ends with the process at the latest. On file systems without locks it does
        nothing, and nothing is deleted.

    Raises:
        OutputError: if the folder cannot be created, or another process writes to it.
    """
    from filelock import FileLock, Timeout  # a single picture needs no lock, nor the time to load this

    make_folder(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OutputError(
            f"another process writes to {shown(folder)}; wait for its end, or name another folder"
        ) from error
    except (
        OSError
    ):  # no locks on this file system; a folder that cannot be written to fails at its first file
        return lock
    for place in (folder, *(folder / name for name in inner)):
        for file in unfinished_outputs(place):
            file.unlink(missing_ok=True)
    return lock


def contains_files(folder: Path) -> bool:
    """Return whether a folder exists and has anything in it besides a lock and unfinished files."""
    return folder.is_dir() and bool({*folder.iterdir()} - {folder / LOCK, *unfinished_outputs(folder)})
