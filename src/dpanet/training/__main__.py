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
from dpanet.simulation.scene import Simulator
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
    for f in fields(TrainingSettings):
        if f.name != "scenes":
            parser.add_argument(f"--{f.name.replace('_', '-')}", type=type(f.default), default=f.default)
    given = vars(parser.parse_args())
    settings = replace(
        TrainingSettings(), **{f.name: given[f.name] for f in fields(TrainingSettings) if f.name in given}
    )
    train_names, validation_names = _split(given["photographs"])
    measured = MeasuredKernels.read(given["kernels"]) if given["kernels"] else None
    photographs = read_photographs(given["photographs"], train_names)
    simulator = Simulator(photographs, measured, settings.scenes, given["device"])
    validation = None
    if validation_names:
        held_out = Simulator(
            read_photographs(given["photographs"], validation_names),
            measured,
            replace(settings.scenes, pages=20),
        )
        validation = held_out.batch(np.random.default_rng(7), 24, 256)
    run = Run(settings, given["output"], given["device"])
    print(
        f"{sum(p.numel() for p in run.network.parameters()):,} parameters, {len(photographs)} photographs, "
        f"step {run.step} of {settings.steps}, {torch.get_num_threads()} threads",
        flush=True,
    )
    run.train(simulator, validation)


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
