"""Ray: joined where there is a cluster, and started on this machine alone where there is none."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from dpanet.errors import WorkerError
from dpanet.extras import named_extra

ADDRESS = "RAY_ADDRESS"
"""The variable that names a cluster; Ray sets it for its jobs."""

_STORE = 80_000_000
"""Bytes of Ray's shared memory: near its least, since no picture passes through it. Ray takes a file where /dev/shm,
as in containers, is smaller."""


_ATTEMPTS = 3
"""To start Ray on this machine."""

_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Variables with the token of a cluster, or its file."""

_own_token = cache(lambda: secrets.token_hex(32))
"""That of a Ray of this process alone; Ray remembers the first one of a process."""


def _quiet_ray() -> None:
    """Let Ray, before it is imported, send no statistics, and print nothing of dead workers."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] = "."


def on_this_machine() -> bool:
    """Whether there is no cluster to join, so that one is started on this machine."""
    return not os.environ.get(ADDRESS)


@contextmanager
def ray_session(cores: int) -> Iterator[Any]:
    """Yield the module ray, joined to the cluster of `ADDRESS`, or else to one of this machine that ends afterwards.

    Ray sends no statistics, prints nothing and has no dashboard; its logs are deleted with a cluster of this machine,
    which only processes of this one can join: it has a token of its own.

    Args:
        cores: of a cluster of this machine.

    Raises:
        MissingPackageError: if Ray is not installed.
        WorkerError: if it does not start, or the cluster cannot be reached.
    """
    _quiet_ray()
    with named_extra("--cluster ray", "cluster"):
        import ray
    address = os.environ.get(ADDRESS)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    with contextlib.ExitStack() as stack:
        folder = None if address else _enter_folder(stack)
        if folder is not None:
            quiet["_temp_dir"] = folder
        stack.callback(ray.shutdown)  # before its folder is deleted
        try:
            if address:
                ray.init(address=address, **quiet)
            else:
                if not any(
                    os.environ.get(name) for name in _TOKENS
                ):  # else Ray leaves one in the home folder
                    stack.enter_context(_variable(_TOKENS[0], _own_token()))
                with _variable("TMPDIR", folder):  # of workers too, so that one that is killed leaves nothing
                    _start(ray, cores, quiet)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
            if address:
                sentence = (
                    f"Ray cannot be joined at {address} (of {ADDRESS}): {reason}; check that it runs there, and if "
                    f"it was started with a token, set RAY_AUTH_MODE=token and {_TOKENS[1]}=FILE, the file of it"
                )
            else:
                alone = "try it alone: python -c 'import ray; ray.init()'"
                sentence = f"Ray cannot be started on this machine: {reason}; {alone}"
            raise WorkerError(sentence) from error
        yield ray


def count_workers(ray: Any, cores: int, gpus: int) -> int:
    """Return how many workers the machines of the cluster have room for, whatever else they do now.

    Args:
        ray: the module.
        cores: of a worker.
        gpus: of a worker.
    """
    number = 0
    for node in ray.nodes():
        if node["Alive"]:
            resources = node["Resources"]
            room = int(resources.get("CPU", 0)) // cores
            number += min(room, int(resources.get("GPU", 0)) // gpus) if gpus else room
    return number


def _start(ray: Any, cores: int, quiet: dict[str, Any]) -> None:
    """Start Ray on this machine; where it is busy, Ray's own limits of 15 and 30 s may be too short at first."""
    for attempt in range(_ATTEMPTS):
        try:
            ray.init(
                address="local",
                num_cpus=cores,
                object_store_memory=_STORE,
                include_dashboard=False,
                **quiet,
            )
            return
        except Exception as error:
            if "timed out" not in str(error) or attempt == _ATTEMPTS - 1:
                raise
            ray.shutdown()


def _enter_folder(stack: contextlib.ExitStack) -> str | None:
    """Return a folder for sockets, logs and the files of workers; None where a socket's name would be too long."""
    for parent in (gettempdir(), "/tmp"):
        if len(parent) < 30 and Path(parent).is_dir() and os.access(parent, os.W_OK):
            return stack.enter_context(
                TemporaryDirectory(prefix="dpanet-ray-", dir=parent, ignore_cleanup_errors=True)
            )
    return None


@contextmanager
def _variable(name: str, value: str | None) -> Iterator[None]:
    """Set a variable of the environment for a while; None changes nothing."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before
        elif value is not None:
            del os.environ[name]
