"""What the worker processes of the tests do; they import it, so that they need no test."""

import signal
import time
import warnings
from multiprocessing import get_context
from multiprocessing.connection import Connection

from dpanet.errors import ImageWarning
from dpanet.processes.workers import prepare_worker


def warn(prepared: bool) -> None:
    if prepared:
        prepare_worker()
    warnings.warn("a.png has a damaged chunk", ImageWarning, stacklevel=1)


def interrupt_itself() -> None:
    prepare_worker(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)


def sleep(sender: "Connection[str, None]") -> None:
    prepare_worker()
    sender.send("started")
    time.sleep(60)


def start_another(sender: "Connection[str, None]") -> None:
    get_context("spawn").Process(target=sleep, args=(sender,)).start()
    sender.close()
    time.sleep(60)
