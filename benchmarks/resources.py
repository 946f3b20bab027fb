"""Seconds and memory of whole commands, and tiles against the whole picture.

python benchmarks/resources.py time [--size WIDTHxHEIGHT] [--model NAME|FILE] [--tile PX] [--repeat N]
    simulated 16-bit pair of that size through `dpanet deblur`: seconds and peak memory of the process
python benchmarks/resources.py memory [--size WIDTHxHEIGHT ...] [--model NAME|FILE] [--suffix .png|.tif] [--tta N]
    peak memory and seconds of `dpanet deblur` against the size of a simulated 16-bit pair
python benchmarks/resources.py tiles LEFT RIGHT [--camera pixel4] [--model NAME|FILE] [--precision P] [--tile PX]
    largest difference between tiles and the whole picture, in units of 1/255 on display values
python benchmarks/resources.py reach LEFT RIGHT [--camera pixel4] [--model NAME|FILE]
    how far from an edge, at which a picture is cut, the network's picture changes by how much, in 1/255
python benchmarks/resources.py refinement [--size WIDTHxHEIGHT ...] [--model NAME|FILE]
    seconds, seconds of processor and peak memory of `dpanet deblur`: the network alone, a known lens, a found one
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

from dpanet import Deblurrer, read_pair
from dpanet.deblurrer.exposure import Exposure
from dpanet.formats.row_stream import RowStream, Strips
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.pixel_rows import PictureRows
from dpanet.images.raw import PIXEL4
from dpanet.images.raw_pair import read_raw_pair
from dpanet.images.writing import write_picture
from dpanet.lenses.ramped_lens import RampedLens
from dpanet.pair import DualPixelPair

DISTANCES = (64, 96, 128, 144, 160, 176, 192, 208, 224, 256)
"""Px from the edge at which a picture is cut."""


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
    memory = commands.add_parser("memory")
    memory.add_argument("--size", nargs="+", default=["1344x1008", "2464x1640", "6000x4000", "8700x5800"])
    memory.add_argument("--suffix", choices=[".png", ".tif"], default=".png")
    memory.add_argument("--tta", default="auto")
    memory.set_defaults(run=measure_memory)
    refinement = commands.add_parser("refinement")
    refinement.add_argument("--size", nargs="+", default=["1344x1008", "6000x4000"])
    refinement.set_defaults(run=measure_refinement)
    tiles = commands.add_parser("tiles")
    tiles.add_argument("--precision", default="auto")
    tiles.add_argument("--tile", type=int, default=640)
    tiles.set_defaults(run=compare_tiles)
    reach = commands.add_parser("reach")
    reach.set_defaults(run=measure_reach)
    for command in (tiles, reach):
        command.add_argument("left", type=Path)
        command.add_argument("right", type=Path)
        command.add_argument("--camera", choices=["pixel4"])
    evaluation = commands.add_parser("evaluation")
    evaluation.add_argument("--pictures", type=int, nargs="+", default=[4, 76])
    evaluation.add_argument("--size", default="1680x1120")
    evaluation.set_defaults(run=measure_evaluation)
    for command in (timing, memory, refinement, tiles, reach, evaluation):
        command.add_argument("--model", default="compact")
    options = parser.parse_args()
    options.run(options)


def measure_command(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = _deblur(Path(name), options.size, ".png", options.model, "--tile", options.tile)
        measured = [_watched(command) for _ in range(options.repeat)]
        seconds, peaks = [m[0] for m in measured], [m[1] for m in measured]
    print(
        f"{options.size}, {options.model}, tile {options.tile}: median {statistics.median(seconds):.2f} s "
        f"({min(seconds):.2f} to {max(seconds):.2f}), peak {max(peaks):.2f} GiB, whole command, {options.repeat} runs"
    )


def measure_memory(options: argparse.Namespace) -> None:
    for size in options.size:
        with tempfile.TemporaryDirectory() as name:
            command = _deblur(Path(name), size, options.suffix, options.model, "--tta", options.tta)
            seconds, peak = _watched(command)
        width, height = (int(side) for side in size.split("x"))
        megapixels = width * height / 1e6
        print(
            f"{size} ({megapixels:.1f} megapixels), 16-bit {options.suffix}, {options.model}: "
            f"peak {peak:.2f} GiB, {seconds:.1f} s, {seconds / megapixels:.2f} s a megapixel",
            flush=True,
        )


def measure_refinement(options: argparse.Namespace) -> None:
    for size in options.size:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for view, kernel in zip(("left", "right"), RampedLens(0.6).kernels(0, 0, [0.5])[0], strict=True):
                np.save(folder / f"blur_kernels_{view}.npy", kernel[None])
            command = [*_deblur(folder, size, ".png", options.model), "--scale", "1"]
            ways = {"alone": [], "known lens": ["--calibration", name], "found lens": ["--find-lens"]}
            for way, arguments in ways.items():
                before = os.times()
                seconds, peak = _watched([*command, *arguments])
                busy = sum(os.times()[2:4]) - sum(before[2:4])  # of children
                print(
                    f"{size}, {options.model}, {way}: {seconds:.1f} s, of processor {busy:.1f} s, {peak:.2f} GiB",
                    flush=True,
                )


def _deblur(folder: Path, size: str, suffix: str, model: str, *options: str) -> list[str]:
    """Write a pair; return the command that deblurs it."""
    width, height = (int(side) for side in size.split("x"))
    _write_pair(folder, height, width, suffix)
    views = [str(folder / f"{side}{suffix}") for side in ("left", "right")]
    output = ["-o", str(folder / f"out{suffix}"), "--overwrite"]
    return [sys.executable, "-m", "dpanet", "deblur", *views, *output, "--model", model, *options]


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
    pair = _read(options)
    pictures = {}
    for tile in (options.tile, 0):
        start = time.perf_counter()
        pictures[tile] = Deblurrer(options.model, tile=tile, precision=options.precision)(pair).pixels
        print(f"tile {tile}: {time.perf_counter() - start:.2f} s")
    if pair.encoding == "linear":
        white = max(float(pair.left.max()), float(pair.right.max()))
        pictures = {tile: linear_to_srgb(pixels / white) for tile, pixels in pictures.items()}
    difference = 255 * np.abs(pictures[options.tile] - pictures[0])
    print(
        f"{pair.left.shape[1]} x {pair.left.shape[0]}: largest difference {difference.max():.2g}/255, "
        f"mean {difference.mean():.2g}/255, 99.99 % below {np.quantile(difference, 0.9999):.2g}/255"
    )


def measure_reach(options: argparse.Namespace) -> None:
    """Compare pictures that are cut at three places of each axis, on either side, with the whole one."""
    pair = _read(options)
    engine = Deblurrer(options.model, precision="float32").engine
    step = engine.description.multiple_of
    exposure = Exposure.of(pair, engine.description.encoding)
    views = [exposure.to_network(view) for view in (pair.left, pair.right)]
    height, width = (side // step * step for side in views[0].shape[:2])
    views = [view[:height, :width] for view in views]
    whole = engine(*views)
    largest = dict.fromkeys(DISTANCES, 0.0)
    for axis, length in enumerate((height, width)):
        for cut in (length // 3 // step * step, length // 2 // step * step, 2 * length // 3 // step * step):
            for side in (slice(cut, None), slice(None, cut)):
                part = (slice(None),) * axis + (side,)
                change = np.abs(engine(*(view[part] for view in views)) - whole[part]).max(axis=2)
                rows = 255 * (change if axis == 0 else change.T).max(axis=1)
                rows = rows if side.start is not None else rows[::-1]  # from the cut edge on
                for distance in DISTANCES:
                    if distance < len(rows):
                        largest[distance] = max(largest[distance], float(rows[distance:].max()))
    print(f"{options.left.name}, {options.model}: largest change in 1/255 from so many px on")
    print(" ".join(f"{distance}: {change:.2f}" for distance, change in largest.items()))


def _read(options: argparse.Namespace) -> DualPixelPair:
    if options.camera:
        return read_raw_pair(options.left, options.right, PIXEL4)
    return read_pair(options.left, options.right)


def _write_pair(folder: Path, height: int, width: int, suffix: str = ".png") -> None:
    """The demo's pair, repeated in mirror images to the size wanted, with some noise."""
    pair, _ = read_demo_pair()
    for name, view in (("left", pair.left), ("right", pair.right)):
        side = np.concatenate([view, view[:, ::-1]], axis=1)
        mirrored = np.concatenate([side, side[::-1]])

        def run(period: np.ndarray = mirrored) -> Strips:
            noise = np.random.default_rng(1)
            for top in range(0, height, 128):
                rows = np.arange(top, min(top + 128, height)) % len(period)
                strip = period[rows][:, np.arange(width) % period.shape[1]]
                yield (strip + noise.normal(0, 0.002, strip.shape)).astype(np.float32)

        picture = PictureRows(RowStream((height, width, 3), np.float32, run), "srgb", {})
        write_picture(picture, folder / f"{name}{suffix}", bits=16)


if __name__ == "__main__":
    main()
