"""The engine of OpenVINO: an exported network in float32 or bfloat16. No torch."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset8
from openvino.frontend import NodeContext
from openvino.frontend.onnx import ConversionExtension

from dpanet.checkpoints.checksum import check_file
from dpanet.checkpoints.exported_model import KEY, ExportedModel
from dpanet.engines.exported_engine import ExportedEngine
from dpanet.engines.processor import BFLOAT16, count_cores, instruction_sets
from dpanet.errors import ConfigError, WeightsError
from dpanet.pair import Pixels

_HINTS = {"float32": "f32", "bfloat16": "bf16"}
"""OpenVINO's names of the precisions; without a hint it takes bfloat16 silently where that is fast."""


class OpenVinoEngine(ExportedEngine):
    """Run an exported file (.onnx, or OpenVINO's .xml and .bin) on arrays; see `Engine`.

    Args:
        path: of the file.
        precision: ``auto`` (bfloat16 where the processor multiplies it, but float32 for the published network),
            ``float32``, ``bfloat16``.
        device: ``auto`` or ``cpu``.
        threads: that compute; None for all physical cores.
        reuse_memory: has no effect; OpenVINO keeps its memory.

    Raises:
        WeightsError: if the file is damaged or was not written by `dpanet export`.
        ConfigError: for another device or precision.
    """

    name = "openvino"
    version: str = openvino.__version__.partition("-")[0]

    def __init__(
        self,
        path: Path,
        *,
        precision: str = "auto",
        device: str = "auto",
        threads: int | None = None,
        reuse_memory: bool = False,
    ) -> None:
        if device not in ("auto", "cpu"):
            raise ConfigError(f"device is {device!r}; with OpenVINO it must be auto or cpu")
        if precision not in ("auto", *_HINTS):
            raise ConfigError(
                f"precision is {precision!r}; with OpenVINO it must be auto, float32 or bfloat16"
            )
        check_file(path)
        try:
            network, metadata = read_network(path)
            self.model = ExportedModel.from_json(metadata, str(path))
            if precision == "auto":
                fast = BFLOAT16 & instruction_sets() and not self.model.description.whole_image
                precision = "bfloat16" if fast else "float32"
            self.device, self.precision = "cpu", precision
            options = {
                "INFERENCE_PRECISION_HINT": _HINTS[precision],
                "INFERENCE_NUM_THREADS": threads or count_cores(),
                "PERFORMANCE_HINT": "LATENCY",
            }
            self._request = openvino_core().compile_model(network, "CPU", options).create_infer_request()
            self._running = threading.Lock()  # a request takes one run at a time
        except RuntimeError as error:
            first = (str(error).strip().splitlines() or ["no reason"])[-1]
            raise WeightsError(f"{path} cannot be loaded by OpenVINO ({first}); export it again") from error

    def _compute(self, views: dict[str, Pixels], names: list[str]) -> list[NDArray[np.float32]]:
        with self._running:
            outputs = self._request.infer(views)  # copies
        return [outputs[name] for name in names]


def read_network(path: Path) -> tuple[Any, str | None]:
    """Read a file without compiling it.

    Args:
        path: of an ONNX file, or of OpenVINO's .xml.

    Returns:
        OpenVINO's model, and the JSON of an `ExportedModel`, or None if the file has none.
    """
    network = openvino_core().read_model(path)
    for place in ([KEY], ["framework", KEY]):  # where our .xml has it, and where the reader of ONNX puts it
        if network.has_rt_info(place):
            return network, str(network.get_rt_info(place).astype(str))
    return network, None


def openvino_core() -> Any:
    """OpenVINO's entry, which also reads ONNX's DeformConv; one, never freed while the process lives.

    Its plugin for processors gives the thread that loads it a stack for signal handlers, and frees that
    stack when the last network goes: if another thread lets it go, the next signal, such as Ctrl-C, crashes.
    """
    with _LOADING:  # threads that ask at the same time would load one each, and let all but one go
        return _load_core()


_LOADING = threading.Lock()


@cache
def _load_core() -> Any:
    core = openvino.Core()
    core.add_extension(ConversionExtension("DeformConv", _convert_deformable))
    return core


def _convert_deformable(node: NodeContext) -> list[Any]:
    """Convert ONNX's DeformConv, which OpenVINO's reader does not know, to OpenVINO's own operation."""
    features, weight, offsets, bias, mask = (node.get_input(i) for i in range(5))
    pads = node.get_attribute("pads")
    y = opset8.deformable_convolution(
        features,
        offsets,
        weight,
        node.get_attribute("strides"),
        pads[:2],
        pads[2:],
        node.get_attribute("dilations"),
        mask,
        deformable_group=node.get_attribute("offset_group"),
        bilinear_interpolation_pad=True,  # values outside are zero, inside the picture's edge px they fade
    )
    shape = opset8.constant(np.array([1, -1, 1, 1], np.int64))
    outputs: list[Any] = opset8.add(y, opset8.reshape(bias, shape, special_zero=False)).outputs()
    return outputs
