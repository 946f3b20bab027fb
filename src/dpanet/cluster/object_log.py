"""The manifest of an output on an object store, where nothing can be renamed or appended to."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable

from dpanet.cluster.places import Place
from dpanet.files.store import Entry, format_entry, parse_log
from dpanet.images.pairing import natural_key

FOLDER = ".dpanet"
"""Of the manifest, in the output."""

_PART = re.compile(rf"{re.escape(FOLDER)}/\d{{20}}-[0-9a-f]{{8}}\.jsonl")
"""Names of parts: time in ns, and a word for the run."""

_LINES, _SECONDS = 500, 10.0
"""A part is written when it has so many lines, or this time after its first."""


class ObjectLog:
    """Lines about finished pairs, in the format of `Store`, in parts: objects that are written whole, once each.

    A part is written every few seconds. A line without a value says that a pair is begun: its outputs belong to this
    log, whether or not a line says that they are whole. `close` joins all parts to one.

    Args:
        place: the output.

    Raises:
        OutputError: if the parts cannot be read.
    """

    def __init__(self, place: Place, objects: Iterable[str]) -> None:
        self.entries: dict[str, Entry] = {}
        """Of the pairs that are finished."""
        self.begun: set[str] = set()
        """Names of pairs whose outputs may be there although they are not finished."""
        self._place = place
        self._run = secrets.token_hex(4)
        self._waiting: list[Entry] = []
        self._since = 0.0
        self._parts = sorted(filter(_PART.fullmatch, objects))
        for part in self._parts:
            for entry in parse_log(place.read(part).decode("utf-8", "replace")):
                self._take(entry)

    def begin(self, names: Iterable[str]) -> None:
        """Note, before they are worked on, which pairs are begun."""
        for name in names:
            self._add(Entry(name, "", None))
        self.flush()

    def finish(self, entry: Entry) -> None:
        """Note a pair whose outputs are whole."""
        self._add(entry)
        if len(self._waiting) >= _LINES:
            self.flush()

    def flush(self, *, only_old: bool = False) -> None:
        """Write a part with the lines that are not written yet.

        Args:
            only_old: not before some seconds after the first of them.
        """
        if not self._waiting or (only_old and time.monotonic() - self._since < _SECONDS):
            return
        self._parts.append(self._write(self._waiting))
        self._waiting = []

    def close(self) -> None:
        """Join all parts to one, which is whole before the others are deleted."""
        self.flush()
        if len(self._parts) < 2:
            return
        begun = [Entry(name, "", None) for name in sorted(self.begun)]
        names = sorted(self.entries, key=natural_key)
        joined = self._write([*begun, *(self.entries[name] for name in names)])
        for part in self._parts:
            self._place.delete(part)
        self._parts = [joined]

    def _add(self, entry: Entry) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(entry)
        self._take(entry)

    def _take(self, entry: Entry) -> None:
        if entry.value is None:
            self.begun.add(entry.name)
            return
        self.begun.discard(entry.name)
        self.entries[entry.name] = entry

    def _write(self, entries: Iterable[Entry]) -> str:
        name = f"{FOLDER}/{time.time_ns():020d}-{self._run}.jsonl"
        self._place.write(name, "".join(map(format_entry, entries)).encode("ascii"))
        return name
