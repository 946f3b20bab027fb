"""Seconds a megapixel of networks and of Wiener's filter on this machine, beside the dB that they gain.

python benchmarks/peers.py [-o benchmarks.svg] [--json FILE] [--only NAME ...] [--size WIDTHxHEIGHT] [--runs N]
    [--threads N] [--restormer FILE]
    Every method deblurs the same simulated pair in this process, in turns, so that another load on the machine falls
    on all; median of the turns after one that is not counted. Reading and writing files is not measured. The models
    that ship run by their default engine and by the others, with both mirrored passes; networks whose weights do not
    ship have random ones, which take as long.
    --restormer: its dual-pixel weights, which spandrel opens
    (pip install -c constraints.txt '.[restorers]' spandrel-extra-arches); not part of the default run.

The gains are not measured here: `GAINS` says of each where it was.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from dpanet import Deblurrer
from dpanet.benchmark.machine import describe_machine
from dpanet.deconvolution.wiener import Wiener
from dpanet.engines.processor import count_cores
from dpanet.images.demo_pair import read_demo_pair
from dpanet.network.families import build
from dpanet.pair import DualPixelPair

Method = Callable[[DualPixelPair], object]

PIXEL4 = "Pixel 4, five scenes, aligned"
CANON = "Canon videos, four scenes, aligned"
DPDD = "DPDD test set, as published"

_CARD = "docs/model-card.md"
_TABLE = "docs/evaluation.md, Scores of the shipped model"


@dataclass(frozen=True)
class Gain:
    """PSNR of a method minus that of the blurred photograph."""

    method: str
    decibels: float
    scenes: str
    source: str


GAINS = (
    Gain("compact", 3.70, PIXEL4, _CARD),
    Gain("compact", 2.80, CANON, _CARD),
    Gain("nano", 3.01, PIXEL4, _CARD),
    Gain("nano", 2.39, CANON, _CARD),
    Gain("U-Net", 3.17, PIXEL4, f"{_CARD}, trained by the config compact"),
    Gain("Wiener", 2.79, PIXEL4, f"{_TABLE}: 27.39 - 24.60, kernels of that camera"),
    Gain("Wiener", -1.24, CANON, f"{_TABLE}: 25.51 - 26.75, kernels of another camera"),
    Gain("DPDNet", 2.59, CANON, f"{_TABLE}: 29.34 - 26.75, trained on that camera"),
)
"""Measured by this project, with `dpanet evaluate`."""


PEERS = (("U-Net", "unet-compact", 2), ("DPDNet", "dpdnet", 1), ("paper", "paper", 1))
"""Name, preset, and the mirrored passes by which the gain was measured."""


@dataclass(frozen=True)
class Row:
    """One method by one engine."""

    method: str
    engine: str
    precision: str
    seconds_per_megapixel: float
    lower: float
    """First quartile."""
    upper: float
    runs: int
    note: str


@dataclass
class Candidate:
    """A method to be measured."""

    method: str
    engine: str
    precision: str
    note: str
    run: Method


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=count_cores())
    parser.add_argument("--restormer", type=Path)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    torch.set_num_threads(options.threads)
    candidates = prepare(options.threads, options.restormer, options.only)
    rows = measure(candidates, cut_pair(height, width), options.runs)
    gains = tuple(g for g in (*GAINS, *published_gains()) if g.method in {row.method for row in rows})
    machine = describe_machine(options.threads, 3)
    print(f"{machine.processor}, {options.threads} threads, {width} x {height}, median of {options.runs}\n")
    print(to_markdown(rows, gains))
    if options.json:
        values = {
            "size": [width, height],
            "threads": options.threads,
            "machine": asdict(machine),
            "rows": [asdict(row) for row in rows],
            "gains": [asdict(gain) for gain in gains],
        }
        options.json.write_text(json.dumps(values, indent=1) + "\n")
    if options.output:
        draw(rows, gains, options.output)


def prepare(threads: int, restormer: Path | None, only: list[str] | None) -> list[Candidate]:
    """Return the methods, loaded."""
    candidates = []
    for model in ("compact", "nano"):
        if only and model not in only:
            continue
        for engine in ("auto", "openvino", "torch"):
            try:
                deblur = Deblurrer(model, engine=engine, threads=threads, reuse_memory=True)
            except ImportError as error:
                print(f"{model}: {error}")
                continue
            used, name = deblur.engine, deblur.engine.name + (", default" if engine == "auto" else "")
            note = f"passes: {len(deblur.mirrors)}"
            candidates.append(Candidate(model, name, used.precision, note, deblur))
    for method, preset, passes in PEERS:
        if only and method not in only:
            continue
        for precision in ("float32", "bfloat16"):
            torch.manual_seed(0)
            network = build(preset).eval()
            deblur = Deblurrer(
                network, device="cpu", precision=precision, threads=threads, reuse_memory=True, tta=passes
            )
            note = f"preset {preset}, random weights, passes: {passes}"
            candidates.append(Candidate(method, "torch", precision, note, deblur))
    if not only or "Wiener" in only:
        note = "kernels of discs with a ramp, one process"
        candidates.append(Candidate("Wiener", "scikit-image", "float32", note, Wiener()))
    if restormer is not None:
        from dpanet.evaluation.methods.spandrel_model import SpandrelMethod

        peer = SpandrelMethod.load(restormer, device="cpu", tta=1)
        candidates.append(Candidate("Restormer", "torch", "float32", "by spandrel", peer))
    return candidates


def cut_pair(height: int, width: int) -> DualPixelPair:
    """Return the demo's pair, repeated as mirror images to that size."""
    pair, _ = read_demo_pair()
    rows, columns = (np.pad(np.arange(512), (0, max(0, side - 512)), "symmetric") for side in (height, width))
    left, right = (
        np.ascontiguousarray(view[rows[:height]][:, columns[:width]]) for view in (pair.left, pair.right)
    )
    return DualPixelPair(left, right, pair.encoding, {})


def measure(candidates: list[Candidate], pair: DualPixelPair, runs: int) -> list[Row]:
    """Run all methods in turns."""
    seconds: list[list[float]] = [[] for _ in candidates]
    for turn in range(runs + 1):
        for candidate, taken in zip(candidates, seconds, strict=True):
            start = time.perf_counter()
            candidate.run(pair)
            if turn:
                taken.append(time.perf_counter() - start)
            gc.collect()
    megapixels = pair.left.shape[0] * pair.left.shape[1] / 1e6
    rows = []
    for candidate, taken in zip(candidates, seconds, strict=True):
        per = [value / megapixels for value in taken]
        lower, upper = (float(value) for value in np.quantile(per, (0.25, 0.75)))
        rows.append(
            Row(
                candidate.method,
                candidate.engine,
                candidate.precision,
                statistics.median(per),
                lower,
                upper,
                len(per),
                candidate.note,
            )
        )
    return rows


def published_gains() -> list[Gain]:
    """Return the figures of others on DPDD, two views in, from the table that reports of `dpanet evaluate` show."""
    text = (resources.files("dpanet.report") / "published.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    rows = table["sets"]["dpdd"]["rows"]
    before = next(float(row["mean"]["psnr"]) for row in rows if row["method"] == "Input")
    gains = []
    for row in rows:
        if row["method"] in ("DPDNet", "Restormer") and row["views"] == "dual" and row["bits"] == "16":
            source = table["sources"][row["source"]]
            psnr = row["mean"]["psnr"]
            words = f"{source['name']}, {source['origin']}: {psnr} - {before}"
            gains.append(Gain(row["method"], round(float(psnr) - before, 2), DPDD, words))
    return gains


def to_markdown(rows: list[Row], gains: tuple[Gain, ...]) -> str:
    """Return the two tables."""
    lines = ["| method | engine | precision | s / megapixel (quartiles) | |", "|---|---|---|---|---|"]
    for row in rows:
        seconds = f"{row.seconds_per_megapixel:.2f} ({row.lower:.2f} to {row.upper:.2f})"
        lines.append(f"| {row.method} | {row.engine} | {row.precision} | {seconds} | {row.note} |")
    lines += ["", "| method | gain | scenes | source |", "|---|---|---|---|"]
    lines += [f"| {g.method} | {g.decibels:+.2f} dB | {g.scenes} | {g.source} |" for g in gains]
    return "\n".join(lines) + "\n"


def draw(rows: list[Row], gains: tuple[Gain, ...], path: Path) -> None:
    """Draw each method at its fastest, seconds a megapixel against dB."""
    from dpanet.files.matplotlib_folder import prepare_matplotlib

    prepare_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    matplotlib.rcParams["svg.hashsalt"] = "dpanet"
    fastest = {row.method: row for row in sorted(rows, key=lambda row: -row.seconds_per_megapixel)}
    figure = Figure(figsize=(8.2, 5), layout="constrained")
    axes = figure.subplots()
    for scenes, marker in ((PIXEL4, "o"), (CANON, "s"), (DPDD, "^")):
        chosen = [g for g in gains if g.scenes == scenes and g.method in fastest]
        seconds = [fastest[g.method].seconds_per_megapixel for g in chosen]
        axes.scatter(seconds, [g.decibels for g in chosen], marker=marker, s=45, label=scenes)
    low = min(0.0, *(g.decibels for g in gains)) - 0.4
    before = (0.0, 0.0)  # place of the last label
    for method, row in sorted(fastest.items(), key=lambda item: item[1].seconds_per_megapixel):
        heights = [g.decibels for g in gains if g.method == method] or [low]
        label = method if heights != [low] else f"{method} (time only)"
        x = row.seconds_per_megapixel
        axes.plot([x, x], [min(heights), max(heights)], color="lightgray", linewidth=1, zorder=0)
        if heights == [low]:  # no gain is known
            axes.scatter(x, low, marker="|", s=120, color="gray")
        near = x < 1.8 * before[0] and abs(max(heights) - before[1]) < 0.5
        beside, side = ((9, -3), "left") if near else ((0, 8), "center")
        axes.annotate(label, (x, max(heights)), beside, textcoords="offset points", ha=side, fontsize=9)
        before = (x, max(heights))
    axes.axhline(0, color="gray", linewidth=0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda x, place: f"{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.12, y=0.16)
    axes.set_xlabel(
        "seconds a megapixel on this machine, logarithmic; each method by its fastest engine here"
    )
    axes.set_ylabel("dB gained over the blurred photograph")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, fontsize=8, frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
