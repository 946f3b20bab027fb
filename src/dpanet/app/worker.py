"""The thread that deblurs, one capture after the other, so that the server answers meanwhile."""

from __future__ import annotations

import queue
import shutil
import threading

from dpanet.app.capture import CanceledError, Capture
from dpanet.app.deblurring import Models, TileClock, deblur_capture
from dpanet.app.limits import Limits
from dpanet.app.temporary_folder import folder_bytes
from dpanet.terminal.failure import describe_error

_LONGEST_STOP = 20.0
"""Seconds that `Worker.stop` waits for a tile to end."""


class Worker:
    """A queue and the thread that works it off.

    Args:
        models: that it deblurs with.
        limits: for the size of pictures.
    """

    def __init__(self, models: Models, limits: Limits) -> None:
        self._models, self._limits = models, limits
        self._queue: queue.SimpleQueue[Capture | None] = queue.SimpleQueue()
        self._waiting: list[Capture] = []
        self._lock = threading.Lock()
        self._working: Capture | None = None
        self._clock: TileClock | None = None
        self._thread = threading.Thread(target=self._run, name="dpanet-app", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it works on is canceled."""
        with self._lock:
            for capture in (*self._waiting, *([self._working] if self._working else [])):
                capture.canceled.set()
        self._queue.put(None)
        self._thread.join(_LONGEST_STOP)

    def submit(self, capture: Capture) -> None:
        """Put a capture at the end of the queue."""
        with self._lock:
            capture.state, capture.stage = "waiting", "Waiting"
            self._waiting.append(capture)
        self._queue.put(capture)

    def remove(self, capture: Capture) -> None:
        """Cancel a capture and delete its files, at once or when its tile ends."""
        capture.canceled.set()
        with self._lock:
            if capture in self._waiting:
                self._waiting.remove(capture)
            if capture is self._working:
                return  # the thread deletes them
            if capture.state in ("sending", "waiting"):
                capture.state = "canceled"
        shutil.rmtree(capture.folder, ignore_errors=True)

    def refresh(self, capture: Capture) -> None:
        """Bring the progress of a capture up to date."""
        with self._lock:
            clock = self._clock if capture is self._working else None
            if capture in self._waiting:
                ahead = self._waiting.index(capture) + (self._working is not None)
                capture.stage = f"Waiting, {ahead} before it" if ahead else "Waiting"
        if clock is not None:
            capture.fraction, capture.seconds_left = clock.read()

    def _run(self) -> None:
        while (capture := self._queue.get()) is not None:
            with self._lock:
                if capture.canceled.is_set():
                    continue
                self._waiting.remove(capture)
                self._working, capture.state = capture, "working"
            try:
                deblur_capture(capture, self._models, self._limits, self._watch)
                state = "done"
            except CanceledError:
                state = "canceled"
            except Exception as error:
                capture.error = capture.describe(describe_error(error, "app"))
                state = "failed"
            with self._lock:
                self._working = None
                gone = capture.canceled.is_set()
                capture.stored = folder_bytes(capture.folder)
                capture.state = "canceled" if gone else state  # type: ignore[assignment]
            if gone:
                shutil.rmtree(capture.folder, ignore_errors=True)

    def _watch(self, clock: TileClock | None) -> None:
        with self._lock:
            self._clock = clock
