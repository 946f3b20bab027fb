"""The official checkpoint's form, filled with repeatable numbers: each tensor depends on its name alone."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).parent.parent / "golden" / "official"


def shapes() -> dict[str, list[int]]:
    read: dict[str, list[int]] = json.loads((GOLDEN / "shapes.json").read_text())
    return read


def filled(name: str, shape: list[int]) -> np.ndarray:
    """A standard normal keyed by the SHA-256 of `name`, scaled by what the parameter is."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    draw = np.random.Generator(np.random.Philox(key=key)).standard_normal(shape)
    if name.endswith("bias"):
        return (0.02 * draw).astype(np.float32)
    gain = 0.4 if ".conv2." in name else 1.3
    gain = 1.5 if "offset" in name else gain
    gain *= 0.5 if name.startswith("out.2.") else 1.0
    return (gain / math.sqrt(math.prod(shape[1:])) * draw).astype(np.float32)


def weights() -> dict[str, torch.Tensor]:
    return {f"module.{name}": torch.from_numpy(filled(name, shape)) for name, shape in shapes().items()}


def write(path: Path, state: dict[str, torch.Tensor] | None = None) -> None:
    """As the official file: weights under G_state_dict beside the optimiser's and counters."""
    state = weights() if state is None else state
    optimiser = {"state": {}, "param_groups": [{"lr": 2e-5, "betas": (0.9, 0.999), "params": [0]}]}
    torch.save({"epoch": 151, "global_step": 150, "G_state_dict": state, "G_opt": optimiser}, path)
