"""The options of `dpanet deblur` that workers need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dpanet.jobs.job import Task
    from dpanet.lenses.lens import LensChoice
    from dpanet.pair import Encoding


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker loads and how it reads and writes; sent to each of them, so files are absolute paths."""

    model: str
    engine: str
    tile: int | Literal["auto"]
    scale: Literal["auto", 1, 2, 4, 8]
    device: str
    precision: str
    threads: int
    """Cores of a worker."""
    tta: int | Literal["auto"]
    lens: LensChoice | None
    strength: float
    keep_background: float | None
    keep_foreground: float | None
    camera: str | None
    flat_field: tuple[Path, Path] | None
    encoding: Encoding | None
    black_level: int | None
    white_level: int | None
    output_encoding: Encoding | None
    compression: int
    defocus_map: bool
    """Whether maps are wanted."""
    pairs: bool
    """Whether there are pairs of two files."""
    raw: bool
    """Whether there are raw files with both views."""

    def load(self) -> tuple[Task, dict[str, Any]]:
        """Return what deblurs a pair, with the model loaded, and the key of all pictures.

        Raises:
            DpanetError: if the model or a white sheet cannot be read, or has no defocus map.
            UsageError: if the options do not go together.
        """
        from dpanet.deblurrer.deblurrer import Deblurrer
        from dpanet.jobs.folder_key import build_key
        from dpanet.jobs.job import PairReader, Task
        from dpanet.jobs.views import RAW_FILES, build_raw_reader, build_row_reader
        from dpanet.terminal.progress import Meter

        views = (self.encoding, self.black_level, self.white_level, self.flat_field)
        camera = None if self.camera in RAW_FILES and self.raw else self.camera
        reader = PairReader(
            build_row_reader(camera, *views) if self.pairs else None,
            build_raw_reader(self.camera, *views) if self.raw else None,
        )
        apply = Deblurrer(
            self.model,
            engine=self.engine,
            tile=self.tile,
            scale=self.scale,
            device=self.device,
            precision=self.precision,
            tta=self.tta,
            threads=self.threads,
            lens=self.lens,
            strength=self.strength,
            keep_background=self.keep_background,
            keep_foreground=self.keep_foreground,
            reuse_memory=True,
        )
        if self.defocus_map:
            apply.check_defocus_map()
        key = build_key(
            self.model,
            apply,
            views=[self.camera, self.encoding, self.black_level, self.white_level],
            flat_field=self.flat_field,
            output_encoding=self.output_encoding,
        )
        return Task(reader, apply, self.output_encoding, self.compression, Meter(1)), key
