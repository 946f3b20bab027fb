"""What this machine is: processor, memory, and how fast it copies."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dpanet.benchmark.results import Machine
from dpanet.benchmark.timing import measure
from dpanet.engines.processor import count_cores, instruction_sets

_TELLING = (
    ("amx_int8", "amx_bf16", "amx_tile"),
    ("avx512_bf16", "avx512_vnni", "avx512f"),
    ("avx_vnni", "avx2", "fma"),
    ("sve2", "sve", "i8mm", "bf16", "asimddp", "asimd"),
)
"""Instruction sets that compute convolutions, the widest first."""

_COPIED = 2**28
"""Bytes that are copied at once: more than caches hold."""


def describe_machine(threads: int, runs: int) -> Machine:
    """Return what this machine is.

    Args:
        threads: that copy memory.
        runs: of the copy.
    """
    names = instruction_sets()
    memory = _memory()
    return Machine(
        processor=_processor(),
        cores=count_cores(),
        instruction_sets=tuple(name for row in _TELLING for name in row if name in names),
        memory=memory,
        bandwidth=_bandwidth(threads, runs, min(_COPIED, (memory or 2**32) // 16)),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor as its maker writes it, or else its architecture."""
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() or platform.machine()
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
    except OSError:
        name = None
    return name[1].strip() if name else platform.processor() or platform.machine()


def _memory() -> int | None:
    """Return the bytes of memory of the machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _bandwidth(threads: int, runs: int, size: int) -> float:
    """Return the bytes a second that are read and written while threads copy arrays of `size` bytes in all."""
    sources = [np.ones(size // threads, np.uint8) for _ in range(threads)]
    targets = [np.zeros_like(source) for source in sources]
    with ThreadPoolExecutor(threads) as pool:
        taken = measure(lambda: list(pool.map(np.copyto, targets, sources)), runs)
    return 2 * sum(source.nbytes for source in sources) / taken.median
