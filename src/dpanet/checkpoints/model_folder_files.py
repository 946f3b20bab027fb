"""The files of a model that is saved as a folder. No torch but to write weights from memory."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from dpanet.checkpoints.checksum import NOT_STATED, state_checksum
from dpanet.checkpoints.embedded_weights import embed_weights
from dpanet.checkpoints.model_folder import EXPORTED, FILES, QUANTIZED, WEIGHTS, ModelFolder, is_model_folder
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.errors import ConfigError, WeightsError, shown


def write_files(model: object, folder: Path, *, network: object, int8: bool) -> None:
    """Write the files of a model into its folder: those that it has, or its weights.

    Args:
        model: what it was loaded from: a shipped name, a file, a folder; or the network itself.
        folder: to be filled.
        network: the torch network, if torch has loaded it.
        int8: whether the model computes in int8.

    Raises:
        ConfigError: for a network or a file that has no place in such a folder.
        WeightsError: if a file is damaged.
    """
    if not isinstance(model, str | Path):
        _save_network(model, folder / WEIGHTS)
        return
    path = Path(model)
    if str(model) in SHIPPED:
        for name, suffix in zip(FILES, (".safetensors", ".onnx", "-int8.onnx"), strict=True):
            if (shipped := shipped_file(str(model), suffix)).is_file():
                with resources.as_file(shipped) as file:
                    _copy(file, folder / name)
    elif is_model_folder(path):
        for file in ModelFolder.read(path).files():
            _copy(file, folder / file.name)
    elif path.suffix.lower() == ".safetensors":
        _copy(path, folder / WEIGHTS)
    elif path.suffix.lower() == ".onnx":
        _copy(path, folder / (QUANTIZED if int8 else EXPORTED))
    elif path.suffix.lower() == ".xml":
        raise ConfigError(
            f"{shown(path)} is a file for OpenVINO alone; give the .safetensors file, or one that "
            "`dpanet export --format onnx` wrote"
        )
    else:  # an official checkpoint
        _save_network(network, folder / WEIGHTS)


def _copy(file: Path, to: Path) -> None:
    """Copy a file of a model; an ONNX file with the weights that it reads from the file beside it."""
    if file.suffix.lower() != ".onnx":
        shutil.copyfile(file, to)
        return
    try:
        to.write_bytes(embed_weights(file))
    except ValueError as error:
        raise WeightsError(f"{shown(file)} cannot be copied ({error}); export it again") from error
    if NOT_STATED.encode() in to.read_bytes():
        state_checksum(to)


def _save_network(network: object, file: Path) -> None:
    """Write a network to a .safetensors file."""
    from dpanet.checkpoints.model_file import save_model
    from dpanet.network.base import Network

    if not isinstance(network, Network):
        raise ConfigError(
            f"the model is a {type(network).__name__}, no network of dpanet; save it by yourself"
        )
    save_model(network, file)
