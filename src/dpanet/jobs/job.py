"""The pictures that `dpanet deblur` makes."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpanet.errors import ImageWarning
from dpanet.files.output import atomic_output, make_folder
from dpanet.images.defocus_map import color_file, write_defocus_map
from dpanet.images.pixel_rows import PictureRows
from dpanet.images.writing import not_carried, write_picture
from dpanet.jobs.compare import Comparison, copy_shown, show_combined
from dpanet.jobs.result_lines import FileNames, ResultLines, TextLines, Written
from dpanet.terminal.streams import collect_notes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dpanet.deblurrer.deblurrer import Deblurrer
    from dpanet.images.pixel_rows import PairRows
    from dpanet.jobs.views import RowReader
    from dpanet.pair import DualPixelPair, Encoding, Picture
    from dpanet.terminal.progress import Meter


@dataclass(frozen=True)
class Job:
    """One picture to deblur."""

    name: str
    """Of the picture, unique in its folder."""
    left: Path
    """File of the left view, or the camera's file with both views."""
    right: Path | None
    """File of the right view; None beside a camera's file."""
    output: Path
    """File of the picture."""
    defocus_map: Path | None = None
    """File of the defocus map, if it is wanted."""
    compare: Path | None = None
    """File that compares the picture with the combined view, if it is wanted."""

    @property
    def views(self) -> tuple[Path, ...]:
        """Paths of the files that are read."""
        return (self.left,) if self.right is None else (self.left, self.right)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Paths of the picture, of the defocus map and its colored picture, and of the comparison."""
        return (self.output, *self.map_paths, *([] if self.compare is None else [self.compare]))

    @property
    def names(self) -> FileNames:
        """The files as they are named on a line of the output."""
        return FileNames(
            [os.fspath(view) for view in self.views],
            os.fspath(self.output),
            None if self.defocus_map is None else os.fspath(self.defocus_map),
            None if self.compare is None else os.fspath(self.compare),
        )

    @property
    def map_paths(self) -> tuple[Path, ...]:
        """Paths of the defocus map and of its colored picture."""
        return () if self.defocus_map is None else (self.defocus_map, color_file(self.defocus_map))


LARGE = 8_000_000
"""Pixels of the largest picture that is read and written beside the network."""

Record = Callable[[dict[Path, Path]], None]
"""Notes the files of a job, as path to be -> path of the whole file that is about to be renamed to it."""


@dataclass(frozen=True)
class OpenedPair:
    """The views of a job."""

    pair: DualPixelPair | PairRows
    seconds: float
    """That it took to read them."""
    notes: Sequence[str] = ()
    """What was remarked meanwhile."""

    @property
    def large(self) -> bool:
        """Whether there should be no second pair of this size in memory."""
        return math.prod(self.pair.left.shape[:2]) > LARGE


@dataclass(frozen=True)
class PairReader:
    """Reads the views of a job, or opens them to be read by rows."""

    read: RowReader | None
    """Reads the two views of a pair, where there are pairs."""
    read_raw: Callable[[Path], DualPixelPair] | None = None
    """Reads a camera's file with both views, where there are such."""

    def __call__(self, job: Job) -> OpenedPair:
        """Raises: DpanetError if the pair is unusable."""
        start = time.perf_counter()
        with collect_notes(job.name) as notes:
            if job.right is not None:
                assert self.read is not None
                pair = self.read(job.left, job.right)
            else:
                assert self.read_raw is not None
                pair = self.read_raw(job.left)
        return OpenedPair(pair, time.perf_counter() - start, notes)


@dataclass(frozen=True)
class DeblurredPair:
    """The results of a job, to be written."""

    picture: Picture | PictureRows
    radius: NDArray[np.float32] | None
    """The defocus map, if it is wanted."""
    seconds: float
    """That it took so far."""
    notes: Sequence[str] = ()
    """What was remarked so far."""
    combined: NDArray[np.uint8] | None = None
    """The combined view as it is shown, if a comparison is wanted."""


@dataclass(frozen=True)
class Task:
    """What all pictures of a command have in common."""

    read: PairReader
    """Reads the views of a job."""
    deblurrer: Deblurrer
    """Deblurs it."""
    encoding: Encoding | None
    """Encoding of the pictures, if not that of the views."""
    compression: int
    """Of the pictures; see `write_picture`."""
    meter: Meter
    """Shows the progress."""
    lines: ResultLines = field(default_factory=TextLines)
    """Makes the lines that are printed."""
    model: str = ""
    """Name of the model."""
    load_again: Callable[[int], Deblurrer] | None = None
    """Loads the deblurrer once more, for so many threads that call it at the same time."""

    def deblur(self, job: Job, opened: OpenedPair) -> DeblurredPair:
        """Deblur a pair.

        Raises:
            DpanetError: if the pair is unusable.
        """
        with collect_notes(job.name) as notes:
            deblurred = self._deblur(job, opened)
        return replace(deblurred, notes=[*opened.notes, *notes])

    def _deblur(self, job: Job, opened: OpenedPair) -> DeblurredPair:
        from dpanet.deblurrer.by_rows import deblur_by_rows

        start = time.perf_counter()
        lost = not_carried(opened.pair.metadata, job.output.suffix.lower())
        if lost:
            kind = job.output.suffix.lower().lstrip(".")
            warnings.warn(f"the {kind} file is written without {', '.join(lost)}", ImageWarning, stacklevel=2)
        picture, radius = deblur_by_rows(
            self.deblurrer, opened.pair, self.encoding, defocus=job.defocus_map is not None
        )
        if isinstance(picture, PictureRows) and not opened.large:
            picture = picture.read()
        combined = None if job.compare is None else show_combined(opened.pair)
        seconds = opened.seconds + time.perf_counter() - start
        return DeblurredPair(picture, radius, seconds, combined=combined)

    def write(
        self, job: Job, deblurred: DeblurredPair, overwrite: bool, record: Record = lambda files: None
    ) -> str:
        """Write the picture and the defocus map; return a line that says so. See `write_files`."""
        return self.lines.written(job.names, self.write_files(job, deblurred, overwrite, record))

    def write_files(
        self, job: Job, deblurred: DeblurredPair, overwrite: bool, record: Record = lambda files: None
    ) -> Written:
        """Write the picture and the defocus map; return what is known of them.

        Args:
            job: names the files.
            deblurred: is written. The network computes the rows of a large picture now.
            overwrite: whether outputs may be replaced.
            record: called when all files are whole, and before the first appears under its name.

        Raises:
            DpanetError: if an output cannot be written.
        """
        start = time.perf_counter()
        with collect_notes(job.name) as notes:
            self._write(job, deblurred, overwrite, record)
        height, width = deblurred.picture.pixels.shape[:2]
        seconds = deblurred.seconds + time.perf_counter() - start
        texts = dict.fromkeys([*deblurred.notes, *notes])
        return Written(width, height, seconds, [*texts])

    def _write(self, job: Job, deblurred: DeblurredPair, overwrite: bool, record: Record) -> None:
        picture, radius = deblurred.picture, deblurred.radius
        shown = None
        if job.compare is not None:
            picture, shown = copy_shown(picture)
        for path in job.outputs:
            make_folder(path.parent)
        with ExitStack() as stack:
            files = {path: stack.enter_context(atomic_output(path, overwrite)) for path in job.outputs}
            write_picture(picture, files[job.output], overwrite=True, compression=self.compression)
            if radius is not None:
                map_file, colored = (files[path] for path in job.map_paths)
                write_defocus_map(radius, map_file, overwrite=True, colored=colored)
            if job.compare is not None and deblurred.combined is not None and shown is not None:
                comparison = Comparison(
                    job.name, self.model, deblurred.combined, shown, picture.metadata, picture.encoding
                )
                comparison.write(files[job.compare], job.compare.suffix.lower())
            record(files)
