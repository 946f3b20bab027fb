"""The engine of ONNX Runtime: an exported network on the processor or an accelerator. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.checkpoints.checksum import check_file
from dpanet.checkpoints.exported_model import KEY, ExportedModel
from dpanet.checkpoints.onnx_metadata import read_metadata
from dpanet.engines.exported_engine import ExportedEngine
from dpanet.engines.onnx_runtime import onnxruntime
from dpanet.engines.processor import INT8, count_cores, instruction_sets
from dpanet.errors import ConfigError, WeightsError
from dpanet.network.description import Description
from dpanet.pair import Pixels

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
"""What ONNX Runtime calls each device."""

_MOST_CALLS = 2
"""Calls at the same time; each needs the memory of a tile."""

_LEAN = 2_000_000
"""Least `Description.tile_pixels` of networks that gain by calls at the same time, whose tiles take up to 200 bytes a
pixel. Others lose by twice the memory what they gain."""

_QUIET = 4
"""Severity of messages to print: fatal ones. Errors come as exceptions too."""


class OnnxEngine(ExportedEngine):
    """Run an ONNX file of `dpanet export` on arrays; see `Engine`.

    Args:
        path: of the file.
        device: a key of `PROVIDERS`; ``auto`` is the processor.
        threads: that compute; None for all physical cores.
        reuse_memory: of no effect: ONNX Runtime keeps the memory of a run for the next one.
        passes: mirror images that will be run of each pair; ``auto``: as the network describes itself. Of a network
            that needs little memory, two passes at the same time share the threads, so that each uses one less.
        callers: threads that will call it at the same time. They share `threads`, and run the passes of their pairs
            one after the other.

    Raises:
        WeightsError: if the file is damaged or was not written by `dpanet export`.
        ConfigError: if this build of ONNX Runtime does not know the device.
    """

    name = "onnxruntime"
    version: str = onnxruntime.__version__

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        reuse_memory: bool = False,
        passes: int | Literal["auto"] = 1,
        callers: int = 1,
    ) -> None:
        self.device = "cpu" if device == "auto" else device
        cores = threads or count_cores()
        network = _read_description(path)
        is_lean = network is not None and network.tile_pixels >= _LEAN
        if network is not None and is_lean and self.device == "cpu" and cores > 1 and callers == 1:
            self.parallel_calls = min(_MOST_CALLS, network.tta if passes == "auto" else passes)
        options = onnxruntime.SessionOptions()
        # a call computes in its own thread and in those of the session, one less than this number, which calls share
        options.intra_op_num_threads = max(1, cores - (max(self.parallel_calls, callers) - 1))
        options.inter_op_num_threads = 1
        if not is_lean:
            # of larger networks, threads that sleep while they wait cost less than threads that spin
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _QUIET
        # a pattern takes all memory of a run once more; the arena alone is as fast
        options.enable_mem_pattern = False
        if not INT8 & instruction_sets():
            # sums of bytes would saturate on AVX2; with VNNI this would only be slow
            options.add_session_config_entry("session.x64quantprecision", "1")
        provider = _provider(self.device)
        check_file(path)
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=[provider])
        except Exception as error:  # of many classes, which ONNX Runtime does not name in public
            reason = _first_line(error)
            if "xternal data" in reason:
                raise WeightsError(
                    f"{path} is a file that ships with the package, and its weights are in the .safetensors file "
                    "beside it there; name the model, or export it with `dpanet export`"
                ) from error
            raise WeightsError(
                f"{path} cannot be loaded by ONNX Runtime ({reason}); export it again"
            ) from error
        if provider not in self._session.get_providers():  # it takes the processor without a word
            raise ConfigError(
                f"device is {device!r}, but ONNX Runtime cannot use it here; install what its build needs, or choose "
                "cpu"
            )
        self.model = ExportedModel.from_json(
            self._session.get_modelmeta().custom_metadata_map.get(KEY), str(path)
        )

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return self.model.precision

    def _compute(self, views: dict[str, Pixels], names: list[str]) -> list[NDArray[np.float32]]:
        outputs: list[NDArray[np.float32]] = self._session.run(names, views)
        return outputs


def _read_description(path: Path) -> Description | None:
    """Return the network's description, or None if the file cannot be read, which loading it explains."""
    try:
        return ExportedModel.from_json(read_metadata(path, KEY), str(path)).description
    except (OSError, WeightsError):
        return None


def _provider(device: str) -> str:
    """Return ONNX Runtime's name of a device. Raises: ConfigError if this build does not have it."""
    there = onnxruntime.get_available_providers()
    if device.partition(":")[0] not in PROVIDERS:
        names = ", ".join(PROVIDERS)
        raise ConfigError(f"device is {device!r}; it must be one of auto, {names} with ONNX Runtime")
    present = [name for name, provider in PROVIDERS.items() if provider in there]
    if device not in present:
        raise ConfigError(
            f"device is {device!r}, but ONNX Runtime has only {', '.join(present)} here; choose one of "
            "these, install a build of ONNX Runtime that has it, or use `--engine torch`"
        )
    return PROVIDERS[device]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
