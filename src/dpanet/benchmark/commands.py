"""Whole commands in processes of their own: seconds, memory, energy; and how they grow with the picture."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.benchmark.results import Command, Growth
from dpanet.benchmark.timing import EnergyMeter, summarize
from dpanet.errors import WorkerError, shown
from dpanet.formats.row_stream import RowStream, Strips
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.pixel_rows import PictureRows
from dpanet.images.writing import write_picture
from dpanet.pair import Pixels

_LARGE = 8.0
"""Megapixels from which a command is measured once: it takes long, and what varies is little beside it."""

_SHOWN = "dpanet deblur LEFT.png RIGHT.png -o OUT.png"
"""The command as the report shows it."""


@dataclass(frozen=True)
class Usage:
    """What one process took."""

    seconds: float
    processor_seconds: float | None
    peak_memory: int | None
    joules: float | None


def run_command(arguments: Sequence[str], folder: Path) -> Usage:
    """Run `dpanet` with these arguments in a process of its own.

    Args:
        arguments: of the command line.
        folder: for what the process writes.

    Raises:
        WorkerError: if it fails, with the last line that it printed.
    """
    note, messages = folder / "memory", folder / "messages"
    meter = EnergyMeter()
    before = meter.read()
    with messages.open("wb") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "dpanet.benchmark.watched", str(note), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
        )
        try:
            processor_seconds = _wait(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
    seconds = time.perf_counter() - start
    joules = meter.since(before)
    if process.returncode:
        lines = messages.read_text(errors="replace").strip().splitlines() or [
            f"exit code {process.returncode}"
        ]
        raise WorkerError(lines[-1].removeprefix("dpanet: error: "))
    peak = note.read_text() if note.exists() else ""
    return Usage(seconds, processor_seconds, int(peak) if peak else None, joules)


def _wait(process: subprocess.Popen[bytes]) -> float | None:
    """Wait for a process; returns the seconds of all cores, None where the system does not tell."""
    if sys.platform == "win32":
        process.wait()
        return None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def measure_help(runs: int) -> Command:
    """Measure ``dpanet --help``: how soon any command starts."""
    with tempfile.TemporaryDirectory(prefix="dpanet-", ignore_cleanup_errors=True) as name:
        return _measure("dpanet --help", None, None, ["--help"], Path(name), runs)


def measure_deblur(model: str, size: tuple[int, int], threads: int | None, runs: int) -> Command:
    """Measure ``dpanet deblur`` of a 16-bit PNG pair, height and width in px, to a 16-bit PNG."""
    with _pair(*size) as folder:
        return _measure_pair(folder, model, size, threads, runs)


def measure_sizes(
    model: str,
    megapixels: Sequence[float],
    threads: int | None,
    runs: int,
    say: Callable[[str], None],
) -> tuple[list[Command], list[str]]:
    """Measure ``dpanet deblur`` of pictures of several sizes, 4 : 3, without a warm-up: after `measure_deblur`.

    Returns:
        the commands; a sentence for each that failed.
    """
    commands: list[Command] = []
    left_out: list[str] = []
    for number in megapixels:
        say(f"dpanet deblur, {model}, {number:g} megapixels")
        width = round((4e6 / 3 * number) ** 0.5)
        size = round(1e6 * number / width), width
        try:
            with _pair(*size) as folder:
                count = runs if number < _LARGE else 1
                commands.append(_measure_pair(folder, model, size, threads, count, warm=False))
        except (WorkerError, OSError) as error:
            left_out.append(f"dpanet deblur, {model}, {number:g} megapixels: {error}")
    return commands, left_out


def fit_growth(commands: Sequence[Command]) -> list[Growth]:
    """Fit a line to the seconds of each model against the area, with equal weight for equal relative errors."""
    growth = []
    for model in dict.fromkeys(command.model for command in commands if command.model):
        points = [(c.megapixels or 0.0, c.seconds.median) for c in commands if c.model == model]
        if len(points) < 3:
            continue
        area, seconds = np.array(points).T
        weighted = np.stack([np.ones_like(area), area], axis=1) / seconds[:, None]
        start, slope = np.linalg.lstsq(weighted, np.ones_like(seconds), rcond=None)[0]
        departure = float(np.abs(seconds / (start + slope * area) - 1).max())
        growth.append(Growth(model, float(start), float(slope), departure))
    return growth


def _measure_pair(
    folder: Path, model: str, size: tuple[int, int], threads: int | None, runs: int, warm: bool = True
) -> Command:
    named = str(Path(model).absolute()) if Path(model).suffix else model
    arguments = ["deblur", str(folder / "left.png"), str(folder / "right.png"), "--model", named]
    arguments += ["-o", str(folder / "out.png"), "--overwrite"]
    arguments += [] if threads is None else ["--threads", str(threads)]
    return _measure(_SHOWN, model, size[0] * size[1] / 1e6, arguments, folder, runs, warm)


def _measure(
    shown_as: str,
    model: str | None,
    megapixels: float | None,
    arguments: Sequence[str],
    folder: Path,
    runs: int,
    warm: bool = True,
) -> Command:
    usages = [run_command(arguments, folder) for _ in range(runs + warm)][int(warm) :]
    processor = [u.processor_seconds for u in usages if u.processor_seconds is not None]
    joules = [u.joules for u in usages if u.joules is not None]
    return Command(
        shown_as,
        None if model is None else shown(model),
        megapixels,
        summarize([u.seconds for u in usages]),
        statistics.median(processor) if processor else None,
        max((u.peak_memory for u in usages if u.peak_memory is not None), default=None),
        statistics.median(joules) / megapixels if joules and megapixels else None,
    )


@contextmanager
def _pair(height: int, width: int) -> Iterator[Path]:
    """Yield a folder with left.png and right.png, 16 bits: the demo's pair, repeated as mirror images."""
    pair, _ = read_demo_pair()
    with tempfile.TemporaryDirectory(prefix="dpanet-", ignore_cleanup_errors=True) as name:
        for view in ("left", "right"):
            rows = RowStream((height, width, 3), np.float32, _Repeated(getattr(pair, view), height, width))
            write_picture(PictureRows(rows, pair.encoding, {"bits": 16}), Path(name) / f"{view}.png")
        yield Path(name)


@dataclass(frozen=True)
class _Repeated:
    """The strips of a picture that is repeated as mirror images to a size."""

    pixels: Pixels
    height: int
    width: int

    def __call__(self) -> Strips:
        columns = _mirrored(self.width, self.pixels.shape[1])
        rows = _mirrored(self.height, self.pixels.shape[0])
        for top in range(0, self.height, 256):
            yield self.pixels[rows[top : top + 256]][:, columns]


def _mirrored(length: int, period: int) -> NDArray[np.intp]:
    """Return the places 0, 1 ... period - 1, period - 1 ... 1, 0, 0, 1 ... of a side."""
    place = np.arange(length) % (2 * period)
    return np.minimum(place, 2 * period - 1 - place)
