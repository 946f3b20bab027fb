"""Open what a path names for reading: a file, standard input (``-``), a pipe or ``<(command)`` of a shell.

A stream can be read once and has no length, so it is copied into a temporary file. That file has no name and vanishes
when it is closed, however the process ends.
"""

from __future__ import annotations

import atexit
import errno
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dpanet.errors import ImageWarning, UnreadableImageError, shown
from dpanet.formats.limits import max_megapixels

STANDARD_INPUT = "-"
"""The path that means standard input."""

_PIXEL = 16
"""Bytes of the largest pixel: four floats."""

_CHUNK = 2**20


def is_standard_input(path: str | os.PathLike[str]) -> bool:
    """Return whether a path means standard input."""
    return os.fspath(path) == STANDARD_INPUT


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether a path means standard input or a pipe, which can be read only once."""
    try:
        return is_standard_input(path) or _is_pipe(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


@contextmanager
def readable_file(path: str | os.PathLike[str], again: bool = False) -> Iterator[Path]:
    """Yield the path of a regular file with the contents of `path`: itself, or that of a temporary copy of a stream.

    Errors and warnings that are raised inside name `path`, not the copy.

    Args:
        path: of a file or stream.
        again: whether a stream is to be read another time, so that its copy must stay.

    Raises:
        UnreadableImageError: if there is no such file, it is a folder or device, or access is denied.
    """
    path = Path(path)
    try:
        if not is_stream(path):
            _check_regular(path)
            yield path
            return
        copy = _kept.pop(str(path), None) or _copy_stream(path)
        try:
            with _naming(path, copy) as name:
                yield name
        except BaseException:
            copy.close()
            raise
        if again:
            _kept[str(path)] = copy
        else:
            copy.close()
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        raise _no_access(path, error) from error


_kept: dict[str, IO[bytes]] = {}
"""Copies of streams that are to be read again."""


@atexit.register
def _close_copies() -> None:
    while _kept:
        _kept.popitem()[1].close()


def _is_pipe(mode: int) -> bool:
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _check_regular(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise UnreadableImageError(f"{shown(path)} is a folder; name a picture file in it")
    if not stat.S_ISREG(mode):
        raise UnreadableImageError(f"{shown(path)} is a device; name a picture file")


@contextmanager
def _naming(path: Path, copy: IO[bytes]) -> Iterator[Path]:
    """Yield the path of a copy, and let errors and warnings name the stream."""
    name = Path(f"/proc/self/fd/{copy.fileno()}")
    name = name if name.exists() else Path(copy.name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield name
        except UnreadableImageError as error:
            raise UnreadableImageError(str(error).replace(str(name), _name(path))) from error
    for one in caught:
        if isinstance(one.message, ImageWarning):
            text = str(one.message).replace(str(name), _name(path))
            warnings.warn(ImageWarning(text, one.message.once), stacklevel=4)


def _temporary(path: Path) -> IO[bytes]:
    try:
        if os.path.isdir("/proc/self/fd"):  # noqa: PTH112  a file without a name can be opened by its descriptor
            return tempfile.TemporaryFile()
        return tempfile.NamedTemporaryFile()
    except OSError as error:
        raise _no_room(path, error) from error


def _copy_stream(path: Path) -> IO[bytes]:
    """Copy a stream to its end into a temporary file.

    Raises:
        OSError: if the stream cannot be read.
        UnreadableImageError: if it is a terminal, longer than any picture, or there is no room for it.
    """
    left = int(max_megapixels() * 1e6) * _PIXEL
    copy = _temporary(path)
    try:
        with _open_stream(path) as stream:
            while data := stream.read(_CHUNK):
                left -= len(data)
                if left < 0:
                    raise UnreadableImageError(
                        f"{_name(path)} has more bytes than the largest picture that is read; give a picture"
                    )
                _write(path, copy, data)
    except BaseException:
        copy.close()
        raise
    return copy


def _open_stream(path: Path) -> IO[bytes]:
    if not is_standard_input(path):
        return path.open("rb", buffering=0)
    if sys.stdin is None or sys.stdin.closed:
        raise UnreadableImageError(f"{_name(path)} is closed; name a picture file, or give one by a pipe")
    if sys.stdin.isatty():
        raise UnreadableImageError(f"{_name(path)} is a terminal; name a picture file, or give one by a pipe")
    return open(os.dup(sys.stdin.fileno()), "rb", buffering=0)  # noqa: PTH123


def _write(path: Path, copy: IO[bytes], data: bytes) -> None:
    try:
        copy.write(data)
        copy.flush()
    except OSError as error:
        raise _no_room(path, error) from error


def _name(path: Path) -> str:
    return "standard input (-)" if is_standard_input(path) else shown(path)


def _no_room(path: Path, error: OSError) -> UnreadableImageError:
    return UnreadableImageError(
        f"{_name(path)} cannot be copied to the folder of temporary files ({error.strerror}); make room in "
        f"{shown(tempfile.gettempdir())}, or let TMPDIR name another folder"
    )


def _no_access(path: Path, error: Exception) -> UnreadableImageError:
    """Return the error that says why a path cannot be read."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT and path.is_symlink():
        return UnreadableImageError(
            f"{shown(path)} is a link to {shown(path.readlink())}, which does not exist; mend the link"
        )
    if code in (errno.ENOENT, errno.ENOTDIR):
        return UnreadableImageError(f"{shown(path)} does not exist; check the name")
    if code in (errno.EACCES, errno.EPERM):
        return UnreadableImageError(
            f"{shown(path)} may not be read (permission denied); allow it with: chmod u+r"
        )
    if code == errno.ELOOP:
        return UnreadableImageError(f"{shown(path)} is a link that leads back to itself; mend the link")
    if code == errno.ENAMETOOLONG:
        return UnreadableImageError(f"{shown(path)} is too long a name for a file; check the name")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UnreadableImageError(f"{_name(path)} cannot be read ({reason}); check the file and its disk")
