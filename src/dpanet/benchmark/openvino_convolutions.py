"""Convolutions by OpenVINO."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openvino

from dpanet.engines.openvino_engine import openvino_core


def prepare_openvino(file: bytes, precision: str, threads: int) -> Callable[[], object]:
    """Return a function that runs an ONNX file of one input, all ones, in float32 or bfloat16."""
    core = openvino_core()
    network = core.read_model(file, b"")
    options = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(network, "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(np.ones(tuple(network.inputs[0].shape), np.float32)))

    def run() -> None:
        request.infer()

    return run
