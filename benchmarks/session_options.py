"""Measure options of ONNX Runtime for a shipped model: seconds of the processor, peak memory, time to load.

    python benchmarks/session_options.py nano [HEIGHT WIDTH]
    python benchmarks/session_options.py passes nano THREADS [HEIGHT WIDTH]

One thread. The variants take turns, and the medians of 3 turns are printed; memory is that of a process of its own.
With "passes": two passes with so many threads, one after the other or side by side, in seconds of the clock and of
the processor; whether threads without work spin or sleep; the memory that a run adds. To be measured on free cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime

from dpanet.checkpoints.shipped_models import shipped_file
from dpanet.engines.allocator import reuse_freed_memory

DENORMAL = {"session.set_denormal_as_zero": "1"}

OPTIONS: dict[str, tuple[bool, bool, bool, dict[str, str]]] = {
    "malloc, reused": (False, True, True, {}),
    "malloc, reused, no pattern": (False, False, True, {}),
    "malloc, no pattern": (False, False, False, {}),
    "arena": (True, True, False, {}),
    "arena, no pattern": (True, False, False, {}),
    "malloc, reused, no denormals": (False, True, True, DENORMAL),
}
"""Arena, memory pattern, `reuse_freed_memory`, entries of the config."""

TURNS = 3

MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from session_options import build
run = build({model!r}, {name!r}, {height}, {width})
run(), run()
lines = open("/proc/self/status").read().splitlines()
print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
"""


def start(path: str, *, level: str = "ALL", save: str = "", **more: Any) -> onnxruntime.InferenceSession:
    """Load a file at an optimization level, and save what it became."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{level}")
    if save:
        options.optimized_model_filepath = save
    for name, value in more.pop("config", {}).items():
        options.add_session_config_entry(name, value)
    for name, value in more.items():
        setattr(options, name, value)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def build(model: str, name: str, height: int, width: int) -> Callable[[], object]:
    """Return a function that runs a model once with the options of this name."""
    arena, pattern, reuse, config = OPTIONS[name]
    path = str(shipped_file(model, ".onnx"))
    session = start(
        path, level="ENABLE_ALL", enable_cpu_mem_arena=arena, enable_mem_pattern=pattern, config=config
    )
    view = np.random.default_rng(0).random((1, 3, height, width), np.float32)

    def run() -> object:
        with reuse_freed_memory() if reuse else nullcontext():
            return session.run(["picture"], {"left": view, "right": view})

    return run


def take_turns(variants: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of the processor of each."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(TURNS + 1):
        for name, run in variants.items():
            before = time.process_time()
            run()
            if turn:
                seconds[name].append(time.process_time() - before)
    return {name: statistics.median(values) for name, values in seconds.items()}


PASSES_MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from session_options import build_passes, peak
run = build_passes({model!r}, {threads}, {height}, {width}, {parallel}, True)
before = peak()
run(), run()
print(peak() - before)
"""


def peak() -> float:
    """Return the peak memory of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def build_passes(
    model: str, threads: int, height: int, width: int, parallel: bool, spin: bool
) -> Callable[[], object]:
    """Return a function that runs two passes of a model in int8, with so many threads in all."""
    path = str(shipped_file(model, "-int8.onnx"))
    session = start(
        path,
        level="ENABLE_ALL",
        intra_op_num_threads=threads - parallel,
        enable_mem_pattern=False,
        config={"session.intra_op.allow_spinning": str(int(spin))},
    )
    pairs = [dict.fromkeys(("left", "right"), view) for view in _noise(2, height, width)]
    pool = ThreadPoolExecutor(2 if parallel else 1)
    return lambda: list(pool.map(lambda pair: session.run(None, pair), pairs))


def _noise(count: int, height: int, width: int) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.random((1, 3, height, width), np.float32) for _ in range(count)]


def compare_passes(model: str, threads: int = 2, height: int = 1024, width: int = 1344) -> None:
    """Print how long two passes take, one after the other and side by side."""
    print(f"{model}, int8, {width} x {height} px, two passes, {threads} threads")
    runs = {
        (parallel, spin): build_passes(model, threads, height, width, parallel, spin)
        for parallel in (False, True)
        for spin in ((True, False) if threads - parallel > 1 else (True,))
    }
    clock: dict[tuple[bool, bool], list[float]] = {kind: [] for kind in runs}
    processor: dict[tuple[bool, bool], list[float]] = {kind: [] for kind in runs}
    for turn in range(TURNS + 1):
        for kind, run in runs.items():
            before = time.perf_counter(), time.process_time()
            run()
            if turn:
                clock[kind].append(time.perf_counter() - before[0])
                processor[kind].append(time.process_time() - before[1])
    for (parallel, spin), seconds in clock.items():
        code = PASSES_MEMORY.format(
            folder=str(Path(__file__).parent),
            model=model,
            threads=threads,
            height=height,
            width=width,
            parallel=parallel,
        )
        memory = float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        name = ("side by side" if parallel else "one after the other") + ("" if spin else ", threads sleep")
        print(
            f"  {name:35} {statistics.median(seconds):6.3f} s, processor "
            f"{statistics.median(processor[parallel, spin]):6.3f} s, {memory:5.0f} MB"
        )


def main(model: str, height: int = 1024, width: int = 1344) -> None:
    """Print all figures of a model."""
    print(f"{model}, {width} x {height} px, one pass")
    runs = {name: build(model, name, height, width) for name in OPTIONS}
    for name, seconds in take_turns(runs).items():
        code = MEMORY.format(
            folder=str(Path(__file__).parent), model=model, name=name, height=height, width=width
        )
        peak = float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        print(f"  {name:30} {seconds:6.3f} s, {peak:5.0f} MB")
    path = str(shipped_file(model, ".onnx"))
    with TemporaryDirectory() as folder:
        stored = f"{folder}/optimized.onnx"
        start(path, level="ENABLE_EXTENDED", save=stored)
        loads = {
            "all optimizations": (path, "ENABLE_ALL"),
            "none": (path, "DISABLE_ALL"),
            "stored after the extended ones": (stored, "ENABLE_ALL"),
        }
        starts = {name: partial(start, file, level=level) for name, (file, level) in loads.items()}
        for name, seconds in take_turns(starts).items():
            size = Path(loads[name][0]).stat().st_size / 1e6
            print(f"  load, {name:30} {1000 * seconds:4.0f} ms, {size:5.1f} MB")


if __name__ == "__main__":
    if sys.argv[1] == "passes":
        compare_passes(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main(sys.argv[1], *map(int, sys.argv[2:]))
