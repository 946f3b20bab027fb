"""Entries of torch.hub: ``torch.hub.load(FOLDER, "compact", source="local")`` in a clone of this repository."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if find_spec("dpanet") is None:  # not installed: taken from this clone
    sys.path.append(str(Path(__file__).parent / "src"))

from dpanet import Deblurrer, load_model
from dpanet.network.base import Network

dependencies = ["numpy", "onnxruntime", "pyvips", "safetensors", "torch"]
"""What has to be installed; torch.hub checks it."""


def compact() -> Network:
    """Return the network `compact`, a torch module that takes two tensors (B, 3, H, W), in evaluation mode."""
    return load_model("compact")


def nano() -> Network:
    """Return the network `nano`, likewise; a sixth of the arithmetic."""
    return load_model("nano")


def deblurrer(name: str = "compact", **options: Any) -> Deblurrer:
    """Return a `dpanet.Deblurrer`, which takes pictures of any size and kind.

    Args:
        name: of the model, as of `Deblurrer.from_pretrained`; also a file, a folder, or ``owner/model`` of the hub.
        **options: of the Deblurrer.
    """
    return Deblurrer.from_pretrained(name, **options)
