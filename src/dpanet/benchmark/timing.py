"""Seconds of a function, and the joules that it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dpanet.benchmark.results import Timing

POWER = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of processors."""


def summarize(seconds: Sequence[float]) -> Timing:
    """Return the median and the quartiles of measured seconds."""
    lower, median, upper = (float(value) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Timing(median, lower, upper, len(seconds))


def measure(function: Callable[[], object], runs: int) -> Timing:
    """Run a function once unmeasured, then `runs` times."""
    return summarize(run_repeatedly(function, runs))


def run_repeatedly(function: Callable[[], object], runs: int) -> list[float]:
    """Return the seconds of each of `runs` runs of a function, after one that is not counted."""
    function()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds


@dataclass(frozen=True)
class EnergyMeter:
    """The energy counters of all processor packages of a Linux machine.

    Args:
        folder: with a folder ``intel-rapl:N`` for each package, of AMD processors too.
    """

    folder: Path = POWER

    def read(self) -> dict[Path, float] | None:
        """Return the joules of each counter; None if there is none, or reading it is not allowed."""
        counters = [
            path for path in self.folder.glob("intel-rapl:*") if re.fullmatch(r"intel-rapl:\d+", path.name)
        ]
        try:
            return {path: int((path / "energy_uj").read_text()) / 1e6 for path in counters} or None
        except (OSError, ValueError):
            return None

    def since(self, before: dict[Path, float] | None) -> float | None:
        """Return the joules of all packages since an earlier `read`; a counter that began anew is corrected."""
        after = self.read()
        if before is None or after is None or before.keys() != after.keys():
            return None
        total = 0.0
        for path, joules in after.items():
            spent = joules - before[path]
            if spent < 0:
                try:
                    spent += int((path / "max_energy_range_uj").read_text()) / 1e6
                except (OSError, ValueError):
                    return None
            total += spent
        return total

    def absence(self) -> str | None:
        """Return why there is no energy to report, as a sentence; None if there is."""
        if self.read() is not None:
            return None
        if any(self.folder.glob("intel-rapl:*")):
            return "energy: the counters of the processor may not be read by this user"
        return "energy: this machine does not tell it (no counters in /sys/class/powercap)"
