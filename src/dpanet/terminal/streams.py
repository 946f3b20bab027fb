"""The standard streams of the command line, whatever state they are in, and what is printed on standard error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO, TypeGuard

from dpanet.errors import ImageWarning, shown
from dpanet.processes.background import hold_warning
from dpanet.terminal.failure import FAILED, print_line

_collected: ContextVar[tuple[list[str], str] | None] = ContextVar("collected", default=None)
"""The texts of the warnings of this thread, where somebody collects them."""


def open_streams() -> None:
    """Connect standard streams that are closed (``2>&-``) to the null device, and let both print any character.

    Otherwise `sys.stderr` is None, and the next file that is opened gets the number of the stream, so that messages
    of libraries would be written into it. What the encoding of a stream does not have is shown as an escape.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
    sys.stdout = _printable(sys.stdout, 1)
    sys.stderr = _printable(sys.stderr, 2)


def _printable(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
        stream.reconfigure(errors="backslashreplace")
    return stream


def is_broken_pipe(error: BaseException | None) -> bool:
    """Whether an error comes from a reader of standard output that has left, maybe by way of others' handlers."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BrokenPipeError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def is_full_output(error: BaseException) -> TypeGuard[OSError]:
    """Whether standard output cannot be written, such as to a full disk: the error of a stream names no file."""
    full = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EBADF)
    return isinstance(error, OSError) and error.filename is None and error.errno in full


def discard_output() -> int:
    """Send what is still to be written to the null device, so that the end of the process does not fail again.

    Returns:
        The exit code.
    """
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    return FAILED


@contextmanager
def collect_notes(name: str) -> Iterator[list[str]]:
    """Yield a list to which each `ImageWarning` of this thread is added, each text once; it is shown all the same.

    Only where `show_notes` is active.

    Args: name: of the pair, shown before what is `of_pair`.
    """
    notes: list[str] = []
    before = _collected.set((notes, name))
    try:
        yield notes
    finally:
        _collected.reset(before)


def show_notes() -> None:
    """Print each different `ImageWarning` once, as one line on standard error, when it comes.

    Those of a `Background` come with its result. To be called where `warnings.catch_warnings` is active.
    """
    said: set[str] = set()
    others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, ImageWarning):
            others(message, category, *place, **more)
            return
        notes, name = _collected.get() or ([], "")
        if str(message) not in notes:
            notes.append(str(message))
        if hold_warning(message, category, *place):
            return
        text = f"{shown(name)}: {message}" if name and getattr(message, "of_pair", False) else str(message)
        kind = getattr(message, "once", None) or text
        if kind not in said:
            said.add(kind)
            print_line("note", text)

    warnings.filterwarnings("always", category=ImageWarning)
    warnings.showwarning = show
