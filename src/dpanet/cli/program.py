"""The program `dpanet`: its commands, and what becomes of errors."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from typing import get_args

from cyclopts import App, CycloptsError, MissingArgumentError

from dpanet.cli.failure import DONE, FAILED, INTERRUPTED, MISUSED, UsageError, tell
from dpanet.errors import ConfigError, DpanetError
from dpanet.version import __version__

_COMMANDS = {
    "deblur": "Make a sharper picture of the two views of a dual-pixel capture, or of a folder of them.",
    "evaluate": "Score models and baselines on captures with truths: a table, scores.json, a page.",
    "simulate": "Make dual-pixel pairs with their truth from sharp photographs.",
    "train": "Train a network on simulated or real pairs, as a configuration says.",
    "prepare-dpdd": "Cut the DPDD data set into the patches that training on it takes.",
    "demo": "See it work without any data: simulate a blurred pair, deblur it, measure the gain.",
    "convert": "Convert a checkpoint of the official code into a file that is safe to open.",
}


def build() -> App:
    """The commands; the file of each is loaded only when it is called."""
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
    """Run a command line (the process's own, unless given) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    with warnings.catch_warnings():
        if not debug:
            warnings.simplefilter("ignore")
            logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs what we say in a sentence
        try:
            return (
                build()(given, exit_on_error=False, print_error=False, result_action="return_value") or DONE
            )
        except KeyboardInterrupt:
            print("dpanet: interrupted", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:
            if debug:
                raise
            tell(_sentence(error, given[0] if given else ""))
            return MISUSED if isinstance(error, CycloptsError | UsageError | ConfigError) else FAILED


_SMALLER = {
    "train": "take the batch in parts by --set accumulate=N, or smaller patches by stages and validation.patch",
    "simulate": "make smaller pictures by --size, or use fewer --workers",
    "prepare-dpdd": "close other programs",
}
"""What helps a command that has no tiles when memory runs out."""


def _sentence(error: Exception, command: str) -> str:
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
    said = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said:
        return f"there is not enough memory; {_SMALLER.get(command, 'use smaller tiles, such as --tile 512')}"
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename} cannot be used ({error.strerror}); check its name and whether you may use it"
        )
    return f"unexpected {type(error).__name__}: {error}; run it again with --debug to see where it comes from"
