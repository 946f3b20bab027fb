"""Progress on a terminal; silence in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dpanet.terminal.time_left import TimeLeft

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class _Bars:
    """Bars on standard error, shown on a terminal only; nothing else loads what draws them."""

    def __init__(self, shown: bool = True) -> None:
        self._bars: Progress | None = None
        if shown and sys.stderr.isatty():  # whatever FORCE_COLOR says
            self._bars = _build_bars()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def _add_bar(self, name: str, **options: Any) -> TaskID | None:
        """Return the identity of a new bar; None where nothing is shown."""
        return None if self._bars is None else self._bars.add_task(name, **options)


class Steps(_Bars):
    """One bar for the steps of a training run.

    Args:
        shown: False in all processes but one.
    """

    def __init__(self, shown: bool = True) -> None:
        super().__init__(shown)
        self._left = TimeLeft()
        self._first: int | None = None
        self._task = self._add_bar("steps", total=None, left=self._left.text)

    def stepped(self, step: int, steps: int) -> None:
        """Show that `step` of `steps` is done."""
        if self._bars is None or self._task is None:
            return
        self._bars.update(self._task, completed=step, total=steps)
        if self._first is None:  # not 0 in a run that goes on
            self._first = step
            self._left.begin()
        elif steps > self._first:
            self._left.done((step - self._first) / (steps - self._first))


class Meter(_Bars):
    """One bar for the files and one for the tiles of a picture, where there are several, with the time left.

    Args:
        files: number of files.
        parts: what the parts of a file are called.
    """

    def __init__(self, files: int, parts: str = "tiles") -> None:
        super().__init__()
        self._left = TimeLeft()
        self._count = files  # that take time
        self._finished = self._computed = 0
        several = files > 1
        nothing: Callable[[], str] = str
        left = (self._left.text, nothing) if several else (nothing, self._left.text)
        self._files = self._add_bar("files", total=files, visible=several, left=left[0])
        self._tiles = self._add_bar(parts, total=None, visible=False, left=left[1])

    def tiles(self, done: int, total: int) -> None:
        """Show that `done` of `total` tiles are done; the `progress` of a Deblurrer."""
        if self._bars is None or self._tiles is None:
            return
        if done == 0:
            self._bars.reset(self._tiles, total=total, visible=total > 1)
            self._left.begin()
        elif done == total:
            self._computed += 1
        self._bars.update(self._tiles, completed=done)
        self._estimate(done / total if done < total else 0)

    def next_file(self) -> None:
        """Count one file, whether it succeeded or failed."""
        self._finished += 1
        self._show_file()
        self._estimate(0)

    def skip_file(self) -> None:
        """Count one file that takes no time."""
        self._count -= 1
        self._show_file()

    def say(self, line: str) -> None:
        """Print a line above the bars, on a terminal only."""
        if self._bars is not None:
            self._bars.console.print(line, highlight=False, markup=False)

    def _show_file(self) -> None:
        if self._bars is None or self._files is None or self._tiles is None:
            return
        self._bars.advance(self._files)
        self._bars.update(self._tiles, visible=False)

    def _estimate(self, current: float) -> None:
        """Estimate the time left; of the file at work, the share `current` is done."""
        if self._bars is not None and self._count > 0:  # a file is computed before it is written and counted
            self._left.done((max(self._finished, self._computed) + current) / self._count)


def _build_bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class TimeColumn(ProgressColumn):
        """The time left; that of rich forgets what is longer ago than half a minute, as a tile may be."""

        def render(self, task: Task) -> Text:
            return Text(task.fields["left"](), style="progress.remaining")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # a pipe gets its lines, bars or not
    )
