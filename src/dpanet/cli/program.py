"""The program `dpanet`: its commands, and how it reports errors."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import get_args

from cyclopts import App, CycloptsError, MissingArgumentError

from dpanet.errors import ConfigError
from dpanet.extras import check_command
from dpanet.formats.limits import VARIABLE
from dpanet.terminal.failure import (
    DONE,
    FAILED,
    INTERRUPTED,
    MISUSED,
    UsageError,
    describe_error,
    has_current_folder,
    print_error,
    print_interruption,
    show_tracebacks,
)
from dpanet.terminal.streams import discard_output, is_broken_pipe, is_full_output, open_streams, show_notes
from dpanet.version import __version__

_COMMANDS = {
    "deblur": "Make a sharper picture from the two views of a dual-pixel capture, or from a folder of them.",
    "edit": "Deblur for a photo editor: one view is named, the other is found beside it; or a dual-pixel raw file.",
    "app": "Open a page on which pictures are dropped and deblurred; only this computer reaches it.",
    "inspect": "Say whether two files are a usable dual-pixel pair, before any deblurring.",
    "evaluate": "Score models and baselines on captures with truths: a table, scores.json, a page.",
    "simulate": "Make dual-pixel pairs with their truth from sharp photographs.",
    "train": "Train a network on simulated or real pairs, as a config says.",
    "train-defocus": "Train the defocus head of a finished network.",
    "prepare-dpdd": "Cut the DPDD data set into the patches that training on it takes.",
    "prepare-canon-video": "Turn the published videos of Canon captures into pairs with their truth.",
    "check-fidelity": "Measure how well the simulator's blur explains real captures.",
    "demo": "See it work without any data: deblur a simulated pair, measure the gain.",
    "benchmark": "Measure how fast this machine deblurs: engines, parts of the networks, whole commands, memory.",
    "convert": "Convert a checkpoint of the official code into a file that is safe to open.",
    "export": "Write a model as a file of another runtime: ONNX, OpenVINO or TorchScript.",
}


_OUTPUTS = {
    "deblur": "picture to write, such as -o sharp.png, or for a folder of pairs the folder to write to",
    "edit": "picture to write, such as --output sharp.tif",
    "train-defocus": "file of the new model, such as -o model.safetensors",
}
"""What --output names, for commands where it is no folder."""

_NAMES = {
    "--compare": "a page, such as --compare seen.html",
    "--defocus-map": "a picture, such as --defocus-map map.png",
    "--edit": "a view or a raw file, such as in: dpanet edit --edit IMG_1_left.tif --output sharp.tif",
}
"""What is named after other options."""


def build_app(called: str = "") -> App:
    """Return the commands; the file of each is loaded only when it is called.

    Args: called: the command that is called; its help is its whole docstring, that of the others one line.
    """
    app = App(
        name="dpanet",
        help="Dual-pixel defocus deblurring: two views of one exposure in, a sharper picture out.",
        help_epilogue="Exit codes: 0 done, 1 failed (all, or some files of a folder), 2 misused, 130 interrupted. "
        "With --debug, a failure shows its traceback.",
        help_format="markdown" if called in _COMMANDS else "plaintext",  # which is read in half the time
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    for place, (name, text) in enumerate(_COMMANDS.items()):
        module = name.replace("-", "_")
        line = None if name == called else text
        app.command(f"dpanet.cli.{module}:{module}", name=name, help=line, sort_key=place)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a `dpanet` command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    open_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = ["./-" if word == "-" else word for word in words if word != "--debug"]  # - is a path, no option
    show_tracebacks(debug)
    with warnings.catch_warnings(), _restored_limit():
        if not debug:
            warnings.simplefilter("ignore")
        show_notes()
        if words and not {"--help", "-h", "--version"} & {*words} and not has_current_folder():
            print_error("the current folder does not exist any more; change to another one")
            return FAILED  # libraries would end with an error of their own
        try:
            if words and not {"--help", "-h", "--version"} & {*words}:
                check_command(words[0])
            code = build_app(words[0] if words else "")(
                words, exit_on_error=False, print_error=False, result_action="return_value"
            )
            sys.stdout.flush()
            return code or DONE
        except KeyboardInterrupt:
            print_interruption()
            return INTERRUPTED
        except SystemExit as error:
            if not is_broken_pipe(error):
                raise
            return discard_output()  # rich exits where a pipe is broken
        except Exception as error:
            if is_broken_pipe(error):
                return discard_output()
            if debug:
                raise
            if is_full_output(error):
                print_error(f"standard output cannot be written ({error.strerror}); direct it elsewhere")
                return discard_output()
            print_error(_describe(error, words[0] if words else ""))
            return MISUSED if isinstance(error, CycloptsError | UsageError | ConfigError) else FAILED


@contextmanager
def _restored_limit() -> Iterator[None]:
    """Let an option that sets the environment hold for one command line, where a process runs several."""
    before = os.environ.get(VARIABLE)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def _describe(error: Exception, command: str) -> str:
    """Return the sentence for an error of a command line."""
    if not isinstance(error, CycloptsError):
        return describe_error(error, command)
    error.verbose = False
    chain = " ".join(("dpanet", *(error.command_chain or ())))
    text = str(error)
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        words = get_args(error.argument.hint)
        choices = f" ({', '.join(words)})" if words and all(isinstance(word, str) for word in words) else ""
        name = error.argument.name
        alone = not error.tokens_so_far and "Did you mean" not in text
        if alone and (not error.keyword or name in ("--output", *_NAMES)):
            advice = f"name {_NAMES[name]}" if name in _NAMES else "give it"
            if name == "--output":
                what = _OUTPUTS.get(" ".join(error.command_chain or ()), "folder to write to, such as -o OUT")
                advice = f"name the {what}"
            fault = f"{error.keyword} stands without a name" if error.keyword else f"{name} is missing"
            text = f"{fault}{choices}; {advice}."
        else:
            text = f"{text.removesuffix('.')}{choices}."
    return f"{text} See: {chain} --help"
