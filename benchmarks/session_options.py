"""Measure options of ONNX Runtime for a shipped model: seconds of the processor, peak memory, time to load.

    python benchmarks/session_options.py nano [HEIGHT WIDTH]

One thread. The variants take turns, and the medians of 3 turns are printed; memory is that of a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
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
    main(sys.argv[1], *map(int, sys.argv[2:]))
