"""Write docs/commands.md: all commands and options, from the commands themselves.

python -m tools.command_reference
"""

from __future__ import annotations

import re
from pathlib import Path

from dpanet.cli.program import build_app
from dpanet.extras import COMMANDS

PAGE = Path(__file__).parents[1] / "docs/commands.md"

_HEAD = """# Commands and options

All commands, in the order of `dpanet --help`, as `dpanet COMMAND --help` prints them. What holds for all of
them, such as exit codes, is in [the command line](command-line.md). This page is written by
`python -m tools.command_reference`.

Any command: `--help` prints its options, `--debug` shows the traceback of a failure.

"""


def build_page() -> str:
    """Return the Markdown of the page."""
    names = [name for name in build_app() if not name.startswith("-")]
    parts = [_describe_command(name) for name in names]
    links = "\n".join(f"- [`dpanet {name}`](#{name}): {_first_line(name)}" for name in names)
    return _HEAD + links + "\n\n" + "\n\n".join(parts) + "\n"


def _first_line(name: str) -> str:
    return str(build_app()[name].help).splitlines()[0]


def _describe_command(name: str) -> str:
    text = build_app(name)[name].generate_docs(output_format="markdown")
    heading, _, rest = text.strip().partition("\n")
    if not heading.startswith("# "):
        raise RuntimeError(f"the page of {name} begins with {heading!r}, not with its heading")
    extra = COMMANDS.get(name)
    needs = f"\nNeeds the extra `{extra}` ([installation](installation.md)).\n" if extra else ""
    rest = rest.replace("```console\n", "```text\ndpanet ").replace("**Parameters**:", "**Options**")
    rest = rest.replace("**Arguments**:", "**Arguments**")
    rest = re.sub(r"\n    +(?=\S)", " ", rest)  # a description is one line
    rest = re.sub(r" +\*\[default: (?:False|\(\))\]\*", "", rest)
    rest = re.sub(r"^\* ", "- ", rest, flags=re.MULTILINE)
    return f"## {name}\n{needs}{rest.rstrip()}"


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
