"""Blocks of code of the pages: what they hold, and the command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

GENERATED = ("api.md", "commands.md", "CHANGELOG.md")
"""Pages written by a program, and one about the past, in which commands of earlier versions stand."""

WRITTEN = [page for page in PAGES if page.name not in GENERATED]

CHECKED = ("bash", "powershell", "python")
"""Languages whose blocks are run or compared with the real command line."""

SHOWN = ("text", "mermaid", "json", "toml", "yaml", "dockerfile", "lua", "html", "javascript")
"""Languages of blocks that are only to be read."""

_SHELLS = {"bash": "\\", "powershell": "`"}
"""Languages of command lines, and what ends a line that goes on in the next one."""

_FENCE = re.compile(r"^( *)(```+)(\w*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)

_INLINE = re.compile(r"(?<!`)`((?:dpanet|make|python|pytest) [^`]+)`(?!`)")


class Block(NamedTuple):
    """A block of code, its language, and the line of the page at which it begins."""

    line: int
    language: str
    code: str


def find_blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(text[: match.start()].count("\n") + 1, match[3], _without_indent(match[4], match[1]))
        for match in _FENCE.finditer(text)
    ]


def find_commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each command line in the blocks of a page for a shell, and its line.

    Paths of Windows come with / in place of the backslash, which shlex takes for an escape.
    """
    for block in find_blocks(text):
        if block.language not in _SHELLS:
            continue
        joint = _SHELLS[block.language]
        line = block.line
        pending = ""
        for row in block.code.splitlines():
            line += 1
            pending += row.removesuffix(joint)
            if row.endswith(joint):
                continue
            if block.language == "powershell":
                pending = pending.replace("\\", "/")
            for command in _split(pending):
                yield line, command
            pending = ""


def find_inline_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of the commands with arguments that stand in backquotes in the text of a page."""
    for match in _INLINE.finditer(_FENCE.sub("", text)):
        line = " ".join(match[1].split())
        if line.count(" ") > line.startswith("dpanet"):  # the name of a command alone is none
            yield from _split(line)


def find_joined_lines(text: str) -> list[str]:
    """Return the lists and tables that begin right below a line of text, where the site shows no list or table."""
    text = _FENCE.sub("", text)
    joined = []
    for above, row in pairwise(text.splitlines()):
        starts_list = re.match(r"(?:[-*]|\d+\.) ", row) and not re.match(r" *(?:[-*]|\d+\.) | ", above)
        starts_table = row.startswith("|") and not above.startswith("|")
        nested = re.match(r" {1,3}(?:[-*]|\d+\.) ", row)
        if (above.strip() and (starts_list or starts_table)) or nested:
            joined.append(row)
    return joined


def _split(row: str) -> Iterator[list[str]]:
    row = re.sub(r"<\([^)]*\)", "./-", row)  # what another command prints, in place of a file
    row = re.sub(r"(?<!\S)\d(?=[<>])", "", row)
    lexer = shlex.shlex(row, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    yield from _cut(list(lexer))


def _cut(words: list[str]) -> Iterator[list[str]]:
    """Yield the commands of a line that joins several by pipes, without what is redirected."""
    command: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("|", "&&", ";", "&"):
            yield command
            command = []
        elif re.fullmatch(r"[<>]+", word):
            skip = True
        else:
            command.append(word)
    if command:
        yield command


def _without_indent(code: str, indent: str) -> str:
    return "".join(row.removeprefix(indent) for row in code.splitlines(keepends=True))
