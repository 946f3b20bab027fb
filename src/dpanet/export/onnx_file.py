"""Write a network as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import torch
from onnx import TensorProto, helper, numpy_helper

from dpanet.checkpoints.exported_model import KEY
from dpanet.export.traced_network import TracedNetwork, describe_network, example_views
from dpanet.network.base import Network
from dpanet.network.ops.exported import exporting

OPSET = 20
"""Version of ONNX's operators; DeformConv is there since 19."""

_HALVED = 256
"""Weights of at least so many numbers are stored in half precision, if that loses nothing."""


def write_onnx(network: Network, path: Path) -> None:
    """Write a network as an ONNX file of any height and width, computing in float32.

    Inputs are ``left`` and ``right``, float32 (1, 3, H, W), whose sides must be multiples of
    `Description.multiple_of`; outputs ``picture`` and, where the network has one, ``radius``. The file's metadata
    say what it is (`ExportedModel`). Deformable convolutions become ONNX's DeformConv.

    Args:
        network: in evaluation mode, on the CPU.
        path: of the file; an older one is replaced.
    """
    traced = TracedNetwork(network).eval()
    multiple = network.description.multiple_of
    sides = {2: multiple * torch.export.Dim("h", max=4096), 3: multiple * torch.export.Dim("w", max=4096)}
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")  # torchvision is not needed
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with exporting("onnx"), torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                traced,
                tuple(example_views(multiple)),
                input_names=["left", "right"],
                output_names=traced.outputs,
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes={"left": sides, "right": sides},
                verbose=False,
            )
    finally:
        logger.setLevel(before)
    assert program is not None
    model = onnx_ir.to_proto(program.model)
    deformable = any(node.op_type == "DeformConv" for node in model.graph.node)
    described = replace(
        describe_network(network),
        operators=f"standard, opset {OPSET}" + (", with DeformConv" if deformable else ""),
    )
    model.producer_name = "dpanet"
    model.producer_version = described.version
    helper.set_model_props(model, {KEY: described.to_json()})
    _halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _halve(model: onnx.ModelProto) -> None:
    """Store weights that are half-precision numbers as such, with a Cast to float32 behind, in place.

    ONNX Runtime and OpenVINO compute the casts once, when the file is loaded.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _HALVED:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(
            helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
