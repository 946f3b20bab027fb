"""The one folder that a server writes to. It ends with the server."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from filelock import FileLock, Timeout

from dpanet.errors import OutputError

PREFIX = "dpanet-app-"
"""Of the folder's name."""

_LOCK = ".lock"


class TemporaryFolder:
    """A new folder that only this user can enter, deleted at the end.

    Folders of servers that were killed are deleted at the start.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = Path(tempfile.gettempdir()) if parent is None else parent

    def __enter__(self) -> Self:
        _delete_abandoned(self._parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        self._lock = FileLock(self.path / _LOCK)
        with contextlib.suppress(OSError):  # no locks on this file system
            self._lock.acquire(blocking=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        if folder.is_symlink() or not (folder / _LOCK).is_file() or not os.access(folder, os.W_OK):
            continue
        lock = FileLock(folder / _LOCK)
        with contextlib.suppress(OSError, Timeout):
            lock.acquire(blocking=False)
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)


def create_file(path: Path) -> BinaryIO:
    """Create a file that does not exist yet and open it to be written; no link is followed.

    Raises:
        OutputError: if it exists or cannot be created.
    """
    try:
        flags = (
            os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        )
        return os.fdopen(os.open(path, flags, 0o600), "wb")
    except OSError as error:
        raise OutputError(f"the file cannot be stored ({error.strerror}); drop the pictures again") from error


def is_own_file(path: Path) -> bool:
    """Whether a path is a regular file and no link."""
    return path.is_file() and not path.is_symlink()


def folder_bytes(folder: Path) -> int:
    """Return how large the files of a folder are together."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_size if not entry.is_dir() else 0
    return total
