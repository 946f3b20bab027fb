"""The log of a run: lines on the screen, `log.csv`, TensorBoard, curves and samples."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import OutputError, shown
from dpanet.files.matplotlib_folder import prepare_matplotlib
from dpanet.formats.png import encode_png
from dpanet.training.run_folder import RunFolder


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    step: int
    """Number of finished steps."""
    seconds: float
    """Time since the start of the run."""
    learning_rate: float
    patch: int
    """Side of the patches, px."""
    loss: float
    """Mean loss of the largest output over the steps since the last line."""
    psnr: float | None = None
    """PSNR of the moving average on the validation scenes, dB; None without a validation."""
    nothing: float | None = None
    """PSNR of the mean of both views on the same scenes, dB; None without a validation."""

    def __str__(self) -> str:
        text = f"step {self.step}  loss {self.loss:.5f}  rate {self.learning_rate:.2e}  patch {self.patch}"
        if self.psnr is not None and self.nothing is not None:
            text += f"  psnr {self.psnr:.2f} dB ({self.psnr - self.nothing:+.2f})"
        return f"{text}  {self.seconds:.0f} s"


_DRAW_EVERY = 60.0
"""Seconds between drawings of the curves, besides those after a validation."""

COLUMNS = tuple(field.name for field in fields(Entry))


class TrainingLog:
    """Writes the log of a run.

    Args:
        run: the folder.
        step: the step at which the run starts or is resumed; entries of later steps are dropped, since these steps
            are repeated.
        report: called with each line.
        silent: whether nothing is written, as in all processes but the first.

    Raises:
        OutputError: if a file cannot be written.
    """

    def __init__(
        self, run: RunFolder, step: int, report: Callable[[str], None] = print, *, silent: bool = False
    ) -> None:
        self.run, self.report, self.silent = run, report, silent
        self.entries: list[Entry] = []
        self._tensorboard: Any = None
        self._drawn = time.monotonic()
        self._excepthook = threading.excepthook
        if silent:
            return
        self._file = run.path / "log.csv"
        self.entries = [entry for entry in read_log(self._file) if entry.step <= step]
        run.write(self._file, lambda path: path.write_text(_to_csv(self.entries), "utf-8"))
        threading.excepthook = partial(_hide_failed_writer, self._excepthook)
        self._tensorboard = _open_tensorboard(run.path / "tensorboard", step + 1, report)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._tensorboard is not None:
                self._tensorboard.close()
        except OSError as close_error:
            if error is None:
                raise self._not_written(close_error) from close_error
        finally:
            threading.excepthook = self._excepthook
        if kind is None and self.entries and not self.silent:
            self._draw()

    def write(self, entry: Entry, samples: Sequence[NDArray[np.float32]] = ()) -> None:
        """Write an entry, the samples of its validation, and, after a validation or a minute, the curves."""
        if self.silent:
            return
        self.entries.append(entry)
        self.report(str(entry))
        try:
            with self._file.open("a", newline="", encoding="utf-8") as stream:
                stream.write(_to_csv([entry], header=False))
            for name, value in asdict(entry).items():
                if name != "step" and value is not None and self._tensorboard is not None:
                    self._tensorboard.add_scalar(name, value, entry.step)
            if self._tensorboard is not None:
                self._tensorboard.flush()
        except OSError as error:
            raise self._not_written(error) from error
        if entry.psnr is not None or time.monotonic() - self._drawn >= _DRAW_EVERY:
            self._draw()
        if len(samples):
            self._write_samples(entry.step, samples)

    def _not_written(self, error: OSError) -> OutputError:
        return OutputError(
            f"the log in {shown(self.run.path)} cannot be written ({error.strerror or error}); free space and go on "
            f"with --resume {shown(self.run.path)}"
        )

    def _write_samples(self, step: int, samples: Sequence[NDArray[np.float32]]) -> None:
        self.run.samples.mkdir(exist_ok=True)
        codes = np.rint(np.concatenate(samples).clip(0, 1) * 255).astype(np.uint8)
        data = encode_png(codes, None, None)
        self.run.write(self.run.samples / f"step-{step:07d}.png", lambda path: path.write_bytes(data))

    def _draw(self) -> None:
        self.run.write(self.run.path / "curves.png", lambda path: draw_curves(self.entries, path))
        self._drawn = time.monotonic()


def _hide_failed_writer(
    excepthook: Callable[[threading.ExceptHookArgs], object], arguments: threading.ExceptHookArgs
) -> None:
    """Print no traceback of TensorBoard's thread, such as on a full disk: its next call raises the same error."""
    if not (
        type(arguments.thread).__name__ == "_AsyncWriterThread" and isinstance(arguments.exc_value, OSError)
    ):
        excepthook(arguments)


def _open_tensorboard(folder: Path, step: int, report: Callable[[str], None]) -> Any:
    """Return a writer of TensorBoard's files from a step on; None where TensorBoard cannot write."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        report(
            f"{shown(folder)} is not written, because TensorBoard needs names in UTF-8; log.csv has the same numbers"
        )
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step)


def read_log(path: Path) -> list[Entry]:
    """Return the entries of a log; lines that were cut off are skipped."""
    if not path.exists():
        return []
    entries = []
    lines = path.read_text("utf-8", errors="replace").splitlines(keepends=True)
    for row in csv.DictReader(line for line in lines if line.endswith("\n")):
        try:
            numbers: dict[str, Any] = {
                name: float(row[name]) for name in ("seconds", "learning_rate", "loss")
            }
            integers: dict[str, Any] = {name: int(row[name]) for name in ("step", "patch")}
            scores: dict[str, Any] = {
                name: float(row[name]) if row[name] else None for name in ("psnr", "nothing")
            }
        except (KeyError, TypeError, ValueError):
            continue
        if None not in row.values():
            entries.append(Entry(**numbers, **integers, **scores))
    return entries


def _to_csv(entries: Sequence[Entry], header: bool = True) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(asdict(entry) for entry in entries)
    return stream.getvalue()


def draw_curves(entries: Sequence[Entry], path: Path) -> None:
    """Write a PNG of the loss (logarithmic) and, if there are any, the validations' PSNR over the steps."""
    prepare_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    validated = [entry for entry in entries if entry.psnr is not None]
    left, *others = figure.subplots(1, 2 if validated else 1, squeeze=False)[0]
    left.plot([entry.step for entry in entries], [entry.loss for entry in entries], color="tab:blue")
    scale = "log" if all(entry.loss > 0 for entry in entries) else "linear"
    left.set(xlabel="step", ylabel="loss", yscale=scale)
    for right in others:
        steps = [entry.step for entry in validated]
        right.plot(steps, [entry.psnr for entry in validated], color="tab:green", label="moving average")
        right.plot(
            steps, [entry.nothing for entry in validated], color="gray", ls="--", label="mean of the views"
        )
        right.set(xlabel="step", ylabel="PSNR on validation scenes, dB")
        right.legend()
    for axes in (left, *others):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, format="png")
