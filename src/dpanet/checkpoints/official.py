"""Read official checkpoints: without running code, parameters renamed, BGR converted to RGB."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path

import torch
from torch import Tensor

from dpanet.checkpoints.model_file import load_weights, save_model
from dpanet.errors import OutputError, WeightsError
from dpanet.network.dpanet import DPANet
from dpanet.network.presets import preset

STATE_KEY = "G_state_dict"
"""Key of the weights in the official file; the others are epoch, global_step and G_opt."""

_RULES: tuple[tuple[str, str], ...] = (
    (r"predeblur\.conv_first\.", r"features.first."),
    (r"predeblur\.deblur_L(\d)_conv\.", r"features.down\1."),
    (r"predeblur\.RB_L3_1\.", r"features.level3."),
    (r"predeblur\.RB_L(\d)_(\d)\.", r"features.level\1.#\2."),
    (r"encoder\.encoder(\d)\.block\.block\.", r"encoder.#\1.block."),
    (r"encoder\.encoder(\d)\.offset_([lr])\.offset_conv\.", r"encoder.#\1.eam.offset_mask_\2.conv."),
    (r"encoder\.encoder(\d)\.flow_conv\.", r"encoder.#\1.eam.cost."),
    (r"encoder\.encoder(\d)\.deform\.", r"encoder.#\1.eam.deform."),
    (r"encoder_5\.block\.", r"bottleneck."),
    (r"up(\d)\.upsample\.up\.1\.", r"decoder.#\1.up.conv."),
    (r"up(\d)\.offset_([lr])\.", r"decoder.#\1.dam.offset_mask_\2.conv."),
    (r"up(\d)\.deform_([lr])\.", r"decoder.#\1.dam.deform_\2."),
    (r"up(\d)\.cv\.", r"decoder.#\1.block."),
    (r"out\.0\.", r"head.conv."),
    (r"out\.2\.", r"head.last."),
)
"""Official prefix -> ours. Levels count from 1 there and, where `#` stands, from 0 here."""


def rename(official: str) -> str | None:
    """Return our name of an official parameter (without ``module.``), or None if there is none."""
    for pattern, replacement in _RULES:
        name, found = re.subn("^" + pattern, replacement, official)
        if found:
            name = re.sub(r"#(\d)", lambda m: str(int(m[1]) - 1), name)
            name = name.replace("_l.", "_left.").replace("_r.", "_right.")
            name = name.replace(".conv_block.0.", ".conv.")
            return re.sub(r"\.RB_(\d)\.", lambda m: f".residual.{int(m[1]) - 1}.", name)
    return None


def read_official(path: Path) -> DPANet:
    """Load the published network from an official checkpoint, converted to RGB, in evaluation mode.

    The file is a pickle; it is read by torch's restricted unpickler, which builds tensors and containers only.

    Raises:
        WeightsError: if the file is missing, damaged, of another network, or needs to run code.
    """
    state = _state(path)
    tensors: dict[str, Tensor] = {}
    for official, tensor in state.items():
        ours = rename(official.removeprefix("module."))
        if ours is None:
            raise WeightsError(
                f"{path} is a checkpoint of another network: the published one has no {official!r}; "
                "give an official DPANet checkpoint"
            )
        tensors[ours] = tensor.float()
    first, last = "features.first.weight", "head.last"
    if {first, f"{last}.weight", f"{last}.bias"} <= tensors.keys():  # official channels are BGR
        tensors[first] = tensors[first].flip(1)
        tensors[f"{last}.weight"] = tensors[f"{last}.weight"].flip(0)
        tensors[f"{last}.bias"] = tensors[f"{last}.bias"].flip(0)
    return load_weights(DPANet(preset("paper")), tensors, path)


def convert_official(source: Path, target: Path, overwrite: bool = False) -> None:
    """Convert an official checkpoint to a file of `save_model`.

    Args:
        source: official checkpoint.
        target: file to be written.
        overwrite: whether it may exist already.

    Raises:
        WeightsError: as `read_official`.
        OutputError: if `target` exists (without `overwrite`) or cannot be written.
    """
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists already; choose another name or pass --overwrite")
    save_model(read_official(source), target)


def _state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; give the path of an official checkpoint")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a hint that an old pickle protocol might not be readable
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"Unsupported (?:global|class)\S*:? (?:GLOBAL )?([\w.]+)", str(error))
        if asked:
            raise WeightsError(
                f"{path} was refused: it asks for {asked[1]}, not only for tensors and containers, and could run "
                "code; get the file from a source you trust"
            ) from error
        raise WeightsError(f"{path} is damaged or no checkpoint; download it again") from error
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged pickle makes the unpickler stumble over
        raise WeightsError(f"{path} is damaged or no checkpoint; download it again") from error
    state = content.get(STATE_KEY, content) if isinstance(content, dict) else None
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items())
    ):
        run = isinstance(content, dict) and "averaged" in content
        advice = "give an official DPANet checkpoint"
        if run:
            advice = f"it is the state of a training run, so give {path.parent / 'model.safetensors'}"
        raise WeightsError(f"{path} holds no weights under {STATE_KEY!r}; {advice}")
    return state
