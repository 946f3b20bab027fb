"""Measure simulated pairs a second, streamed to a training loop and written to a folder.

python benchmarks/simulation.py [--photographs FOLDER] [--kernels FOLDER] [--device D] [--threads N] [--size PX]
    By default ramped discs and the photographs of scikit-image; with --kernels, as many scenes through the measured
    lens as the default config of scenes draws. Streamed: `Simulator.scenes`, --batch at a time, on N threads.
    Written: what `dpanet simulate` does, without the start of its N processes. Pairs a second of processor time are
    what an idle core would do, where other programs run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from dpanet.datasets.photographs import find_photographs
from dpanet.simulation.config import PsfConfig, SimulationConfig
from dpanet.simulation.generator import SceneGenerator
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.photo_cache import PhotoCache
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.scene_folder import SceneFolder, write_scene
from dpanet.simulation.workers import write_scenes

PAGES = 20
"""Number of printed pages: fewer than in training, for a short start."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--kernels", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = options.photographs or write_sample_photographs(Path(name) / "photographs")
        files = find_photographs(folder)
        report = {
            "photographs": len(files),
            "kernels": "ramped-disc" if options.kernels is None else "measured",
            "size": options.size,
            "device": options.device,
            "threads": options.threads,
            "streamed": measure_streamed(options, files),
            "written": measure_written(options, files, Path(name)),
        }
    print(json.dumps(report, indent=1))


def write_sample_photographs(folder: Path) -> Path:
    """Write the photographs that scikit-image ships to a folder, and return it."""
    from skimage.data import astronaut, chelsea, coffee, rocket

    folder.mkdir()
    for picture in (astronaut, chelsea, coffee, rocket):
        pixels = picture()  # type: ignore[no-untyped-call]
        cv2.imwrite(str(folder / f"{picture.__name__}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return folder


def measure_streamed(options: argparse.Namespace, files: tuple[Path, ...]) -> dict[str, float]:
    measured = None if options.kernels is None else MeasuredKernels.read(options.kernels)
    simulator = Simulator(PhotoCache(files), measured, SceneConfig(pages=PAGES), options.device)

    def batch(step: int) -> None:
        seeds = [[1, step, scene] for scene in range(options.batch)]
        np.asarray(simulator.scenes(seeds, options.size).left.sum().cpu())  # waits for the device

    batch(0)
    steps = max(options.pairs // options.batch, 1)
    clock = Clock()
    for step in range(1, 1 + steps):
        batch(step)
    return clock.rates(steps * options.batch)


def measure_written(options: argparse.Namespace, files: tuple[Path, ...], folder: Path) -> dict[str, float]:
    psf = PsfConfig() if options.kernels is None else PsfConfig("measured", options.kernels)
    config = SimulationConfig(files, 1, options.size, psf, SceneConfig(pages=PAGES))
    target = folder / "scenes"
    if options.threads == 1:
        generator = SceneGenerator(config)
        SceneFolder(target, config)
        for index in range(PAGES):
            write_scene(generator.generate(index), target, index)
        clock = Clock()
        for index in range(PAGES, PAGES + options.pairs):
            write_scene(generator.generate(index), target, index)
        return clock.rates(options.pairs)
    finished: list[float] = []
    write_scenes(
        config,
        SceneFolder(target, config),
        PAGES + options.pairs,
        options.threads,
        lambda index: finished.append(time.perf_counter()),
    )
    shutil.rmtree(target)
    return {"a second": round(options.pairs / (finished[-1] - finished[PAGES - 1]), 2)}


class Clock:
    """Measures wall and processor time since it was built."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()

    def rates(self, pairs: int) -> dict[str, float]:
        """Return pairs a second of both."""
        return {
            "a second": round(pairs / (time.perf_counter() - self.wall), 2),
            "a second of processor time": round(pairs / (time.process_time() - self.processor), 2),
        }


if __name__ == "__main__":
    main()
