"""What the processor of this machine can do. Standard library only."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

INT8 = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""Instructions that multiply and add bytes: without them, int8 is no faster than float32."""

BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Instructions that multiply bfloat16 numbers."""


@cache
def instruction_sets(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the names of the processor's instruction sets, as Linux writes them; empty on other systems."""
    try:
        text = cpuinfo.read_text()
    except OSError:
        return frozenset()
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(flags[1].split()) if flags else frozenset()


def count_cores() -> int:
    """Return the number of physical cores that this process may use, at least 1.

    Two threads of one core share what computes a convolution, so that more threads than cores do not help.
    """
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    cores = set()
    for number in usable:
        siblings = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            cores.add(str(number))
    return max(1, len(cores))
