"""The program `dpanet`: its commands, and how it reports errors."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from cyclopts import App, CycloptsError, MissingArgumentError

from dpanet.cli.failure import DONE, FAILED, INTERRUPTED, MISUSED, UsageError, print_error
from dpanet.errors import ConfigError, DpanetError
from dpanet.version import __version__

_COMMANDS = {
    "deblur": "Make a sharper picture from the two views of a dual-pixel capture, or from a folder of them.",
    "evaluate": "Score models and baselines on captures with truths: a table, scores.json, a page.",
    "simulate": "Make dual-pixel pairs with their truth from sharp photographs.",
    "train": "Train a network on simulated or real pairs, as a config says.",
    "train-defocus": "Train the defocus head of a finished network.",
    "prepare-dpdd": "Cut the DPDD data set into the patches that training on it takes.",
    "prepare-canon-video": "Turn the published videos of Canon captures into pairs with their truth.",
    "check-fidelity": "Measure how well the simulator's blur explains real captures.",
    "demo": "See it work without any data: simulate a blurred pair, deblur it, measure the gain.",
    "convert": "Convert a checkpoint of the official code into a file that is safe to open.",
}


def build_app() -> App:
    """Return the commands; the file of each is loaded only when it is called."""
    app = App(
        name="dpanet",
        help="Dual-pixel defocus deblurring: two views of one exposure in, a sharper picture out.",
        help_epilogue="Exit codes: 0 done, 1 failed, 2 misused. With --debug, a failure shows its traceback.",
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    for place, (name, text) in enumerate(_COMMANDS.items()):
        module = name.replace("-", "_")
        app.command(f"dpanet.cli.{module}:{module}", name=name, help=text, sort_key=place)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a `dpanet` command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    _open_closed_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with warnings.catch_warnings():
        if not debug:
            warnings.simplefilter("ignore")
            logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs what our errors say
        try:
            app = build_app()
            code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
            sys.stdout.flush()
            return code or DONE
        except (BrokenPipeError, SystemExit) as error:
            if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
                raise
            _discard_output()  # rich exits where a pipe is broken
            return FAILED
        except KeyboardInterrupt:
            print("dpanet: interrupted", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:
            if debug:
                raise
            print_error(_describe(error, words[0] if words else ""))
            return MISUSED if isinstance(error, CycloptsError | UsageError | ConfigError) else FAILED


_SMALLER = {
    "train": "take the batch in parts by --set accumulate=N, or smaller patches by stages and validation.patch",
    "simulate": "make smaller pictures by --size, or use fewer --workers",
    "prepare-dpdd": "close other programs",
}
"""Advice for commands that have no tiles when memory runs out."""


def _open_closed_streams() -> None:
    """Connect standard streams that were closed (``2>&-``) to the null device.

    Otherwise `sys.stderr` is None, and the next file that is opened gets the number of the stream.
    """
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # open until the process ends
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


def _discard_output() -> None:
    """Send what is still to be written to the null device: whoever read standard output has left."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _describe(error: Exception, command: str) -> str:
    """Return the sentence for an error of a command."""
    if isinstance(error, CycloptsError):
        error.verbose = False
        chain = " ".join(("dpanet", *(error.command_chain or ())))
        text = str(error)
        if isinstance(error, MissingArgumentError) and error.argument is not None:
            words = get_args(error.argument.hint)
            if words and all(isinstance(word, str) for word in words):  # of a Literal
                text = f"{text.removesuffix('.')} ({', '.join(words)})."
        return f"{text} See: {chain} --help"
    if isinstance(error, DpanetError | UsageError):
        return str(error)
    text = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return f"there is not enough memory; {_SMALLER.get(command, 'use smaller tiles, such as --tile 512')}"
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename} cannot be used ({error.strerror}); check its name and whether you may use it"
        )
    return f"unexpected {type(error).__name__}: {error}; run it again with --debug to see where it comes from"
