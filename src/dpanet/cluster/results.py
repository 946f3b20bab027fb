"""What a run on a cluster has written: which pairs are finished, and how a picture becomes one of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dpanet.cluster.object_log import FOLDER, ObjectLog
from dpanet.cluster.pairs import ClusterPair, Location
from dpanet.cluster.places import Place
from dpanet.errors import OutputError, shown
from dpanet.files.output import unfinished_outputs, unfinished_path
from dpanet.files.store import Entry, Store, digest
from dpanet.files.written_files import ForeignFile, name_from_folder
from dpanet.images.pairing import natural_key
from dpanet.jobs.deblur_folder import LOG, is_written
from dpanet.jobs.failure_list import FAILURES, FailureList
from dpanet.jobs.job_list import check_outputs

_FAILED = f"{FOLDER}/failed.jsonl"
"""The list of the pairs that failed, on an object store."""


@dataclass(frozen=True)
class Delivered:
    """An output that a worker has written."""

    location: Location
    """Where: its own, or one with the name of an unfinished file beside it."""
    digest: str
    """Its SHA-256."""
    size: int
    """In bytes."""
    version: Any
    """Time of change in ns, or what changes with the content of an object."""


class Results(Protocol):
    """The outputs of a command, and its manifest."""

    failures: FailureList
    failures_file: str
    """Where failures are listed."""
    foreign: dict[str, ForeignFile]
    """The pairs that are to be left out, by name, since one of their outputs is not as an earlier run wrote it."""

    def is_known(self, pair: ClusterPair) -> bool:
        """Whether there is a picture of an earlier run."""

    def is_finished(self, pair: ClusterPair, own_key: dict[str, Any]) -> bool:
        """Whether the outputs of a pair are there as an earlier run wrote them, with this key."""

    def begin(self, pairs: Sequence[ClusterPair]) -> None:
        """Note that pairs are given out soon."""

    def targets(self, pair: ClusterPair) -> tuple[Location, ...]:
        """Return where a worker is to write the outputs of a pair."""

    def finish(self, pair: ClusterPair, own_key: dict[str, Any], delivered: Sequence[Delivered]) -> None:
        """Note a pair whose outputs are delivered; they have their names afterwards."""

    def keep(self) -> None:
        """Write what has waited for some seconds."""

    def close(self) -> None:
        """Write what is left; let others write there."""


class FolderResults:
    """Pictures in a folder, with the log of `deblur_folder`: either command goes on where the other stopped.

    Workers write unfinished files beside the outputs; the log gets the line of a pair before they get their names.

    Args:
        output: the folder.
        pairs: all pairs.
        maps: the folder of the defocus maps.
        overwrite: whether files of other programs may be replaced.

    Raises:
        OutputError: if an output cannot be written, or another process writes there.
    """

    def __init__(
        self, output: Place, pairs: Sequence[ClusterPair], maps: Place | None, overwrite: bool
    ) -> None:
        jobs = [pair.job for pair in pairs]
        folder = output.given_folder
        folder_of_maps = None if maps is None else maps.given_folder
        self.foreign = check_outputs(jobs, folder, overwrite, folder_of_maps, folder=True)
        self._folders = sorted({os.fspath(path.parent.absolute()) for job in jobs for path in job.outputs})
        self._overwrite = overwrite
        self.failures = FailureList.of_file(folder / FAILURES)
        self._store = Store(folder, LOG, inner=self._folders, order=natural_key)
        self.failures_file = shown(folder / FAILURES)

    def is_known(self, pair: ClusterPair) -> bool:
        return pair.job.name in self._store.entries and pair.job.output.is_file()

    def is_finished(self, pair: ClusterPair, own_key: dict[str, Any]) -> bool:
        return is_written(self._store, pair.job, own_key)

    def begin(self, pairs: Sequence[ClusterPair]) -> None:
        pass

    def targets(self, pair: ClusterPair) -> tuple[Location, ...]:
        beside = [unfinished_path(_follow(path)) for path in pair.job.outputs]
        return tuple(Location(Place(str(path.parent.absolute()), local=True), path.name) for path in beside)

    def finish(self, pair: ClusterPair, own_key: dict[str, Any], delivered: Sequence[Delivered]) -> None:
        store, job = self._store, pair.job
        earlier = store.entries.get(job.name)
        written = dict(store.find(job.name, own_key) or {})
        files = {}
        for path, one in zip(job.outputs, delivered, strict=True):
            files[path] = one.location.place.folder / one.location.file
            written[name_from_folder(path, store.folder)] = [one.digest, one.size, one.version]
        for path, unfinished in files.items():
            if not unfinished.is_file():
                raise OutputError(
                    f"{shown(path)} was written by a worker on another machine and is not seen on this one; name a "
                    "folder that all machines share, or a URL"
                )
            if path.exists() and earlier is None and not self._overwrite:
                raise OutputError(
                    f"{shown(path)} exists already; move it elsewhere, or add --overwrite to replace it"
                )
        store.add(job.name, own_key, written, [job.output])
        try:
            for path, unfinished in files.items():
                unfinished.replace(_follow(path))
        except OSError as error:
            store.restore(job.name, earlier)
            raise OutputError(
                f"{shown(path)} cannot be written ({error.strerror}); free space or choose another"
            ) from error

    def keep(self) -> None:
        pass

    def close(self) -> None:
        try:
            for folder in self._folders:
                for file in unfinished_outputs(Path(folder)):  # of workers that were stopped
                    file.unlink(missing_ok=True)
            self.failures.write()
        finally:
            self._store.close()


class ObjectResults:
    """Pictures on an object store: workers write them whole under their names, then the manifest gets a line.

    Args:
        output: a URL.
        pairs: all pairs.
        maps: the URL of the defocus maps.
        overwrite: whether objects of others may be replaced.

    Raises:
        OutputError: if the manifest or a listing cannot be read.
    """

    def __init__(
        self, output: Place, pairs: Sequence[ClusterPair], maps: Place | None, overwrite: bool
    ) -> None:
        self._place = output
        self._states = {output: output.list()}
        if maps is not None:
            self._states.setdefault(maps, maps.list())
        self.log = ObjectLog(output, self._states[output])
        earlier = output.read(_FAILED) if _FAILED in self._states[output] else b""
        self.failures = FailureList(earlier, self._save_failures)
        self.failures_file = output.show(_FAILED)
        self.foreign: dict[str, ForeignFile] = {}
        for pair in () if overwrite else pairs:
            file = self._find_foreign(pair)
            if file is not None:
                self.foreign[pair.job.name] = file

    def is_known(self, pair: ClusterPair) -> bool:
        return pair.job.name in self.log.entries and self._state(pair.outputs[0]) is not None

    def is_finished(self, pair: ClusterPair, own_key: dict[str, Any]) -> bool:
        entry = self.log.entries.get(pair.job.name)
        if entry is None or entry.key != digest(own_key):
            return False
        return all(self._is_unchanged(output, entry) for output in pair.outputs)

    def begin(self, pairs: Sequence[ClusterPair]) -> None:
        self.log.begin(pair.job.name for pair in pairs)

    def targets(self, pair: ClusterPair) -> tuple[Location, ...]:
        return pair.outputs

    def finish(self, pair: ClusterPair, own_key: dict[str, Any], delivered: Sequence[Delivered]) -> None:
        name, key = pair.job.name, digest(own_key)
        earlier = self.log.entries.get(name)
        written = {} if earlier is None or earlier.key != key else dict(earlier.value)
        for one in delivered:
            written[self._name(one.location)] = [one.digest, one.size, one.version]
        self.log.finish(Entry(name, key, written, (pair.outputs[0].file,)))

    def keep(self) -> None:
        self.log.flush(only_old=True)

    def close(self) -> None:
        self.log.close()
        self.failures.write()

    def _save_failures(self, content: bytes) -> None:
        if content:
            self._place.write(_FAILED, content)
        else:
            self._place.delete(_FAILED)

    def _find_foreign(self, pair: ClusterPair) -> ForeignFile | None:
        """Return the first output of a pair that is there and that no earlier run left so."""
        entry = self.log.entries.get(pair.job.name)
        for output in pair.outputs:
            if self._state(output) is None or pair.job.name in self.log.begun:
                continue
            known = entry is not None and self._name(output) in entry.value
            if entry is None or not known or not self._is_unchanged(output, entry):
                return ForeignFile(output.show(), changed=known)
        return None

    def _is_unchanged(self, output: Location, entry: Entry) -> bool:
        state, value = self._state(output), entry.value.get(self._name(output))
        return state is not None and value is not None and value[1:] == [state.size, state.version]

    def _state(self, output: Location) -> Any:
        return self._states[output.place].get(output.file)

    def _name(self, output: Location) -> str:
        """Return the name of an output in the manifest: from the output's place, or the URL."""
        return output.file if output.place == self._place else f"{output.place.name}/{output.file}"


def _follow(path: Path) -> Path:
    """Return the path of the file itself, where an output is a link to it."""
    return path.resolve() if path.is_symlink() else path


def open_results(
    output: Place, pairs: Iterable[ClusterPair], maps: Place | None, overwrite: bool
) -> FolderResults | ObjectResults:
    """Return the results of a place, kept from other processes where that is possible."""
    kind = FolderResults if output.local else ObjectResults
    return kind(output, list(pairs), maps, overwrite)
