"""The program `dpanet`, also as ``python -m dpanet``.

It begins to handle Ctrl-C before it imports anything large, which takes a tenth of a second and more.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this file
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


_INTERRUPTED = 130
"""Exit code of an interrupted command."""

_PATIENCE = 20.0
"""Seconds that the threads of an interrupted command may take to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of this process; return its exit code.

    While the command runs, Ctrl-C raises KeyboardInterrupt. Before and after it, there is nothing to clean up, and
    an exception might end inside a library that is half imported: then Ctrl-C ends the process at once.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    try:
        import os
        import signal

        # Small products run in threads of ours; NumPy's own threads would wait for each other's processors.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        handled = (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )  # a background shell ignores it
        if handled:
            signal.signal(signal.SIGINT, _stop)
        from dpanet.cli import main as run

        if handled:
            signal.signal(signal.SIGINT, _interrupt)
        code = run(arguments)
        if handled:
            signal.signal(signal.SIGINT, _stop)
            if code == _INTERRUPTED:
                _end_threads()
    except KeyboardInterrupt:
        _stop()
        raise  # never reached
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but inside an import only when it has ended.

    There, Python may swallow the exception and keep its lock of imports, for which other threads then wait for ever.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            import signal
            import threading

            threading.Timer(0.02, signal.raise_signal, [number]).start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _end_threads() -> None:
    """Wait for other threads, but not for ever, as Python would at its end.

    A thread may wait for a module that the interrupted one was importing.
    """
    import os
    import sys
    import threading
    import time

    end = time.monotonic() + _PATIENCE
    others = [t for t in threading.enumerate() if t is not threading.current_thread() and not t.daemon]
    for thread in others:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        try:
            sys.stdout.flush()
        finally:  # also if standard output is closed
            os._exit(_INTERRUPTED)


def _stop(*_: object) -> None:
    """End the process with the line and the exit code of an interrupted command."""
    import os

    try:
        os.write(2, b"dpanet: interrupted\n")
    finally:  # also if standard error is closed
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    import sys

    sys.exit(main())
