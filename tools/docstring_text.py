"""Turn docstrings in Google form into Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

SECTIONS = ("Args", "Returns", "Raises", "Source", "Units", "Yields", "Warns", "Attributes")

LISTS = ("Args", "Raises", "Warns", "Attributes")
"""Sections of one entry a name, each in a row of its own."""

_SECTION = re.compile(rf"({'|'.join(SECTIONS)}):(?: (.*))?$")

_ENTRY = re.compile(r"(\*{0,2}[\w., ]+?): (.*)$")


def to_markdown(docstring: str) -> str:
    """Return the Markdown of a docstring whose indentation was removed (`inspect.getdoc`).

    Sections become a bold word with a list; examples become blocks of the language ``pycon``.
    """
    return "\n\n".join(_render(kind, rows) for kind, rows in _split(docstring))


def to_line(docstring: str) -> str:
    """Return the Markdown of the text below a field: one line, and a list below it for a table of two columns."""
    rows = docstring.splitlines()
    borders = [place for place, row in enumerate(rows) if re.fullmatch(r" *=+ +=+", row)]
    if not borders:
        return _plain(" ".join(docstring.split()))
    before, table, after = (
        rows[: borders[0]],
        rows[borders[0] + 1 : borders[-1]],
        rows[borders[-1] + 1 :],
    )
    column = rows[borders[0]].rindex(" ") + 1
    entries: list[str] = []
    for row in table:
        if row[:column].strip():
            entries.append(f"    - {row[:column].strip()}: {row[column:].strip()}")
        else:
            entries[-1] += " " + row.strip()
    return _plain("\n".join([" ".join(" ".join([*before, *after]).split()), *entries]))


def _split(docstring: str) -> Iterator[tuple[str, list[str]]]:
    """Yield ``text``, ``example`` or the name of a section, each with its rows."""
    kind: str = "text"
    rows: list[str] = []
    for row in [*docstring.splitlines(), ""]:
        section = _SECTION.match(row)
        starts_example = row.startswith(">>> ") and kind != "example"
        ends = kind != "text" and kind != "example" and row and not row.startswith(" ")
        blank = not row.strip()
        if section or starts_example or ends or (blank and kind in ("text", "example")):
            if any(line.strip() for line in rows):
                yield kind, rows
            rows = []
            kind = section[1] if section else "example" if row.startswith(">>> ") else "text"
            row = (section[2] or "") if section else row
        if row.strip():
            rows.append(row)
    if rows:
        yield kind, rows


def _render(kind: str, rows: list[str]) -> str:
    if kind == "example":
        return "```pycon\n" + "\n".join(rows) + "\n```"
    if kind == "text":
        if any(row.startswith("    ") for row in rows[1:]):
            return "```text\n" + "\n".join(rows) + "\n```"
        return _plain("\n".join(rows))
    entries: list[str] = []
    if kind in LISTS and not rows[0].startswith("    "):
        raise ValueError(
            f"the entries of {kind} begin in the row of its name: {rows[0].strip()}; give each its own row"
        )
    for row in rows:
        entry = _ENTRY.match(row.strip())
        nested = row.startswith("        ")
        if entry and not nested and kind in LISTS:
            entries.append(f"- `{entry[1]}`: {entry[2]}")
        elif entries:
            entries[-1] += " " + row.strip()
        else:
            entries.append(row.strip())
    return f"**{kind}**\n\n" + _plain("\n".join(entries))


def _plain(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)
