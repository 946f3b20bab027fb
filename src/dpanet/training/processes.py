"""Which of the processes that torchrun started this one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

TORCHRUN = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "TORCHELASTIC_RUN_ID",
)
"""Environment variables that torchrun sets; a run uses several processes only if all of them are set."""


@dataclass(frozen=True)
class Processes:
    """The place of this process among all that train together."""

    count: int = 1
    """Number of processes on all machines."""
    local_count: int = 1
    """Number of processes on this machine."""
    rank: int = 0
    """Number of this process among all."""
    local_rank: int = 0
    """Number of this process on its machine, which is the number of its GPU."""


def find_processes(environment: Mapping[str, str] = os.environ) -> Processes:
    """Return the place of this process; a single process if torchrun's variables are incomplete."""
    if any(name not in environment for name in TORCHRUN):
        return Processes()
    names = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK")
    return Processes(*(int(environment[name]) for name in names))


def describe_ignored_variables(environment: Mapping[str, str] = os.environ) -> str:
    """Return a sentence about variables of torchrun that are ignored since others are missing; empty if none are."""
    present = [name for name in TORCHRUN if name in environment]
    missing = [name for name in TORCHRUN if name not in environment]
    if not present or not missing:
        return ""
    return (
        f"{', '.join(present)} of the environment {'is' if len(present) == 1 else 'are'} ignored, and one process "
        f"trains, because {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set; start several "
        "processes with torchrun"
    )
