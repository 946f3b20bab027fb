"""How many pairs a second `dpanet deblur --cluster ray` does on this machine, against the plain command.

Both deblur the same pairs with cores of the same number: the plain command with that many threads, the cluster with
that many workers of one thread. They take turns, so that a busy machine slows both; the best of several runs counts.
Ray's start, some seconds whatever the number of pairs, is measured apart, by the time until the first picture:

    python benchmarks/cluster.py --workers 2 --pairs 40 --size 512
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dpanet.images.writing import write_picture
from dpanet.pair import Picture

_PICTURE = re.compile(r": \d+ x \d+ px, [0-9.]+ s$")


@dataclass(frozen=True)
class Timing:
    """One run of a command."""

    first: float
    """Seconds until the first picture."""
    last: float
    """Seconds until the last picture."""
    whole: float
    """Seconds of the whole command."""
    pictures: int

    @property
    def rate(self) -> float:
        """Pictures a second after the first."""
        return (self.pictures - 1) / (self.last - self.first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--size", type=int, default=512, help="side in px")
    parser.add_argument("--model", default="compact")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder / "views", options.pairs, options.size)
        words = ["deblur", str(folder / "views"), "--overwrite", "--model", options.model]
        kinds = {
            "plain": ["--threads", str(options.workers)],
            "cluster": ["--cluster", "ray", "--workers", str(options.workers)],
        }
        best: dict[str, Timing] = {}
        for _ in range(options.runs):
            for kind, more in kinds.items():
                timing = run([*words, "-o", str(folder / kind), *more])
                if kind not in best or timing.rate > best[kind].rate:
                    best[kind] = timing
        same = all(
            (folder / "cluster" / file.name).read_bytes() == file.read_bytes()
            for file in (folder / "plain").glob("*.png")
        )
    facts = {kind: asdict(timing) | {"pictures a second": timing.rate} for kind, timing in best.items()}
    ratio = best["cluster"].rate / best["plain"].rate
    whole = best["cluster"].whole / best["plain"].whole
    print(
        json.dumps(
            vars(options)
            | facts
            | {
                "rate, cluster / plain": ratio,
                "whole command, cluster / plain": whole,
                "same pictures": same,
            },
            indent=1,
        )
    )
    print(
        f"{options.workers} Ray workers of one thread do {ratio:.2f} times the pairs a second of one process with "
        f"{options.workers} threads; the whole command takes {whole:.2f} times as long",
        file=sys.stderr,
    )


def write_pairs(folder: Path, pairs: int, size: int) -> None:
    """Write views of noise: what is in them does not change the time."""
    folder.mkdir()
    for pair in range(pairs):
        values = np.random.default_rng(pair)
        for side in ("left", "right"):
            pixels = values.random((size, size, 3), np.float32)
            write_picture(Picture(pixels, "srgb", {}), folder / f"{pair}_{side}.png")


def run(words: list[str]) -> Timing:
    """Run a command; time its lines about pictures."""
    start = time.perf_counter()
    times = []
    with subprocess.Popen(
        [sys.executable, "-m", "dpanet", *words], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if _PICTURE.search(line.rstrip()):
                times.append(time.perf_counter() - start)
    if running.returncode:
        raise SystemExit(f"dpanet {' '.join(words)} ended with {running.returncode}")
    return Timing(times[0], times[-1], time.perf_counter() - start, len(times))


if __name__ == "__main__":
    main()
