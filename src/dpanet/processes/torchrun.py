"""Which of the processes that torchrun started this one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from dpanet.errors import ConfigError

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


_TASKS = ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "PMI_SIZE", "JSM_NAMESPACE_SIZE")
"""Environment variables in which SLURM, MPI and LSF say how many tasks they start."""


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
    """Return the place of this process; a single process if torchrun's variables are incomplete.

    Raises:
        ConfigError: naming the variables, if they are complete and contradict each other.
    """
    if any(name not in environment for name in TORCHRUN):
        return Processes()
    names = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK")
    for name in (*names, "MASTER_PORT"):
        if not environment[name].strip().isdecimal():
            raise ConfigError(
                f"{name} of the environment is {environment[name]!r}; it must be a whole number, so start the "
                "processes with torchrun, which sets it"
            )
    processes = Processes(*(int(environment[name]) for name in names))
    whole = processes.local_count and not processes.count % processes.local_count
    if not (whole and processes.rank < processes.count and processes.local_rank < processes.local_count):
        values = ", ".join(f"{name}={environment[name]}" for name in names)
        raise ConfigError(
            f"the environment has {values}, which contradict each other; start the processes with torchrun, which "
            "sets them"
        )
    return processes


def describe_tasks(environment: Mapping[str, str] = os.environ) -> str:
    """Return a sentence about tasks of another launcher than torchrun, which share no work; empty for none."""
    if all(name in environment for name in TORCHRUN):
        return ""
    for name in _TASKS:
        value = environment.get(name, "").strip()
        if value.isdecimal() and int(value) > 1:
            return (
                f"{name} of the environment is {value}, but tasks share the work of a run only if torchrun starts "
                "them; one process trains here, so start torchrun once on each machine to use several"
            )
    return ""


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
