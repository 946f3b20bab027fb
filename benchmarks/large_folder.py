"""Seconds until `dpanet deblur` begins the first pair of a large folder, at first and when it is given again.

python benchmarks/large_folder.py [--pairs N] [--compared-with N]
    Writes N pairs of tiny views, and times the command until its first pair is read: of the new folder, and of that
    in which all pairs but one are finished. The pictures are not deblurred, only logged as the command does. The
    second number of pairs shows what the start of the program takes by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dpanet.images.writing import write_picture
from dpanet.pair import Picture

PROGRAM = """
import os, resource, sys, time
from types import SimpleNamespace
import numpy as np
import dpanet.deblurrer.deblurrer, dpanet.cli, dpanet.jobs.job
from dpanet.engines.torch_engine import TorchEngine
from dpanet.files.output import atomic_output
from dpanet.network.description import Description

begun = []

class Left:
    description = Description(multiple_of=8, halo=8)
    def __call__(self, left, right):
        return left

def read(reader, job):
    if not begun:
        begun.extend([time.time() - float(os.environ["START"]), time.process_time()])
    return dpanet.jobs.job.OpenedPair(SimpleNamespace(left=np.empty((1, 1, 3))), 0.0)

def write(task, job, deblurred, overwrite, record):
    with atomic_output(job.output, overwrite) as file:
        file.write_bytes(b"a picture")
        record({job.output: file})
    return str(job.output)

dpanet.jobs.job.PairReader.__call__ = read
dpanet.jobs.job.Task.deblur = lambda task, job, opened: None
dpanet.jobs.job.Task.write = write
dpanet.deblurrer.deblurrer.load_engine = lambda model, engine, passes, callers, **rest: TorchEngine(Left(), **rest)
code = dpanet.cli.main()
print(*begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""
"""The command line, which copies in place of deblurring."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--compared-with", type=int, default=2)
    options = parser.parse_args()
    for pairs in (options.compared_with, options.pairs):
        print(json.dumps({"pairs": pairs, **measure(pairs)}), flush=True)


def measure(pairs: int) -> dict[str, dict[str, float]]:
    """Return the seconds until the first pair, of a new folder and of one with all pairs but one finished."""
    with tempfile.TemporaryDirectory() as place:
        folder, output = Path(place) / "in", Path(place) / "out"
        folder.mkdir()
        view = Path(place) / "view.png"
        write_picture(Picture(np.full((16, 16, 3), 0.5, np.float32)), view)
        for index in range(pairs):
            for side in ("left", "right"):
                (folder / f"IMG_{index}_{side}.png").write_bytes(view.read_bytes())
        first = time_command(folder, output)
        (output / f"IMG_{pairs - 1}.png").unlink()
        again = time_command(folder, output)
    return {"first": first, "again": again}


def time_command(folder: Path, output: Path) -> dict[str, float]:
    """Return the seconds until the first pair, those of the processor, and the memory of the whole command in MB."""
    command = [sys.executable, "-c", PROGRAM, "deblur", str(folder), "-o", str(output)]
    start = {"START": repr(time.time())}
    done = subprocess.run(command, env=os.environ | start, check=True, capture_output=True, text=True)
    names = ("seconds", "processor_seconds", "megabytes")
    return {name: round(float(word), 2) for name, word in zip(names, done.stderr.split()[-3:], strict=True)}


if __name__ == "__main__":
    main()
