"""The pages that are open, each with its captures; none sees those of another."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from dpanet.app.capture import UNFINISHED, Capture
from dpanet.app.limits import Limits
from dpanet.app.worker import Worker
from dpanet.errors import DpanetError


class BusyError(DpanetError):
    """The server has as much to do, or to store, as it may."""


@dataclass
class Visitor:
    """One open page."""

    token: str
    """Random; who has it is this visitor."""
    captures: dict[str, Capture] = field(default_factory=dict)
    """By their random names."""
    seen: float = field(default_factory=time.monotonic)
    """When it last asked for something."""


class Visitors:
    """All open pages.

    Args:
        folder: for the files of all captures.
        worker: that deblurs them.
        limits: of the server.
    """

    def __init__(self, folder: Path, worker: Worker, limits: Limits) -> None:
        self._folder, self._worker, self._limits = folder, worker, limits
        self._visitors: dict[str, Visitor] = {}

    def add(self) -> Visitor:
        """Return a new visitor.

        Raises:
            BusyError: if there are as many as there may be.
        """
        self.remove_idle()
        if len(self._visitors) >= self._limits.visitors:
            raise BusyError(
                f"{self._limits.visitors} pages are open, and no more are served; close one, or try again later"
            )
        visitor = Visitor(secrets.token_urlsafe(24))
        self._visitors[visitor.token] = visitor
        return visitor

    def find(self, token: str) -> Visitor | None:
        """Return the visitor with this token, and note that it is there; None if there is none."""
        visitor = self._visitors.get(token)
        if visitor is not None:
            visitor.seen = time.monotonic()
        return visitor

    def remove(self, visitor: Visitor) -> None:
        """Forget a visitor and delete its files."""
        self._visitors.pop(visitor.token, None)
        for capture in visitor.captures.values():
            self._worker.remove(capture)

    def remove_idle(self) -> None:
        """Forget visitors whose page is closed."""
        last = time.monotonic() - self._limits.idle_seconds
        for visitor in [visitor for visitor in self._visitors.values() if visitor.seen < last]:
            self.remove(visitor)

    def add_capture(
        self, visitor: Visitor, names: dict[str, str], model: str, camera: str | None, refine: bool = False
    ) -> Capture:
        """Return a new capture with a folder of its own, without files.

        Raises:
            BusyError: if there is no place for it.
        """
        captures = [capture for each in self._visitors.values() for capture in each.captures.values()]
        if sum(capture.state in UNFINISHED for capture in captures) >= self._limits.queue:
            raise BusyError(
                f"{self._limits.queue} pictures are waiting, and no more are taken; try again in a while"
            )
        self.check_room(0)
        name = secrets.token_urlsafe(16)
        folder = self._folder / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        capture = visitor.captures[name] = Capture(name, folder, names, model, camera, refine)
        return capture

    def check_room(self, size: int) -> None:
        """Check that a file of `size` bytes may be stored.

        Raises:
            BusyError: if not.
        """
        stored = sum(capture.stored for each in self._visitors.values() for capture in each.captures.values())
        if stored + size > self._limits.stored_bytes:
            raise BusyError(
                f"{stored / 1e9:.1f} GB of pictures are stored, and at most {self._limits.gigabytes:g} may be; "
                "download yours and choose other pictures, which deletes them here"
            )

    def remove_capture(self, visitor: Visitor, name: str) -> None:
        """Cancel a capture of a visitor and delete its files, if it is there."""
        capture = visitor.captures.pop(name, None)
        if capture is not None:
            self._worker.remove(capture)
