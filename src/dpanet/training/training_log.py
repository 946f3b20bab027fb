"""What a run tells while it goes: lines, `log.csv`, TensorBoard, curves and samples."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import OutputError
from dpanet.images.png import encode_png
from dpanet.training.run_folder import RunFolder


@dataclass(frozen=True)
class Entry:
    """A line of the log. loss: mean over the steps since the last line, of the finest picture alone. psnr: of the
    moving average on the validation scenes, dB; nothing: of the mean of the views. Both None between validations.
    """

    step: int
    seconds: float
    learning_rate: float
    patch: int
    loss: float
    psnr: float | None = None
    nothing: float | None = None

    def __str__(self) -> str:
        told = f"step {self.step}  loss {self.loss:.5f}  rate {self.learning_rate:.2e}  patch {self.patch}"
        if self.psnr is not None and self.nothing is not None:
            told += f"  psnr {self.psnr:.2f} dB ({self.psnr - self.nothing:+.2f})"
        return f"{told}  {self.seconds:.0f} s"


_DRAWN_EVERY = 60.0
"""Seconds between drawings of the curves where no validation gives the occasion."""

COLUMNS = tuple(f.name for f in fields(Entry))


class TrainingLog:
    """Writes where a process is to tell at all (`silent` ones do not). `say` is given each line.

    Lines behind `step` are dropped: their steps are made again.

    Raises: OutputError if a file cannot be written.
    """

    def __init__(
        self, run: RunFolder, step: int, say: Callable[[str], None] = print, *, silent: bool = False
    ) -> None:
        self.run, self.say, self.silent = run, say, silent
        self.entries: list[Entry] = []
        self._board: Any = None
        self._drawn = time.monotonic()
        if silent:
            return
        self._log = run.path / "log.csv"
        self.entries = [entry for entry in read_log(self._log) if entry.step <= step]
        run.write(self._log, lambda path: path.write_text(_csv(self.entries), "utf-8"))
        from torch.utils.tensorboard import SummaryWriter

        self._board = SummaryWriter(str(run.path / "tensorboard"), purge_step=step + 1)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()
        if kind is None and self.entries and not self.silent:
            self._draw()

    def write(self, entry: Entry, samples: Sequence[NDArray[np.float32]] = ()) -> None:
        """One line everywhere; with a validation, or after a minute, also the curves; samples, if there are any."""
        if self.silent:
            return
        self.entries.append(entry)
        self.say(str(entry))
        try:
            with self._log.open("a", newline="", encoding="utf-8") as stream:
                stream.write(_csv([entry], header=False))
            for name, value in asdict(entry).items():
                if name != "step" and value is not None:
                    self._board.add_scalar(name, value, entry.step)
            self._board.flush()
        except OSError as error:
            raise OutputError(
                f"{self._log} cannot be written ({error.strerror}); free space and go on with "
                f"--resume {self.run.path}"
            ) from error
        if entry.psnr is not None or time.monotonic() - self._drawn >= _DRAWN_EVERY:
            self._draw()
        if len(samples):
            folder = self.run.samples
            folder.mkdir(exist_ok=True)
            codes = np.rint(np.concatenate(samples).clip(0, 1) * 255).astype(np.uint8)
            data = encode_png(codes, None, None)
            self.run.write(folder / f"step-{entry.step:07d}.png", lambda path: path.write_bytes(data))

    def _draw(self) -> None:
        self.run.write(self.run.path / "curves.png", lambda path: draw_curves(self.entries, path))
        self._drawn = time.monotonic()


def read_log(path: Path) -> list[Entry]:
    """The whole lines of a log; one that was cut off is passed over."""
    if not path.exists():
        return []
    found = []
    lines = path.read_text("utf-8", errors="replace").splitlines(keepends=True)
    for row in csv.DictReader(line for line in lines if line.endswith("\n")):
        try:
            always: dict[str, Any] = {name: float(row[name]) for name in ("seconds", "learning_rate", "loss")}
            whole: dict[str, Any] = {name: int(row[name]) for name in ("step", "patch")}
            judged: dict[str, Any] = {
                name: float(row[name]) if row[name] else None for name in ("psnr", "nothing")
            }
        except (KeyError, TypeError, ValueError):
            continue
        if None not in row.values():
            found.append(Entry(**always, **whole, **judged))
    return found


def _csv(entries: Sequence[Entry], header: bool = True) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(asdict(entry) for entry in entries)
    return stream.getvalue()


def draw_curves(entries: Sequence[Entry], path: Path) -> None:
    """Loss (logarithmic) and, where there is any, validation PSNR over the steps, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    judged = [e for e in entries if e.psnr is not None]
    left, *others = figure.subplots(1, 2 if judged else 1, squeeze=False)[0]
    left.plot([e.step for e in entries], [e.loss for e in entries], color="tab:blue")
    scale = "log" if all(e.loss > 0 for e in entries) else "linear"
    left.set(xlabel="step", ylabel="loss", yscale=scale)
    for right in others:
        steps = [e.step for e in judged]
        right.plot(steps, [e.psnr for e in judged], color="tab:green", label="moving average")
        right.plot(steps, [e.nothing for e in judged], color="gray", ls="--", label="mean of the views")
        right.set(xlabel="step", ylabel="PSNR on validation scenes, dB")
        right.legend()
    for axes in (left, *others):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, format="png")
