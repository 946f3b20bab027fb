"""Seconds and memory of whole commands, and tiles against the whole picture.

python benchmarks/resources.py time [--size WIDTHxHEIGHT] [--model NAME|FILE] [--tile PX] [--repeat N]
    simulated 16-bit pair of that size through `dpanet deblur`: seconds and peak memory of the process
python benchmarks/resources.py tiles LEFT RIGHT [--camera pixel4] [--model NAME|FILE] [--precision P]
    largest difference between the default tile and the whole picture, in units of 1/255 on display values
python benchmarks/resources.py evaluation [--pictures N ...] [--size WIDTHxHEIGHT] [--model NAME|FILE]
    peak memory and seconds of `dpanet evaluate` on a data set in DPDD's layout with 4 and with 76 pictures
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dpanet import Deblurrer, load_model, read_pair
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.raw import PIXEL4
from dpanet.images.raw_pair import read_raw_pair
from dpanet.images.writing import write_picture
from dpanet.pair import Picture
from dpanet.simulation.demo import demo_pair


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    timing = commands.add_parser("time")
    timing.add_argument("--size", default="1344x1008")
    timing.add_argument("--tile", default="auto")
    timing.add_argument("--repeat", type=int, default=3)
    timing.set_defaults(run=measure_command)
    tiles = commands.add_parser("tiles")
    tiles.add_argument("left", type=Path)
    tiles.add_argument("right", type=Path)
    tiles.add_argument("--camera", choices=["pixel4"])
    tiles.add_argument("--precision", default="auto")
    tiles.set_defaults(run=compare_tiles)
    evaluation = commands.add_parser("evaluation")
    evaluation.add_argument("--pictures", type=int, nargs="+", default=[4, 76])
    evaluation.add_argument("--size", default="1680x1120")
    evaluation.set_defaults(run=measure_evaluation)
    for command in (timing, tiles, evaluation):
        command.add_argument("--model", default="compact")
    options = parser.parse_args()
    options.run(options)


def measure_command(options: argparse.Namespace) -> None:
    width, height = (int(side) for side in options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_pair(folder, height, width)
        command = [
            sys.executable,
            "-m",
            "dpanet",
            "deblur",
            str(folder / "left.png"),
            str(folder / "right.png"),
        ]
        command += [
            "-o",
            str(folder / "out.png"),
            "--overwrite",
            "--model",
            options.model,
            "--tile",
            options.tile,
        ]
        measured = [_watched(command) for _ in range(options.repeat)]
        seconds, peaks = [m[0] for m in measured], [m[1] for m in measured]
    print(
        f"{width} x {height}, {options.model}, tile {options.tile}: median {statistics.median(seconds):.2f} s "
        f"({min(seconds):.2f} to {max(seconds):.2f}), peak {max(peaks):.2f} GiB, whole command, {options.repeat} runs"
    )


def _watched(command: list[str]) -> tuple[float, float]:
    """Seconds and peak GiB of a command, which must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - start, usage.ru_maxrss / 2**20


def measure_evaluation(options: argparse.Namespace) -> None:
    width, height = (int(side) for side in options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        _write_pair(Path(name), height, width)
        for count in options.pictures:
            root = Path(name) / f"dpdd-{count}"
            for part, source in (("l", "left"), ("r", "right"), ("c", "left"), ("c/target", "left")):
                folder = root / (f"test_{part}/source" if len(part) == 1 else f"test_{part}")
                folder.mkdir(parents=True)
                for i in range(count):
                    suffix = {"l": "_L", "r": "_R"}.get(part, "")
                    (folder / f"{i:04d}{suffix}.png").hardlink_to(Path(name) / f"{source}.png")
            command = [sys.executable, "-m", "dpanet", "evaluate", str(root), "--layout", "dpdd"]
            command += ["--model", options.model, "-o", str(root / "out")]
            seconds, peak = _watched(command)
            print(
                f"{count} pictures of {width} x {height}: {seconds:.0f} s ({seconds / count:.1f} s each), "
                f"peak {peak:.2f} GiB, {options.model} and doing nothing",
                flush=True,
            )


def compare_tiles(options: argparse.Namespace) -> None:
    if options.camera:
        pair = read_raw_pair(options.left, options.right, PIXEL4)
    else:
        pair = read_pair(options.left, options.right)
    network = load_model(options.model)
    pictures = {}
    for tile in ("auto", 0):
        start = time.perf_counter()
        pictures[tile] = Deblurrer(network, tile=tile, precision=options.precision)(pair).pixels
        print(f"tile {tile}: {time.perf_counter() - start:.2f} s")
    if pair.encoding == "linear":
        white = max(float(pair.left.max()), float(pair.right.max()))
        pictures = {tile: linear_to_srgb(pixels / white) for tile, pixels in pictures.items()}
    difference = 255 * np.abs(pictures["auto"] - pictures[0])
    print(
        f"{pair.left.shape[1]} x {pair.left.shape[0]}: largest difference {difference.max():.2g}/255, "
        f"mean {difference.mean():.2g}/255, 99.99 % below {np.quantile(difference, 0.9999):.2g}/255"
    )


def _write_pair(folder: Path, height: int, width: int) -> None:
    """The demo's pair, repeated as mirrored tiles to the size wanted."""
    pair, _ = demo_pair()
    rows, columns = pair.left.shape[:2]
    pad = ((0, max(0, height - rows)), (0, max(0, width - columns)), (0, 0))
    for name, view in (("left", pair.left), ("right", pair.right)):
        pixels = np.pad(view, pad, "symmetric")[:height, :width]
        write_picture(Picture(np.ascontiguousarray(pixels)), folder / f"{name}.png", bits=16)


if __name__ == "__main__":
    main()
