"""What runs in the processes of a cluster."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dpanet.cluster.options import WorkerOptions
from dpanet.cluster.pairs import Location
from dpanet.cluster.places import Place
from dpanet.cluster.results import Delivered
from dpanet.errors import DpanetError, ImageWarning, OutputError, shown
from dpanet.files.output import make_folder
from dpanet.files.written_files import describe_written
from dpanet.jobs.job import Job, Task
from dpanet.jobs.result_lines import Computation, Written
from dpanet.terminal.failure import UsageError, describe_error


@dataclass(frozen=True)
class Order:
    """A pair that a worker is to deblur."""

    name: str
    views: tuple[Location, ...]
    outputs: tuple[Location, ...]
    """Of the picture, the defocus map and its colored picture."""
    targets: tuple[Location, ...]
    """Where they are to be written."""


@dataclass(frozen=True)
class Ready:
    """A worker that has loaded the model."""

    machine: str
    key: dict[str, Any]
    """What all pictures depend on."""
    computation: Computation


@dataclass(frozen=True)
class Refused:
    """Why a worker cannot load the model."""

    error: Exception


@dataclass(frozen=True)
class Outcome:
    """What became of a pair."""

    written: Written | None = None
    """What is known of the picture."""
    delivered: tuple[Delivered, ...] = ()
    notes: tuple[tuple[str, str | None], ...] = ()
    """Text and kind of each `ImageWarning`."""
    error: str | None = None
    """Why it failed."""


class Worker:
    """Loads the model once and deblurs pairs.

    Two threads may call it: one then moves the files of a pair while the other computes. Only one pair is in memory.

    Args:
        options: what to load, and how to read and write.
    """

    def __init__(self, options: WorkerOptions) -> None:
        os.environ["VIPS_CONCURRENCY"] = str(options.threads)
        self._options = options
        self._task: Task | None = None
        self._computing = threading.Lock()
        self._notes = threading.local()

    def start(self) -> Ready | Refused:
        """Load the model."""
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=ImageWarning)
        warnings.showwarning = self._note
        self._notes.texts = []
        try:
            self._task, key = self._options.load()
        except (DpanetError, UsageError) as error:
            return Refused(error)
        except Exception as error:
            return Refused(OutputError(describe_error(error, "deblur")))
        return Ready(socket.gethostname(), key, Computation.of(self._task.deblurrer))

    def deblur(self, order: Order) -> Outcome:
        """Deblur a pair; whatever goes wrong is in the outcome."""
        self._notes.texts = []
        try:
            with TemporaryDirectory(prefix="dpanet-pair-") as folder:
                written, delivered = self._deblur(order, Path(folder))
                notes = tuple((order_text(text, order, folder), kind) for text, kind in self._notes.texts)
                texts = [*dict.fromkeys(text for text, _ in notes)]
                return Outcome(replace(written, notes=texts), delivered, notes)
        except Exception as error:
            text = describe_error(error, "deblur", Path(order.views[0].file))
            return Outcome(error=order_text(text, order, folder))

    def _deblur(self, order: Order, folder: Path) -> tuple[Written, tuple[Delivered, ...]]:
        assert self._task is not None
        views = [_fetch(view, folder / str(side)) for side, view in enumerate(order.views)]
        out = [folder / "out" / f"{order.outputs[0].file.rpartition('/')[2]}"]
        if len(order.outputs) > 1:
            out.append(folder / "maps" / order.outputs[1].file.rpartition("/")[2])
        job = Job(order.name, views[0], views[1] if len(views) > 1 else None, *out)
        with self._computing:
            deblurred = self._task.deblur(job, self._task.read(job))
            written = self._task.write_files(job, deblurred, overwrite=True)
        places = zip(order.targets, job.outputs, strict=True)
        return written, tuple(_deliver(path, target) for target, path in places)

    def _note(self, message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if isinstance(message, ImageWarning):
            texts = getattr(self._notes, "texts", None)
            if texts is not None:
                texts.append((str(message), message.once))


def order_text(text: str, order: Order, folder: str) -> str:
    """Return a sentence that names the places of an order where it names a worker's temporary folder."""
    for side, view in enumerate(order.views):
        text = text.replace(f"{folder}/{side}/{view.file.rpartition('/')[2]}", view.show())
    for output, name in zip(order.outputs, ("out", "maps", "maps"), strict=False):
        text = text.replace(f"{folder}/{name}/{output.file.rpartition('/')[2]}", output.show())
    return text


def _fetch(view: Location, folder: Path) -> Path:
    """Return the path of a view: its own, or that of a copy in a new folder."""
    if view.place.local:
        return view.place.folder / view.file
    folder.mkdir()
    path = folder / view.file.rpartition("/")[2]
    view.place.download(view.file, path)
    return path


def _deliver(path: Path, target: Location) -> Delivered:
    """Move an output from the temporary folder to its target."""
    place: Place = target.place
    if not place.local:
        hashed, size, _ = describe_written(path)
        return Delivered(target, hashed, size, place.upload(path, target.file).version)
    make_folder(place.folder)
    copy = place.folder / target.file
    try:
        shutil.copyfile(path, copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        return Delivered(target, *describe_written(copy))
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise OutputError(
            f"{shown(place.folder)} cannot be written to ({error.strerror}); free space or choose another folder"
        ) from error
