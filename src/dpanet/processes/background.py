"""Work in a thread beside the main one. Standard library only."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

_held: ContextVar[list[tuple[Any, ...]] | None] = ContextVar("held", default=None)
"""The arguments of `warnings.showwarning` that wait in this thread."""


class Background(Generic[Result]):
    """Calls a function in a thread of its own, at once.

    Args:
        function: is called; what it returns or raises is that of `result`.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._value: list[Result] = []
        self._error: BaseException | None = None
        self._warnings: list[tuple[Any, ...]] = []
        self._ended = threading.Event()  # since `Thread.join` forgets a thread when it is interrupted
        threading.Thread(target=self._run, args=(function,)).start()

    def result(self) -> Result:
        """Wait for the end, show the warnings that were held back, and return or raise what the function did.

        To be called once: the value is then in nobody's memory but the caller's. An interrupt comes at once.
        """
        self._ended.wait()
        shown, self._warnings = self._warnings, []
        for arguments in shown:
            warnings.showwarning(*arguments)
        if self._error is not None:
            raise self._error
        return self._value.pop()

    def wait(self) -> None:
        """Wait for the end, also if the user interrupts; the interrupt comes afterwards."""
        interrupt: KeyboardInterrupt | None = None
        while not self._ended.is_set():
            try:
                self._ended.wait()
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _run(self, function: Callable[[], Result]) -> None:
        _held.set(self._warnings)
        try:
            self._value.append(function())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()


@contextmanager
def held_warnings() -> Iterator[list[tuple[Any, ...]]]:
    """Yield a list that gets the warnings of this thread, as arguments of `warnings.showwarning`.

    It takes a `warnings.showwarning` that calls `hold_warning`, as that of `dpanet.terminal.streams.show_notes` does.
    """
    held: list[tuple[Any, ...]] = []
    before = _held.set(held)
    try:
        yield held
    finally:
        _held.reset(before)


def hold_warning(*arguments: Any) -> bool:
    """Keep a warning of a `Background` for its result, so that warnings come in the order of the results.

    Args:
        *arguments: of `warnings.showwarning`.

    Returns:
        Whether it was kept; in any other thread it is to be shown at once.
    """
    held = _held.get()
    if held is not None:
        held.append(arguments)
    return held is not None
