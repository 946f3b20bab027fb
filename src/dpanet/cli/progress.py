"""Progress on a terminal; silence in a pipe."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class _Bars:
    """Bars on standard error, shown on a terminal only."""

    def __init__(self, shown: bool = True) -> None:
        self._console = Console(stderr=True)
        self._shown = shown and sys.stderr.isatty()  # whatever FORCE_COLOR says
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # a pipe gets its lines, bars or not
            disable=not self._shown,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


class Steps(_Bars):
    """One bar for the steps of a training run.

    Args:
        shown: False in all processes but one.
    """

    def __init__(self, shown: bool = True) -> None:
        super().__init__(shown)
        self._task = self._bars.add_task("steps", total=None)

    def stepped(self, step: int, steps: int) -> None:
        """Show that `step` of `steps` is done."""
        self._bars.update(self._task, completed=step, total=steps)


class Meter(_Bars):
    """One bar for the files and one for the tiles of a picture, where there are several.

    Args:
        files: number of files.
    """

    def __init__(self, files: int) -> None:
        super().__init__()
        self._files = self._bars.add_task("files", total=files, visible=files > 1)
        self._tiles = self._bars.add_task("tiles", total=None, visible=False)

    def tiles(self, done: int, total: int) -> None:
        """Show that `done` of `total` tiles are done; the `progress` of a Deblurrer."""
        if done == 0:
            self._bars.reset(self._tiles, total=total, visible=total > 1)
        self._bars.update(self._tiles, completed=done)

    def next_file(self) -> None:
        """Count one file, whether it succeeded or failed."""
        self._bars.advance(self._files)
        self._bars.update(self._tiles, visible=False)

    def say(self, line: str) -> None:
        """Print a line above the bars, on a terminal only."""
        if self._shown:
            self._console.print(line, highlight=False, markup=False)
