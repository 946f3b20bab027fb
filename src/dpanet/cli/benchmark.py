"""`dpanet benchmark`: how fast this machine deblurs, and how near to what it can do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def benchmark(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("benchmark"),
    model: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True)] = ("compact", "nano"),
    quick: Annotated[bool, Parameter(negative=())] = False,
    largest: float = 50.0,
    threads: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Measure how fast this machine deblurs: engines, parts of the networks, whole commands, memory.

    Prints tables; in a pipe as Markdown, to be pasted. Writes benchmark.json, benchmark.md and benchmark.svg. Engines
    that are not installed are left out.

    Parameters
    ----------
    output
        The folder to write to; created if it does not exist.
    model
        Models' names, or files of `dpanet export`; with the extra torch also .safetensors files.
    quick
        Fewer runs and smaller pictures: about a minute instead of about ten.
    largest
        Megapixels of the largest picture of a whole command; 0 measures none by size.
    threads
        Threads that compute; all physical cores by default.
    json
        Print the content of benchmark.json instead of the tables.
    overwrite
        Replace files that exist.
    """
    from dpanet.files.output import atomic_output, prepare_output

    paths = {kind: output / f"benchmark.{kind}" for kind in ("json", "md", "svg")}
    if output.is_dir():
        for path in paths.values():
            prepare_output(path, overwrite)
    else:
        prepare_output(output)

    from dpanet.benchmark.benchmark import Plan, find_changed_files, run_benchmark
    from dpanet.benchmark.picture import draw
    from dpanet.benchmark.report import make_tables, to_markdown, to_rich
    from dpanet.errors import ImageWarning, counted, shown

    plan = Plan(tuple(dict.fromkeys(model)), quick, largest, threads)
    changed = find_changed_files()
    if changed:
        warnings.warn(
            f"{counted(len(changed), 'file')} of the package changed since its commit ({shown(changed[0])} first); "
            "the tables say so, and for figures to be published commit the changes first",
            ImageWarning,
            stacklevel=2,
        )
    with _status() as say:
        results = run_benchmark(plan, say)
    tables = make_tables(results)
    texts = {"json": results.to_json(), "md": to_markdown(tables), "svg": draw(results)}
    output.mkdir(exist_ok=True)
    for kind, path in paths.items():
        with atomic_output(path, overwrite) as unfinished:
            unfinished.write_text(texts[kind], encoding="utf-8")
    if json:
        print(texts["json"], end="")
    elif sys.stdout.isatty():
        from rich.console import Console

        for table in tables:
            Console(highlight=False).print(to_rich(table))
    else:
        print(texts["md"], end="")


@contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """Yield what shows on a terminal what is measured now, and shows nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(f"measuring {text}".replace("[", "\\["))
