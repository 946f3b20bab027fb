"""Compare command lines of the pages with the programs that they name, and make them cheap enough to be run."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path

from pages.blocks import ROOT, find_commands, find_inline_commands
from pages.example_files import FILES, FOLDERS

from dpanet.cli.program import build_app
from dpanet.training.config_file import load_config, shipped_configs

RUN = ("deblur", "demo", "evaluate", "inspect", "simulate")
"""Commands that are run where what they read is among the example files."""

OUTPUTS = ("-o", "--output", "--defocus-map", "--picture", "--compare")
"""Options that name what is written."""

PROGRAMS = (
    "dpanet",
    "python",
    "python3",
    "py",
    "pip",
    "pytest",
    "make",
    "torchrun",
    "pre-commit",
    "head",
    "zcat",
)
"""Programs whose command lines may stand on the pages."""

PASSED_ON = {"benchmarks/command_stages.py": "deblur"}
"""Scripts that give their arguments to a command of dpanet."""

PLACEHOLDER = re.compile(r"(?<![\w.-])[A-Z][A-Z0-9]+(?![\w])")
"""A word in capitals, which stands for a name of the reader's."""

MISSING = re.compile(r"requires an argument|is missing|[Mm]issing")
"""What the command line says of an option that was left out."""


def find_faults(text: str) -> list[str]:
    """Return the commands of a page that would be refused, each with the reason."""
    faults = [(words, explain_fault(words)) for _, words in find_commands(text)]
    for words in find_inline_commands(text):  # a sentence may leave out what does not matter to it
        fault = explain_fault(words)
        faults.append((words, None if fault and MISSING.search(fault) else fault))
    return [f"{' '.join(words)}: {fault}" for words, fault in faults if fault]


def explain_fault(words: list[str]) -> str | None:
    """Return what is wrong with a command line; None if the program, its command and its options exist."""
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    program = _without_folder(words[0]) if words else ""
    if program not in PROGRAMS:
        return f"the program {program} is unknown"
    if program in ("python3", "py"):
        program = "python"
    if ("-m", "dpanet") in pairwise(words):  # of python or torchrun
        program, words = "dpanet", words[words.index("dpanet") :]
    if program == "dpanet":
        return _explain_options(words[1:])
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        unknown = [word for word in words[1:] if "=" not in word and word not in targets]
        return f"make has no {unknown[0]}" if unknown else None
    if program == "python":
        return _explain_script(words[1:])
    if program == "pytest":
        absent = [word for word in words[1:] if word.startswith("tests") and not (ROOT / word).exists()]
        return f"{absent[0]} does not exist" if absent else None
    return None


def _explain_options(words: list[str]) -> str | None:
    commands = [*build_app()]
    if not words or words == ["COMMAND", "--help"]:
        return None
    if words[0] not in commands:
        return f"dpanet has no {words[0]}"
    if {"--help", "--list"} & {*words}:
        return None
    words = ["1" if word == "N" else word for word in words]
    try:
        _, arguments, _ = build_app(words[0]).parse_args(words, exit_on_error=False, print_error=False)
        config, changes = arguments.arguments.get("config"), arguments.arguments.get("set_", ())
        if words[0] == "train" and config in shipped_configs() and "..." not in changes:
            load_config(config, changes)
    except Exception as error:
        return str(error)
    return None


def _explain_script(words: list[str]) -> str | None:
    """Check that the script or module exists, and that its source names each option."""
    if words[0] == "-m" and (words[1] == "pip" or words[1].partition(".")[0] in sys.stdlib_module_names):
        return None
    if words[0] == "-m":
        path = words[1].replace(".", "/") + ".py"
        script = ROOT / (path if not path.startswith("dpanet") else f"src/{path}")
    else:
        script = ROOT / words[0]
    if not script.exists():
        return f"{words[0]} does not exist" if words[0] != "-m" else f"the module {words[1]} does not exist"
    if words[0] in PASSED_ON:
        return _explain_options([PASSED_ON[words[0]], *words[1:]])
    source = script.read_text(encoding="utf-8")
    options = [word.partition("=")[0] for word in words[1:] if word.startswith("--")]
    absent = [name for name in options if f'"{name}"' not in source]
    return f"{words[0]} has no {absent[0]}" if absent else None


def _without_folder(program: str) -> str:
    return program.removeprefix(".venv/bin/").removeprefix(".venv/Scripts/")


def shorten(words: list[str]) -> list[str] | None:
    """Return the arguments of a `dpanet` that runs on the example files in a moment; None if none does."""
    words = [_without_folder(words[0]), *words[1:]]
    if words[0] != "dpanet" or len(words) < 2 or words[1] not in RUN or "--help" in words:
        return None
    if len(words) == 2 and words[1] != "demo":
        return None
    read = [word for before, word in pairwise(words[1:]) if before not in OUTPUTS]
    files = [word for word in read if re.search(r"\.\w{3,4}$", word)]
    named = [word.removeprefix("measured:") for word in read if PLACEHOLDER.search(word)]
    if not {*files, *named} <= {*FILES, *FOLDERS} or any("/" in word for word in read):
        return None
    if {"--camera", "--cluster", "pixel4", "dpdd", "restormer"} & {*words}:
        return None
    short = words[1:]
    if "--count" in short:
        short[short.index("--count") + 1] = "1"
        short += ["--workers", "1", *([] if "--depth" in short else ["--size", "64"])]
    return short


def remove_outputs(words: list[str], folder: Path) -> None:
    """Delete what a command line is going to write."""
    for before, word in pairwise(words):
        path = folder / word
        if before in OUTPUTS and path.is_dir():
            for inner in sorted(path.rglob("*"), reverse=True):
                inner.rmdir() if inner.is_dir() else inner.unlink()
            path.rmdir()
        elif before in OUTPUTS:
            path.unlink(missing_ok=True)
