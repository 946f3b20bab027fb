"""`python -m dpanet.training --photographs FOLDER --kernels FOLDER -o RUN`: train on simulated pairs.

Set MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 on Linux: without it page faults take most of
the time. A run that was stopped goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

from dpanet.simulation.content import read_photographs
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.simulation.scene import SceneSettings, Simulator
from dpanet.training.loop import Run
from dpanet.training.settings import TrainingSettings


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        prog="python -m dpanet.training", description="Train on simulated pairs."
    )
    parser.add_argument("--photographs", type=Path, required=True, help="folder of sharp photographs")
    parser.add_argument("--kernels", type=Path, help="folder of measured kernels; half discs only without it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="run folder, resumed if it exists")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", type=Path, help="model file whose weights a new run begins with")
    for f in fields(TrainingSettings):
        if f.name != "scenes":
            parser.add_argument(f"--{f.name.replace('_', '-')}", type=type(f.default), default=f.default)
    given = vars(parser.parse_args())
    settings = replace(
        TrainingSettings(), **{f.name: given[f.name] for f in fields(TrainingSettings) if f.name in given}
    )
    simulator, held_out = simulators(given["photographs"], given["kernels"], settings.scenes, given["device"])
    validation = None if held_out is None else held_out.batch(np.random.default_rng(7), 24, 256)
    run = Run(settings, given["output"], given["device"], given["start"])
    print(
        f"{sum(p.numel() for p in run.network.parameters()):,} parameters, {len(simulator.photographs)} photographs, "
        f"step {run.step} of {settings.steps}, {torch.get_num_threads()} threads",
        flush=True,
    )
    run.train(simulator, validation)


def simulators(
    folder: Path, kernels: Path | None, scenes: SceneSettings | None = None, device: str = "cpu"
) -> tuple[Simulator, Simulator | None]:
    """Of the photographs of a folder: one for training, one for validation where photographs are kept apart."""
    scenes = scenes or SceneSettings()
    train_names, validation_names = _split(folder)
    measured = MeasuredKernels.read(kernels) if kernels else None
    simulator = Simulator(read_photographs(folder, train_names), measured, scenes, device)
    if not validation_names:
        return simulator, None
    held_out = read_photographs(folder, validation_names)
    return simulator, Simulator(held_out, measured, replace(scenes, pages=20))


def _split(folder: Path) -> tuple[list[str] | None, list[str]]:
    """Names for training and validation from `SOURCES.csv` (columns file, split), if there is one."""
    sources = folder / "SOURCES.csv"
    if not sources.exists():
        return None, []
    with sources.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [r["file"] for r in rows if r["split"] == "train"], [
        r["file"] for r in rows if r["split"] != "train"
    ]


if __name__ == "__main__":
    main()
