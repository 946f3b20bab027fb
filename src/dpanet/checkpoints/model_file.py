"""Save and load models as safetensors files, with the config in their metadata."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from dpanet.checkpoints.checksum import NOT_STATED, check_file, check_shipped, state_checksum
from dpanet.checkpoints.model_folder import ModelFolder, is_model_folder
from dpanet.checkpoints.shipped_models import SHIPPED, check_folder, shipped_file
from dpanet.errors import ConfigError, WeightsError
from dpanet.files.output import atomic_output
from dpanet.network.base import Network
from dpanet.network.families import from_config
from dpanet.network.old_names import rename_parameters

FORMAT = "dpanet-1"
"""Value of the metadata key ``format``.

The other keys are ``config``, JSON of the network's config, and ``network``, its family (a key of
`dpanet.network.families.FAMILIES`; ``dpanet`` if it is missing), and ``sha256``, by which a damaged file is noticed.
"""

Loaded = TypeVar("Loaded", bound=Network)


def save_model(network: Network, path: Path | str, dtype: torch.dtype = torch.float32) -> None:
    """Write a network to a .safetensors file, which appears whole or not at all and replaces an older one.

    Args:
        network: any network of this package.
        path: of the file.
        dtype: of the stored numbers; `load_model` returns float32 whatever it is.

    Raises:
        OutputError: if the file cannot be written.

    >>> from dpanet import load_model, save_model
    >>> save_model(load_model("compact"), "copy.safetensors")
    >>> load_model("copy.safetensors").description.has_defocus
    True
    """
    tensors = {name: t.detach().to("cpu", dtype).contiguous() for name, t in network.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "network": network.family,
        "config": json.dumps(network.config.to_dict()),
        "sha256": NOT_STATED,
    }
    with atomic_output(path, overwrite=True) as unfinished:
        unfinished.write_bytes(_sort_header(save(tensors, metadata)))
        state_checksum(unfinished)


def _sort_header(file: bytes) -> bytes:
    """Return the contents of a safetensors file with its header sorted; the library's own order is random."""
    end = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[end:]


def load_model(source: str | Path) -> Network:
    """Return the network of a shipped name or of a file, ready to deblur (float32, evaluation mode).

    Args:
        source: a name of `SHIPPED`; a .safetensors file of `save_model`; a folder of `Deblurrer.save_pretrained`; or
            an official checkpoint (.pth, .pt, .tar), which is converted in memory without running code in it.

    Raises:
        WeightsError: if there is no such name or file, or if the file is damaged or of another network.

    >>> from dpanet import load_model
    >>> load_model("compact").description.multiple_of
    32
    """
    if str(source) in SHIPPED:
        check_shipped(str(source))
        with resources.as_file(shipped_file(str(source))) as path:
            return read_model(path)
    path = Path(source)
    if is_model_folder(path):
        path = ModelFolder.read(path).choose("torch", only=True)
    check_folder(path)
    if not path.is_file():
        raise WeightsError(
            f"there is no model {str(source)!r}; name a shipped one ({', '.join(SHIPPED)}) or an existing file"
        )
    if path.suffix.lower() in (".pth", ".pt", ".tar"):
        from dpanet.checkpoints.official import read_official

        return read_official(path)
    return read_model(path)


def read_model(path: Path) -> Network:
    """Load a network from a file of `save_model`, in float32 and evaluation mode.

    Raises:
        WeightsError: naming the file, if it is damaged or of another network.
    """
    check_file(path)
    try:
        tensors = {name: tensor.float() for name, tensor in load(path.read_bytes()).items()}
        metadata = _read_metadata(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is no readable safetensors file ({error}); download or convert it again"
        ) from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(
            f"{path} is a checkpoint of another network (no {FORMAT!r} in its metadata); "
            "give a file written by dpanet, or convert an official one with `dpanet convert`"
        )
    try:
        network = from_config(metadata.get("network", "dpanet"), json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError, RuntimeError, ConfigError) as error:
        raise WeightsError(f"{path} carries an unusable configuration ({error}); convert it again") from error
    return load_weights(network, tensors, path)


def is_ours(path: Path) -> bool:
    """Return whether a file was written by `save_model`; only its header is read."""
    try:
        return _read_metadata(path).get("format") == FORMAT
    except (OSError, ValueError):
        return False


def _read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file; the library's own reader takes only paths that are UTF-8.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it has no such header.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("its header is longer than the file")
        header = json.loads(file.read(length))
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def load_weights(network: Loaded, tensors: dict[str, torch.Tensor], path: Path) -> Loaded:
    """Load `tensors` into a network whose names and shapes they match exactly; return it in evaluation mode.

    Args:
        network: to be changed.
        tensors: by the name of the parameter, today's or an earlier one.
        path: of their file, for errors.

    Raises:
        WeightsError: naming the file and the first parameter that differs.
    """
    tensors = rename_parameters(tensors)
    expected = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    actual = {name: tuple(t.shape) for name, t in tensors.items()}
    wrong = sorted(n for n in expected.keys() | actual.keys() if expected.get(n) != actual.get(n))
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{path} is a checkpoint of another network: {name} should be {expected.get(name, 'absent')} "
            f"and is {actual.get(name, 'absent')} ({len(wrong)} such differences); give one of this network"
        )
    network.load_state_dict(tensors)
    network.eval()
    return network
