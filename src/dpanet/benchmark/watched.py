"""Run a `dpanet` command line, and write the largest memory of this process to a file.

``python -m dpanet.benchmark.watched FILE ARGUMENTS ...``. The figure that Linux gives the parent starts at
the parent's own memory, so the child writes its own.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource


def peak_memory(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the largest resident memory of this process in bytes; None on Windows."""
    if sys.platform == "win32":
        return None
    try:
        peak = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
    except OSError:
        peak = None
    if peak:
        return 1024 * int(peak[1])
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    try:
        runpy.run_module("dpanet", run_name="__main__")
    finally:
        file.write_text(str(peak_memory() or ""))
