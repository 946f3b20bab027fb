"""One scene of a data set: how to read it, and what lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dpanet.datasets.captures import Capture


@dataclass(frozen=True)
class Scene:
    """A capture that is not read yet.

    name:     unique inside the data set; safe as a file name.
    load:     reads the files now; nothing of it is kept here.
    label:    ``indoor``, ``outdoor``, or None where the data set does not say.
    given:    further methods' finished pictures, by the method's name.
    combined: the data set's own ordinary photograph, where it has one.
    files:    left view, right view and truth as they lie on the disk; empty where they are not read as they are.
    defocus:  the true defocus map, one channel, of the truth's size, known up to gain and offset; where there
              is one.
    """

    name: str
    load: Callable[[], Capture]
    label: str | None = None
    given: Mapping[str, Path] = field(default_factory=dict)
    combined: Path | None = None
    defocus: Path | None = None
    files: tuple[Path, ...] = ()
