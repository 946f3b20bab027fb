"""Prepare worker processes, which a pool starts anew (spawn): a fork of a process that has run torch may deadlock."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from multiprocessing.connection import wait

from dpanet.errors import ImageWarning


def prepare_worker(*signals: signal.Signals) -> None:
    """Let a new worker process leave `signals` to its parent, end with it, and not repeat what it said of files.

    The parent reads all files before it starts workers, and a new process would print warnings in Python's format.
    """
    for number in signals:
        signal.signal(number, signal.SIG_IGN)
    warnings.simplefilter("ignore", ImageWarning)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of the parent process, then end this one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
