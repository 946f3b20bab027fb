"""Test the paper's claim that alignment pays, at equal compute: short trainings of `compact` without its parts.

    python benchmarks/claim.py PHOTOGRAPHS --kernels CALIBRATION -o RUNS [--seeds 1 2 3] [--only NAME ...] [--table]

Each variant is `compact` without one of its parts, its decoder widened until it has as many multiply-adds a pixel
again. Trains each with each seed (the same scenes for all variants of a seed) in RUNS/NAME-SEED; what is finished
there is left, what was stopped goes on. Prints the gain on held-out simulated scenes, dB: mean over the seeds, and
the difference from `full` with its 95 % interval (Student's t over the seeds). --table trains nothing.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from dpanet.network import Network, build


@dataclass(frozen=True)
class Variant:
    """A network of the comparison."""

    preset: str = "compact"
    changes: tuple[tuple[str, Any], ...] = ()


VARIANTS = {
    "full": Variant(),
    "no-eam": Variant(changes=(("eam", False), ("decoder_widths", (34, 66, 132, 192)))),
    "no-dam": Variant(changes=(("dam", False), ("decoder_widths", (32, 68, 136, 192)))),
    "no-alignment": Variant(changes=(("eam", False), ("dam", False), ("decoder_widths", (34, 72, 132, 200)))),
    "no-correlation": Variant(changes=(("correlation", False), ("decoder_widths", (32, 66, 128, 192)))),
    "cosine": Variant(changes=(("similarity", "cosine"),)),
    "unshared": Variant(changes=(("shared_encoder", False),)),
    "single-view": Variant(changes=(("single_view", True),)),
    "plain-unet": Variant("unet-compact"),
}
"""`full` first; the others are compared with it. Interpretation: `single-view` sees the mean of the views alone."""

SETTINGS = (
    "batch=8",
    "ema_decay=0.995",
    "optimizer.warmup=100",
    "data.scenes.radius=22.0",
    "data.scenes.gray=0.4",
    "data.scenes.soft=0.5",
    "data.scenes.mild_ramp=0.8",
    "data.scenes.nearly_sharp=0.12",
    "data.scenes.developed=0.5",
    "validation.scenes=48",
    "validation.patch=192",
)
"""Of every training, over those of the config `compact`: the scenes of the shipped weights' last stage."""

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}
"""Two-sided 95 % quantile of Student's t, by the number of seeds."""


def main() -> None:
    """Train what is not trained, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--kernels", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--patch", type=int, default=160)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for seed in () if options.table else options.seeds:
        for name in options.only:
            train(name, seed, options)
    gains = {
        name: {
            seed: gain
            for seed in options.seeds
            if (gain := read_gain(options.output / f"{name}-{seed}")) is not None
        }
        for name in VARIANTS
    }
    print(f"{'':15}  kMAC  parameters  gain, dB  from full, dB")
    for name, by_seed in gains.items():
        print(describe(name, by_seed, gains["full"]))


def train(name: str, seed: int, options: argparse.Namespace) -> None:
    """Train one variant with one seed to its end."""
    folder, variant = options.output / f"{name}-{seed}", VARIANTS[name]
    if read_gain(folder) is not None:
        return
    settings = [
        f"network.preset={variant.preset}",
        *(f"network.changes.{key}={_toml(value)}" for key, value in variant.changes),
        *SETTINGS,
        f"seed={seed}",
        f"steps={options.steps}",
        f"validation.every={options.steps}",
        f"stages=[{{until = 1.0, patch = {options.patch}}}]",
        f"data.photographs={options.photographs}",
        f"data.kernels={options.kernels}",
    ]
    begin = ["compact", "-o", str(folder), "--set", *settings]
    command = ["--resume", str(folder)] if (folder / "checkpoint.pt").exists() else begin
    print(f"{name}, seed {seed}", flush=True)
    subprocess.run([sys.executable, "-m", "dpanet", "train", *command], check=True)


def _toml(value: Any) -> str:
    return (
        str(list(value) if isinstance(value, tuple) else value)
        .replace("True", "true")
        .replace("False", "false")
    )


def read_gain(folder: Path) -> float | None:
    """Return the gain of the only validation in dB, which ends a run, or None if it has not ended."""
    if not (folder / "log.csv").exists():
        return None
    lines = (folder / "log.csv").read_text("utf-8").splitlines()
    rows = [row for row in csv.DictReader(line for line in lines if line[:1] != "#") if row["psnr"]]
    return float(rows[-1]["psnr"]) - float(rows[-1]["nothing"]) if rows else None


def describe(name: str, gains: dict[int, float], full: dict[int, float]) -> str:
    """Return a line of the table."""
    network = create(VARIANTS[name])
    parameters = sum(parameter.numel() for parameter in network.parameters())
    line = f"{name:15} {count_multiply_adds(network) / 1000:5.1f} {parameters:11,}"
    if gains:
        line += f"  {statistics.mean(gains.values()):+8.3f}"
    differences = [gain - full[seed] for seed, gain in gains.items() if seed in full]
    if name != "full" and len(differences) in STUDENT:
        half = STUDENT[len(differences)] * statistics.stdev(differences) / math.sqrt(len(differences))
        line += f"  {statistics.mean(differences):+.3f} +- {half:.3f} ({len(differences)} seeds)"
    return line


def create(variant: Variant) -> Network:
    """Return a network with new weights."""
    network = build(variant.preset)
    if not variant.changes:
        return network
    return type(network)(replace(network.config, name="custom", **dict(variant.changes)))


def count_multiply_adds(network: Network, side: int = 256) -> float:
    """Return the multiply-adds of convolutions and matrix products for one pixel."""
    view = torch.zeros(1, 3, side, side)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(view, view)
    return float(counter.get_total_flops()) / 2 / side**2


if __name__ == "__main__":
    main()
