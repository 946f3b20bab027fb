"""The results as tables: for a terminal, and as Markdown to be pasted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpanet.benchmark.results import Command, Results, Timing

if TYPE_CHECKING:
    from rich.table import Table as RichTable

Row = tuple[str, ...]

_IMPOSSIBLE = 1.005
"""Share of the best rate from which on it is no more rounded to 100 %."""


@dataclass(frozen=True)
class Table:
    """One section of the report."""

    title: str
    columns: Row
    rows: tuple[Row, ...]
    words: int = 1
    """Columns of words, which stand first; those after them are numbers."""
    notes: tuple[str, ...] = ()


_LISTED = 5
"""Changed files that are named."""


def make_tables(results: Results) -> list[Table]:
    """Return the sections of the report that have rows; columns without any value are left out."""
    tables = [
        _machine(results),
        _rates(results),
        _passes(results),
        _parts(results),
        _commands(results),
        _sizes(results),
        Table("Left out", ("what, and why",), tuple((line,) for line in results.left_out)),
    ]
    return [_without_empty(table) for table in tables if table.rows]


def to_markdown(tables: Sequence[Table]) -> str:
    """Return tables that are readable as they are, and are tables where Markdown is rendered."""
    return "\n".join(line for table in tables for line in _markdown(table))


def to_rich(table: Table) -> RichTable:
    """Return a table for a terminal."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        caption="\n".join(table.notes) or None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for place, column in enumerate(table.columns):
        drawn.add_column(column, justify="left" if place < table.words else "right")
    for row in table.rows:
        drawn.add_row(*map(Text, row))
    return drawn


def show_model(model: str) -> str:
    """Return a shipped name, or the name of a file without its folder."""
    return Path(model).name


def show_share(share: float | None) -> str:
    """Return a share of the best rate of convolutions; one that cannot be only as such."""
    if not share:
        return ""
    return f"{100 * share:.0f} %" if share < _IMPOSSIBLE else "> 100 %"


def _busy_notes(shares: Iterable[float | None]) -> tuple[str, ...]:
    """Return what has to be said of shares above 100 %."""
    if not any(share and share >= _IMPOSSIBLE for share in shares):
        return ()
    return (
        "> 100 %: this ran faster than the best rate above, so that the machine was busy, or its clock lower, while "
        "that was measured. Measure again while nothing else runs.",
    )


def _markdown(table: Table) -> Iterator[str]:
    rows = [tuple(re.sub(r"([|\\])", r"\\\1", cell) for cell in row) for row in table.rows]
    widths = [max(3, *map(len, column)) for column in zip(table.columns, *rows, strict=True)]

    def line(row: Row) -> str:
        cells = [
            cell.ljust(width) if place < table.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    yield from (f"**{table.title}**", "", line(table.columns))
    rules = ["-" * w if place < table.words else "-" * (w - 1) + ":" for place, w in enumerate(widths)]
    yield line(tuple(rules))
    yield from map(line, rows)
    yield ""
    for note in table.notes:
        yield from (note, "")


def _without_empty(table: Table) -> Table:
    used = [
        place
        for place in range(len(table.columns))
        if place < table.words or any(row[place] not in ("", "-") for row in table.rows)
    ]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in used),
        rows=tuple(tuple(row[place] for place in used) for row in table.rows),
    )


def _machine(results: Results) -> Table:
    machine = results.machine
    memory = "unknown" if machine.memory is None else f"{machine.memory / 2**30:.1f} GiB"
    versions = ", ".join(f"{name} {version}" for name, version in results.packages.items())
    digits, _, dirty = (results.commit or "").partition("-")
    commit = f", commit {digits[:12]}{' with changes' if dirty else ''}" if digits else ""
    names = results.changed_files
    listed = ", ".join(names[:_LISTED]) + (
        f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    )
    note = (
        f"changed since that commit: {listed}; " if names else ""
    ) + "the commit alone does not repeat these figures"
    rows = (
        ("processor", machine.processor),
        ("physical cores", f"{machine.cores} ({results.threads} used)"),
        ("instruction sets", ", ".join(machine.instruction_sets) or "unknown"),
        ("memory", memory),
        ("memory bandwidth", f"{machine.bandwidth / 1e9:.1f} GB/s (copying: read and written)"),
        ("system", f"{machine.system}, Python {machine.python}"),
        ("software", f"dpanet {results.version}{commit}; {versions}"),
        ("measured", f"{results.date}{', --quick' if results.quick else ''}"),
        *((("note", note),) if dirty else ()),
    )
    return Table("Machine", ("", "this machine"), rows, words=2)


def _rates(results: Results) -> Table:
    rows = tuple(
        (rate.engine, rate.precision, f"{rate.gflops:.0f}", f"{rate.channels} at {rate.side} x {rate.side}")
        for rate in results.rates
    )
    return Table(
        "Best rate of 3 x 3 convolutions",
        ("engine", "precision", "GFLOP/s", "channels"),
        rows,
        words=2,
        notes=(
            "A multiply-add counts as two operations. 100 % below is the best of these in the same precision.",
        ),
    )


def _passes(results: Results) -> Table:
    rows = tuple(
        (
            show_model(one.model),
            one.engine,
            one.precision,
            f"{one.width} x {one.height}",
            _milliseconds(one.seconds),
            _number(one.seconds.median / (one.width * one.height / 1e6), 2),
            _giga(one.multiply_adds),
            _gflops(one.multiply_adds, one.seconds.median),
            show_share(one.share),
            _number(one.joules_per_megapixel, 1),
        )
        for one in results.passes
    )
    columns = ("model", "engine", "precision", "size", "ms (quartiles)", "s / megapixel", "G multiply-adds")
    runs = results.passes[0].seconds.runs if results.passes else 0
    return Table(
        "One run of a network",
        (*columns, "GFLOP/s", "share", "J / megapixel"),
        rows,
        words=4,
        notes=(
            f"Median of {runs} runs after a warm-up. The models that ship run twice for a picture.",
            *_busy_notes(one.share for one in results.passes),
        ),
    )


def _parts(results: Results) -> Table:
    rows = tuple(
        (
            show_model(part.model),
            part.precision,
            part.part,
            _giga(part.multiply_adds),
            f"{1e3 * part.seconds:.1f}",
            _gflops(part.multiply_adds, part.seconds),
            show_share(part.share),
        )
        for part in results.parts
    )
    columns = ("model", "precision", "part", "G multiply-adds", "ms", "GFLOP/s", "share")
    notes = (
        "Level 0 is the finest. Correlation, padding and sampling are no multiply-adds of a convolution.",
        *_busy_notes(part.share for part in results.parts),
    )
    return Table("Parts of the networks, by ONNX Runtime", columns, rows, words=3, notes=notes)


def _commands(results: Results) -> Table:
    rows = tuple(
        (command.command, show_model(command.model or ""), *_command_numbers(command))
        for command in results.commands
    )
    columns = ("command", "model", "megapixels", "s (quartiles)", "processor s", "peak MB", "J / megapixel")
    note = "In a process of its own: Python, imports, reading, the network, writing. 16-bit PNG in and out."
    return Table("Whole commands", columns, rows, words=2, notes=(note,))


def _sizes(results: Results) -> Table:
    rows = tuple(
        (
            show_model(command.model or ""),
            *_command_numbers(command),
            _number(command.seconds.median / command.megapixels, 2) if command.megapixels else "",
        )
        for command in results.sizes
    )
    columns = ("model", "megapixels", "s (quartiles)", "processor s", "peak MB", "J / megapixel")
    notes = tuple(
        f"{show_model(line.model)}: {line.start:.2f} s + {line.per_megapixel:.2f} s a megapixel; no size is farther "
        f"than {100 * line.departure:.0f} % from this line."
        for line in results.growth
    )
    return Table("dpanet deblur by size", (*columns, "s / megapixel"), rows, notes=notes)


def _command_numbers(command: Command) -> Row:
    return (
        _number(command.megapixels, 2),
        _seconds(command.seconds),
        _number(command.processor_seconds, 2),
        "" if command.peak_memory is None else f"{command.peak_memory / 1e6:.0f}",
        _number(command.joules_per_megapixel, 1),
    )


def _seconds(timing: Timing) -> str:
    if timing.runs == 1:
        return f"{timing.median:.2f}"
    return f"{timing.median:.2f} ({timing.lower:.2f} to {timing.upper:.2f})"


def _milliseconds(timing: Timing) -> str:
    return f"{1e3 * timing.median:.0f} ({1e3 * timing.lower:.0f} to {1e3 * timing.upper:.0f})"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _giga(value: float | None) -> str:
    return "" if value is None else f"{value / 1e9:.2f}"


def _gflops(multiply_adds: float | None, seconds: float) -> str:
    return "" if not multiply_adds else f"{2 * multiply_adds / seconds / 1e9:.0f}"
