"""Seconds and memory of the published network beside the same graph from stock parts.

python benchmarks/paper_speed.py [--size PX] [--training-size PX] [--rounds N] [--threads N] [--openvino]
    Stock parts: correlation as one product for each of the 81 displacements, deformable convolution as nine grid
    samplings and one product, torch's default memory layout. Both have the same untrained weights, and offsets of
    about 2 px. Times: the two candidates alternate, each in its own process, with freed memory used again, after a
    small warm-up; seconds of the clock and of the processor (which other work on the machine changes less), medians.
    Memory: of processes of their own, with the C library's defaults. --training-size is the side of a picture for
    forward and backward; 0 leaves it, or --size, out. --openvino adds, forward only, the file of `dpanet export
    --format openvino`, run in a process without torch; the export takes a minute.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import dpanet.network.alignment as alignment
from dpanet.engines.allocator import reuse_freed_memory
from dpanet.network import Network, build

CANDIDATES = ("stock", "dpanet")
PRECISIONS = ("float32", "bfloat16")

BY_OPENVINO = """
import json, resource, sys, time
from pathlib import Path

import numpy as np

from dpanet.engines.openvino_engine import OpenVinoEngine

folder, precision, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
engine = OpenVinoEngine(folder / "exported.xml", precision=precision, threads=threads)
left, right = np.load(folder / "views.npy")
engine(left[:32, :32], right[:32, :32])
began = time.perf_counter(), time.process_time()
picture = engine(left, right)
ended = time.perf_counter(), time.process_time()
np.save(folder / f"openvino-{precision}.npy", picture.transpose(2, 0, 1)[None])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps({"clock": ended[0] - began[0], "processor": ended[1] - began[1], "peak": peak}))
"""
"""As `_measure`, in a process without torch."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--training-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--openvino", action="store_true")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measure(options)))
        return
    print(
        f"paper, {options.threads} threads, torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}; "
        f"medians of {options.rounds}"
    )
    for task, size in (("forward", options.size), ("training", options.training_size)):
        if size:
            _compare(task, size, options)


def _compare(task: str, size: int, options: argparse.Namespace) -> None:
    """Measure a task with both candidates in both precisions, and print one line for each."""
    medians: dict[tuple[str, str], tuple[float, float, float]] = {}
    candidates = list(CANDIDATES)
    with tempfile.TemporaryDirectory() as folder:
        if options.openvino and task == "forward":
            candidates.append("openvino")
            _run(
                "export", "", task, folder, options
            )  # apart: memory of this process would count as its children's
        for precision in PRECISIONS:
            runs: dict[str, list[dict[str, Any]]] = {candidate: [] for candidate in candidates}
            for _ in range(options.rounds):
                for candidate in candidates:
                    runs[candidate].append(_run(candidate, precision, task, folder, options))
            for candidate in candidates:
                memory = folder if candidate == "openvino" else ""  # OpenVINO's memory is its own
                peak = _run(candidate, precision, task, memory, options)["peak"]
                clock, processor = (
                    statistics.median(run[key] for run in runs[candidate]) for key in ("clock", "processor")
                )
                medians[candidate, precision] = clock, processor, peak
        pictures = {c: np.load(Path(folder) / f"{c}-float32.npy") for c in candidates}
    difference = max(np.abs(pictures["stock"] - pictures[c]).max() for c in candidates)
    print(f"{task}, {size} x {size}; largest difference of the pictures in float32 {difference:.1e}")
    for (candidate, precision), (clock, processor, peak) in medians.items():
        beside = []
        for other in dict.fromkeys((precision, "float32")):
            base = medians["stock", other]
            beside.append(
                f"{base[0] / clock:.2f} ({base[1] / processor:.2f} by the processor's time) times as fast as "
                f"stock {other}, {peak / base[2]:.2f} of its memory"
            )
        print(
            f"  {candidate:8} {precision:8} {clock:7.2f} s clock {processor:7.2f} s processor {peak:7.0f} MB"
            + ("" if candidate == "stock" else "  " + "; ".join(beside)),
            flush=True,
        )


def _run(
    candidate: str, precision: str, task: str, folder: str, options: argparse.Namespace
) -> dict[str, Any]:
    sizes = ["--size", str(options.size), "--training-size", str(options.training_size)]
    command = [sys.executable, __file__, *sizes, "--threads", str(options.threads)]
    command += ["--child", candidate, precision, task, folder]
    if candidate == "openvino":
        command = [sys.executable, "-c", BY_OPENVINO, folder, precision, str(options.threads)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


def _measure(options: argparse.Namespace) -> dict[str, float]:
    """Return seconds of the clock and of the processor, and the peak of this process in MB."""
    candidate, precision, task, folder = options.child
    torch.set_num_threads(options.threads)
    if candidate == "export":
        _write_openvino(Path(folder), options.size)
        return {}
    network = _build_network()
    layout = torch.contiguous_format if candidate == "stock" else torch.channels_last
    network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in its stub
    if candidate == "stock":
        vars(alignment).update(
            correlation=stock_correlation, deformable_convolution=stock_deformable_convolution
        )
    size = options.size if task == "forward" else options.training_size
    views = [view[None].contiguous(memory_format=layout) for view in torch.rand(2, 3, size, size)]
    timed = bool(folder)
    with (
        reuse_freed_memory() if timed else nullcontext(),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        if timed:
            _once(network, [view[..., :32, :32] for view in views], task)
        began = time.perf_counter(), time.process_time()
        picture = _once(network, views, task)
        ended = time.perf_counter(), time.process_time()
    if timed:
        np.save(Path(folder) / f"{candidate}-{precision}.npy", picture.detach().float().numpy())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"clock": ended[0] - began[0], "processor": ended[1] - began[1], "peak": peak}


def _write_openvino(folder: Path, size: int) -> None:
    """Export the network for OpenVINO, and write the views that the other candidates draw after building it."""
    from dpanet.export.onnx_file import write_onnx
    from dpanet.export.openvino_file import write_openvino

    network = _build_network().eval()
    np.save(folder / "views.npy", torch.rand(2, 3, size, size).permute(0, 2, 3, 1).numpy())
    write_onnx(network, folder / "exported.onnx")
    write_openvino(folder / "exported.onnx", folder / "exported.xml")


def _build_network() -> Network:
    """Return the network with untrained weights and offsets of about 2 px; always the same."""
    torch.manual_seed(0)
    network = build("paper")
    for name, module in network.named_modules():
        if isinstance(module, alignment.OffsetMask):
            torch.nn.init.normal_(module.conv.weight, std=0.02)
            assert module.conv.bias is not None, name
            torch.nn.init.normal_(module.conv.bias)
    return network


def _once(network: torch.nn.Module, views: list[Tensor], task: str) -> Tensor:
    if task == "forward":
        with torch.inference_mode():
            picture: Tensor = network(*views)
    else:
        picture = network(*views)
        picture.float().square().mean().backward()  # type: ignore[no-untyped-call]
        network.zero_grad()
    return picture


def stock_correlation(left: Tensor, right: Tensor, radius: tuple[int, int]) -> Tensor:
    """As `correlation`, with a pass over the features for each displacement."""
    ry, rx = radius
    height, width = left.shape[-2:]
    padded = F.pad(right, (rx, rx, ry, ry))
    planes = [
        (left * padded[..., dy : dy + height, dx : dx + width]).mean(1)
        for dy in range(2 * ry + 1)
        for dx in range(2 * rx + 1)
    ]
    return torch.stack(planes, 1)


def stock_deformable_convolution(
    features: Tensor, offsets: Tensor, mask: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """As `deformable_convolution` of one group: a grid sampling for each tap, then one product."""
    height, width = features.shape[-2:]
    size = weight.shape[-1]
    taps = []
    for tap in range(size**2):
        y = torch.arange(height)[:, None] + tap // size - size // 2 + offsets[:, 2 * tap].float()
        x = torch.arange(width) + tap % size - size // 2 + offsets[:, 2 * tap + 1].float()
        grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1)
        with torch.autocast("cpu", enabled=False):  # places in bfloat16 would be wrong
            read = F.grid_sample(features.float(), grid, align_corners=False).to(features.dtype)
        taps.append(read * mask[:, tap, None])
    columns = torch.stack(taps, 2).flatten(1, 2)
    return F.conv2d(columns, weight.reshape(weight.shape[0], -1, 1, 1), bias)


if __name__ == "__main__":
    main()
