"""The program `dpanet`, also as ``python -m dpanet``.

It begins to handle Ctrl-C before it imports anything large, which takes a tenth of a second and more.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this file
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of this process; return its exit code.

    While the command runs, Ctrl-C raises KeyboardInterrupt. Before and after it, there is nothing to clean up, and
    an exception might end inside a library that is half imported: then Ctrl-C ends the process at once.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    try:
        import signal

        handled = (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )  # a background shell ignores it
        if handled:
            signal.signal(signal.SIGINT, _stop)
        from dpanet.cli import main as run

        if handled:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = run(arguments)
        if handled:
            signal.signal(signal.SIGINT, _stop)
    except KeyboardInterrupt:
        _stop()
        raise  # never reached
    return code


def _stop(*_: object) -> None:
    """End the process with the line and the exit code of an interrupted command."""
    import os

    try:
        os.write(2, b"dpanet: interrupted\n")
    finally:  # also if standard error is closed
        os._exit(130)


if __name__ == "__main__":
    import sys

    sys.exit(main())
