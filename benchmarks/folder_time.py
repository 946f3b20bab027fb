"""What share of the time `dpanet deblur FOLDER` spends in the network, and one process against several.

python benchmarks/folder_time.py [--pairs N] [--size WIDTHxHEIGHT] [--model NAME] [--cores N] [--runs N]
    Deblurs a folder of 16-bit PNG with one process of N threads ("1 x N"), and halves of it with N processes of one
    thread at the same time ("N x 1"); they take turns, and the fastest run of each counts. Printed, as JSON: seconds
    from the first pair to the last; the share of them during which the network ran, with one pass or several; the
    processor seconds a pair of each stage, in its own thread; those of the whole process without its start; and
    "N x 1" over "1 x N". With --cores 1, only the shares and stages are measured, which another program on the
    machine does not change much.
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
from typing import Any

import numpy as np

from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

PROGRAM = """
import functools, json, sys, threading, time
import dpanet.cli, dpanet.engines.exported_engine, dpanet.files.store, dpanet.images.reading, dpanet.images.writing
import dpanet.jobs.deblur_folder, dpanet.jobs.job

walls, processor, spans, begun, running, lock = {}, {}, [], [], {}, threading.Lock()

def note(stage, change):
    # the time since the stage began or ended last is its own if it ran in a thread or more
    now = time.perf_counter()
    count, since = running.get(stage, (0, now))
    walls[stage] = walls.get(stage, 0) + (now - since if count else 0)
    running[stage] = count + change, now

def watch(owner, name, stage):
    function = getattr(owner, name)

    @functools.wraps(function)
    def watched(*arguments, **options):
        with lock:
            begun or begun.extend([time.perf_counter(), time.process_time()])
            note(stage, 1)
        thread = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            with lock:
                note(stage, -1)
                processor[stage] = processor.get(stage, 0) + time.thread_time() - thread
                spans.append((time.perf_counter(), time.process_time()))

    setattr(owner, name, watched)

watch(dpanet.jobs.job.PairReader, "__call__", "read")
watch(dpanet.jobs.job.Task, "deblur", "deblur")
watch(dpanet.engines.exported_engine.ExportedEngine, "__call__", "network")
watch(dpanet.jobs.job.Task, "write_files", "write")
watch(dpanet.jobs.job, "write_picture", "encode")
watch(dpanet.jobs.deblur_folder, "describe_written", "hash")
watch(dpanet.files.store.Store, "add", "log")
code = dpanet.cli.main()
facts = {"begun": begun[0], "ended": spans[-1][0], "processor": spans[-1][1] - begun[1]}
print(json.dumps(facts | {"network": walls["network"], "stages": processor}), file=sys.stderr)
sys.exit(code)
"""
"""The command line, whose stages are timed. "deblur" has "network" in it, but for passes in threads of their own;
"write" has "encode", "hash" and "log"."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--size", default="1344x1008")
    parser.add_argument("--model", default="compact")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    kinds = [(1, options.cores), (options.cores, 1)][: options.cores]
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        views = write_view_files(Path(place), width, height)
        for _ in range(options.runs):
            for processes, threads in kinds:
                found = measure(views, options.pairs, processes, threads, options.model)
                name = f"{processes} x {threads}"
                if name not in best or found["seconds"] < best[name]["seconds"]:
                    best[name] = found
    facts: dict[str, Any] = {**vars(options), **best}
    if len(best) == 2:
        one, many = best.values()
        facts["ratio"] = round(many["seconds"] / one["seconds"], 3)
    print(json.dumps(facts, indent=1))


def write_view_files(folder: Path, width: int, height: int) -> dict[str, Path]:
    """Write the demo's pair, repeated as mirror images, with the noise of a sensor in 16 bits; return its files."""
    pair, _ = read_demo_pair()
    views = {}
    for seed, side in enumerate(("left", "right")):
        view = getattr(pair, side)
        pixels = np.pad(
            view,
            ((0, max(0, height - view.shape[0])), (0, max(0, width - view.shape[1])), (0, 0)),
            "symmetric",
        )[:height, :width]
        noise = np.random.default_rng(seed).normal(0, 0.004, pixels.shape).astype(np.float32)
        views[side] = folder / f"{side}.png"
        write_picture(Picture(np.clip(pixels + noise, 0, 1), "srgb", {"bits": 16}), views[side])
    return views


def measure(views: dict[str, Path], pairs: int, processes: int, threads: int, model: str) -> dict[str, Any]:
    """Deblur pairs by processes that run at the same time; return seconds, shares and stages of all together."""
    with tempfile.TemporaryDirectory() as place:
        commands = []
        for part in range(processes):
            folder = Path(place) / f"in{part}"
            folder.mkdir()
            for index in range(part, pairs, processes):
                for side, file in views.items():
                    (folder / f"{index}_{side}.png").hardlink_to(file)
            words = ["deblur", str(folder), "-o", f"{place}/out{part}", "--model", model]
            commands.append([sys.executable, "-c", PROGRAM, *words, "--threads", str(threads)])
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "VIPS_CONCURRENCY": str(threads)}
        start = time.perf_counter()
        running = [
            subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            for command in commands
        ]
        texts = [process.communicate()[1] for process in running]
        whole = time.perf_counter() - start
    if any(process.returncode for process in running):
        raise SystemExit("".join(texts))
    found = [json.loads(text.splitlines()[-1]) for text in texts]
    seconds = max(one["ended"] for one in found) - min(one["begun"] for one in found)
    shares = [one["network"] / (one["ended"] - one["begun"]) for one in found]
    stages = {
        stage: round(sum(one["stages"][stage] for one in found) / pairs, 4) for stage in found[0]["stages"]
    }
    return {
        "seconds": round(seconds, 2),
        "with the start": round(whole, 2),
        "share of the network": round(sum(shares) / processes, 3),
        "processor seconds a pair": round(sum(one["processor"] for one in found) / pairs, 3),
        "of which in each stage": stages,
    }


if __name__ == "__main__":
    main()
