"""Runs of a second: a network of a few hundred weights that has dropout, on simulated or made-up scenes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dpanet.training.loop as loop
from dpanet.checkpoints.model_file import load_model
from dpanet.files.config_table import read_table
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, blur
from dpanet.simulation.scene import Scenes
from dpanet.training.config import TrainingConfig
from dpanet.training.data import OpenedData, ValidationSet
from dpanet.training.pairs_data import PairsData
from dpanet.training.run_folder import RunFolder
from dpanet.training.simulated_data import SimulatedData

SMALL: dict[str, Any] = {
    "steps": 12,
    "batch": 2,
    "seed": 3,
    "log_every": 1,
    "precision": "float32",
    "stages": [{"until": 1.0, "patch": 32}],
    "network": {"preset": "dpdnet-compact", "changes": {"widths": [4, 8], "dropout": 0.4}},
    "data": {
        "photographs": "scikit-image",
        "scenes": {
            "measured": 0.0,
            "pages": 1,
            "layers": [1.0, 0.0, 0.0],
            "slanted": 0.0,
            "print_share": 0.0,
        },
    },
    "optimizer": {"learning_rate": 3e-3, "warmup": 2},
    "validation": {"every": 6, "scenes": 2, "patch": 32, "samples": 1},
}


def merged(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables within tables, the changes over the rest."""
    found = dict(table)
    for key, value in changes.items():
        inner = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if inner else value
    return found


def small(network: dict[str, Any] | None = None, kind: str = "simulated", **changes: Any) -> TrainingConfig:
    """Change `SMALL`; a network, and data of kind ``pairs``, replace what is there."""
    table = SMALL if kind == "simulated" else {**SMALL, "data": {"kind": kind}}
    table = merged(table, changes)
    return read_table(TrainingConfig, table if network is None else {**table, "network": network})


PLAIN = {"preset": "compact", "changes": {"widths": [8, 8], "blocks": [1, 1], "decoder_blocks": [1, 1],
         "decoder_widths": [], "bottleneck_width": 8, "cost_width": 4, "first_aligned": 1}}  # fmt: skip
"""A network without dropout that begins by doing nothing."""


class OneBlur:
    """Fresh blocks of 4 px, always through the same kernels: little to learn, and soon."""

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        cells = (size + 2 * MARGIN) // 4
        drawn = [np.random.default_rng(seed).random((1, cells, cells), dtype=np.float32) for seed in seeds]
        blocks = torch.from_numpy(np.stack(drawn))
        canvas = blocks.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
        kernels = ramped_disc([RampedDisc(2.5)] * len(seeds))
        left, right = blur(canvas, kernels, torch.arange(len(seeds)))
        return Scenes(left, right, canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN], None)


Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Train on this source, whatever the config say."""

    def call(source: Any, epoch: int | None = None, judged: Any = None) -> None:
        judges = OneBlur() if judged is None else judged

        def opened(data: object, config: TrainingConfig, device: object) -> OpenedData:
            validation = ValidationSet(judges, config.validation.scenes, config.validation.patch)
            return OpenedData(source, validation, epoch, "made-up scenes")

        for kind in (SimulatedData, PairsData):
            monkeypatch.setattr(kind, "open", opened)

    return call


def trained(path: Path, config: TrainingConfig) -> Path:
    """A new run to its end."""
    assert loop.train(RunFolder.create(path, config), lambda line: None) == "finished"
    return path


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Of a run's folder, or of a file."""
    return load_model(path / "model.safetensors" if path.is_dir() else path).state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
