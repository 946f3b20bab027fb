"""The pairs of a place, and where their pictures go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from dpanet.cluster.places import ObjectState, Place
from dpanet.errors import PairError, shown
from dpanet.files.store import file_identity
from dpanet.jobs.job import Job
from dpanet.jobs.job_list import list_jobs
from dpanet.jobs.result_lines import FileNames


@dataclass(frozen=True)
class Location:
    """A file in a place."""

    place: Place
    file: str
    """Its path in the place, with forward slashes."""

    @property
    def name(self) -> str:
        """Its path as the user wrote that of the place, or its URL."""
        place = self.place
        return (
            os.path.join(place.given_folder, self.file)  # noqa: PTH118  # many thousand files
            if place.local
            else f"{place.name}/{self.file}"
        )

    def show(self) -> str:
        """Return its name on one line."""
        return shown(self.name)


@dataclass
class ClusterPair:
    """A pair to deblur."""

    job: Job
    """Its name and files. Those of a URL are names in a folder of names; see `PairList`."""
    views: tuple[Location, ...]
    outputs: tuple[Location, ...]
    """The picture, then the defocus map and its colored picture."""
    identities: list[dict[str, Any]] | None
    """What changes when a view is replaced, from the listing of a URL; None for files, which are asked."""
    losses: int = 0
    """Workers that died while they had this pair."""

    @property
    def names(self) -> FileNames:
        """The files as they are named on a line of the output."""
        output, *maps = (place.name for place in self.outputs)
        return FileNames([view.name for view in self.views], output, *maps[:1])

    def own_key(self, key: Mapping[str, Any]) -> dict[str, Any]:
        """Return what its picture depends on.

        Args:
            key: what all pictures depend on.

        Raises:
            OSError: if a view cannot be seen.
        """
        identities = self.identities
        return {**key, "files": identities or [file_identity(view) for view in self.job.views]}


@dataclass
class PairList:
    """The pairs of a place.

    The objects of a URL are listed once. For each of them there is an empty file of its name in a temporary folder,
    so that pairs are found by their names with the same rules as in any folder. It is deleted on leaving.

    Args:
        source: where the views are.
        output: where the pictures go.
        maps: where the defocus maps go, if they are wanted.
        recursive: whether to search the folders below too.
    """

    source: Place
    output: Place
    maps: Place | None = None
    recursive: bool = False
    pairs: list[ClusterPair] = field(default_factory=list, init=False)
    problems: list[str] = field(default_factory=list, init=False)
    """One sentence for each capture that is left out."""
    notes: list[str] = field(default_factory=list, init=False)

    def __enter__(self) -> PairList:
        self._names = TemporaryDirectory(prefix="dpanet-names-")
        try:
            self._find()
        except BaseException:
            self._names.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._names.cleanup()

    def _find(self) -> None:
        states = {} if self.source.local else self.source.list()
        folder = self._folder(self.source, "views")
        if not self.source.local:
            self._write_names(folder, states)
        output = self._folder(self.output, "pictures")
        maps = None if self.maps is None else self._folder(self.maps, "maps")
        try:
            jobs, found = list_jobs(folder, output, maps, self.recursive)
        except PairError as error:
            raise PairError(self._with_urls(str(error))) from error
        self.problems += map(self._with_urls, found.problems)
        self.notes += map(self._with_urls, found.notes)
        for job in jobs:
            views = tuple(_locate(view, folder, self.source) for view in job.views)
            outputs: tuple[Location, ...] = (_locate(job.output, output, self.output),)
            if maps is not None and self.maps is not None:
                outputs += tuple(_locate(path, maps, self.maps) for path in job.map_paths)
            identities = None if self.source.local else [_identify(view, states) for view in views]
            self.pairs.append(ClusterPair(job, views, outputs, identities))

    def _folder(self, place: Place, name: str) -> Path:
        return place.given_folder if place.local else Path(self._names.name) / name

    def _write_names(self, folder: Path, states: Mapping[str, ObjectState]) -> None:
        inner = [
            f"{place.name[len(self.source.name) + 1 :]}/"
            for place in (self.output, self.maps)
            if place is not None and place.name.startswith(f"{self.source.name}/")
        ]
        folder.mkdir()
        made = {""}
        for name in states:
            if name.startswith(tuple(inner)) or any(part.startswith(".") for part in name.split("/")):
                continue
            parent, _, _ = name.rpartition("/")
            path = os.path.join(folder, name)  # noqa: PTH118  # many thousand files
            try:
                if parent not in made:
                    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
                    made.add(parent)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                self.problems.append(
                    f"{self.source.show(name)} is left out, since no file can have its name ({reason}); rename it"
                )

    def _with_urls(self, text: str) -> str:
        """Return a sentence that names places where it names the temporary folder."""
        for place, name in ((self.source, "views"), (self.output, "pictures"), (self.maps, "maps")):
            if place is not None and not place.local:
                text = text.replace(str(Path(self._names.name) / name), place.show())
        return text


def _locate(path: Path, folder: Path, place: Place) -> Location:
    return Location(place, path.relative_to(folder).as_posix())


def _identify(view: Location, states: Mapping[str, ObjectState]) -> dict[str, Any]:
    state = states[view.file]
    return {"name": view.file.rpartition("/")[2], "bytes": state.size, "changed": state.version}
