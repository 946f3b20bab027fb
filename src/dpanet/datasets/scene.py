"""One scene of a data set: its files, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dpanet.datasets.captures import Capture


@dataclass(frozen=True)
class Scene:
    """A scene whose files were checked, but not read yet."""

    name: str
    """Unique inside the data set; safe as a file name."""

    left: Path
    """The left view."""

    right: Path
    """The right view."""

    truth: Path
    """The sharp picture of the same scene."""

    load: Callable[[], Capture]
    """Reads the files, anew at each call."""

    label: str | None = None
    """``indoor``, ``outdoor``, or None if the data set has no labels."""

    finished: Mapping[str, Path] = field(default_factory=dict)
    """Finished pictures of other methods, by the method's name."""

    combined: Path | None = None
    """The data set's own ordinary photograph of the scene, if it has one."""

    defocus: Path | None = None
    """The true defocus map, if there is one: one channel, of the truth's size, up to gain and offset."""

    calibration: tuple[Path, ...] = ()
    """White sheets by which the views are developed; empty for pictures that are developed already."""

    @property
    def pictures(self) -> tuple[Path, Path, Path]:
        """Left view, right view and truth."""
        return self.left, self.right, self.truth

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that a score of this scene may depend on, each once."""
        optional = [path for path in (self.combined, self.defocus) if path is not None]
        return (*self.pictures, *optional, *self.finished.values(), *self.calibration)
