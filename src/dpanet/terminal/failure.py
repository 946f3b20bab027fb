"""How a failure is reported: one line on standard error, and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path

from dpanet.errors import DpanetError, shown
from dpanet.extras import COMMANDS, describe_missing

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

_SMALLER = {
    "train": "take the batch in parts by --set accumulate=N, or smaller patches by stages and validation.patch",
    "simulate": "make smaller pictures by --size, or use fewer --workers",
    "prepare-dpdd": "close other programs",
}
"""Advice for commands that have no tiles when memory runs out."""


_tracebacks = [False]


class UsageError(Exception):
    """Options that do not go together; the text is one clear sentence."""


def show_tracebacks(shown: bool) -> None:
    """Decide whether `print_error` shows the traceback of the error that is handled, as --debug asks."""
    _tracebacks[0] = shown


def print_error(message: str) -> None:
    """Print a failure as one line on standard error."""
    if _tracebacks[0] and sys.exc_info()[0] is not None:
        traceback.print_exc()
    print_line("error", message)


def print_line(kind: str, message: str) -> None:
    """Print one line on standard error. If standard error is closed, the exit code alone shows the result."""
    with contextlib.suppress(OSError, ValueError):
        print(f"dpanet: {kind}:", shown(" ".join(message.split())), file=sys.stderr, flush=True)


def print_interruption() -> None:
    """Say that the user stopped the command."""
    with contextlib.suppress(OSError, ValueError):
        print("dpanet: interrupted", file=sys.stderr, flush=True)


def describe_error(error: Exception, command: str = "", file: Path | None = None) -> str:
    """Return the sentence for an error that a command met.

    Args:
        error: to be described.
        command: name of the command.
        file: that was worked on, for errors that name none.
    """
    if isinstance(error, DpanetError | UsageError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        sentence = describe_missing(error, f"dpanet {command}".strip(), COMMANDS.get(command))
        if sentence is not None:
            return sentence
    place = "" if file is None else f"{shown(file)}: "
    text = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return f"{place}there is not enough memory; {_SMALLER.get(command, 'use smaller tiles, such as --tile 512')}"
    if isinstance(error, OSError) and error.filename:
        name = (
            shown(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else error.filename
        )
        return f"{name} cannot be used ({error.strerror}); check its name and whether you may use it"
    kind = type(error).__name__
    return f"{place}unexpected {kind}: {error}; run it again with --debug to see where it comes from"


def has_current_folder() -> bool:
    """Whether the folder that relative paths begin in is still there."""
    try:
        Path.cwd()
    except OSError:
        return False
    return True
