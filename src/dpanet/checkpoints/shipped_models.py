"""The models that come with the package, and the identity of files of weights. Standard library only."""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dpanet.checkpoints.model_folder import EXPORTED, QUANTIZED, WEIGHTS, ModelFolder, is_model_folder
from dpanet.errors import WeightsError, shown

SHIPPED = ("compact", "nano")
"""Names whose weights come with the package."""

FINISHED = ("best.safetensors", "model.safetensors")
"""Names of the models in the folder of a training run, the best one first."""


def shipped_file(name: str, suffix: str = ".safetensors") -> Traversable:
    """Return a file of a shipped model: ``.safetensors`` for torch, ``.onnx`` and ``-int8.onnx`` for others."""
    return resources.files("dpanet.checkpoints") / "shipped" / f"{name}{suffix}"


def check_folder(path: str | Path) -> None:
    """Refuse a folder that is no model, before any package is asked for that would read it.

    Raises:
        WeightsError: if the path is a folder, but none of `save_pretrained`.
    """
    folder = Path(path)
    if not folder.is_dir() or is_model_folder(folder):
        return
    for name in (*FINISHED, EXPORTED, QUANTIZED):
        if (folder / name).is_file():
            raise WeightsError(f"{shown(folder)} is a folder, not a model; give {shown(folder / name)}")
    raise WeightsError(
        f"{shown(folder)} is a folder that holds no model; expected {WEIGHTS} or {EXPORTED}, as save_pretrained "
        f"writes them, so give such a folder, a file, or a shipped name ({', '.join(SHIPPED)})"
    )


def weights_hash(source: str | Path) -> str:
    """Return the SHA-256, in hexadecimal digits, of a file or folder of weights or of shipped weights.

    Raises:
        WeightsError: if the file cannot be read.
    """
    try:
        if str(source) in SHIPPED:
            return hashlib.sha256(shipped_file(str(source)).read_bytes()).hexdigest()
        with _weights_file(Path(source)).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{source} cannot be read ({error}); name a file of weights, or a shipped model ({', '.join(SHIPPED)})"
        ) from error


def _weights_file(path: Path) -> Path:
    """Return a file, or of a folder of `save_pretrained` the first of the files that it has."""
    return next(iter(ModelFolder.read(path).files()), path) if is_model_folder(path) else path
