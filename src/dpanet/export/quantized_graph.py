"""An ONNX graph whose convolutions compute in 8 bits: which tensors are in 8 bits, and the nodes that say so."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

SCOPES = "pkg.torch.onnx.name_scopes"
"""Key of a node's metadata under which PyTorch's exporter writes the names of the modules around it."""

MOVES = ("DepthToSpace", "Slice", "Split", "MaxPool")
"""Operators that move values or choose among them: exact in 8 bits, with one range for input and output."""

FOLLOWERS = ("LeakyRelu", "Relu", "Add", "Concat", *MOVES)
"""Operators that compute in 8 bits where all their inputs are in 8 bits already."""

LEVELS = 255
"""Steps between the lowest and the highest code of an activation."""

WEIGHT_LEVELS = 127
"""Largest code of a weight; the lowest is its negative."""


@dataclass(frozen=True)
class Range:
    """The values that the 256 codes of a tensor stand for."""

    low: float
    """Value of code 0, at most 0."""
    high: float
    """Value of code 255, at least 0."""

    @property
    def scale(self) -> np.float32:
        """Difference of the values of two codes."""
        return np.float32(max(self.high - self.low, 1e-8) / LEVELS)

    @property
    def zero(self) -> np.uint8:
        """The code of 0."""
        return np.uint8(np.clip(round(-self.low / float(self.scale)), 0, LEVELS))


def module_of(node: NodeProto) -> str:
    """Return the name of the module that a node belongs to, such as ``decoder.0.block.conv``; "" if unknown."""
    for entry in node.metadata_props:
        if entry.key == SCOPES:
            names = [part.strip(" '\"") for part in entry.value.strip("[]").split(",")]
            return names[-2] if len(names) > 1 else ""
    return ""


def matches(module: str, patterns: Iterable[str]) -> bool:
    """Return whether a module's name fits one of the patterns, also where other modules are around the network."""
    return any(fnmatchcase(module, pattern) or fnmatchcase(module, f"*.{pattern}") for pattern in patterns)


def constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Return all constant tensors of a graph by name."""
    from onnx import numpy_helper

    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def unpack_weights(model: ModelProto) -> None:
    """Replace weights that are stored as float16 with a Cast behind by float32 ones, in place."""
    from onnx import TensorProto, numpy_helper

    graph = model.graph
    stored = constants(graph)
    for node in list(graph.node):
        to_float = any(a.name == "to" and a.i == TensorProto.FLOAT for a in node.attribute)
        if node.op_type == "Cast" and node.input[0] in stored and to_float:
            values = stored[node.input[0]].astype(np.float32)
            graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
            graph.node.remove(node)
    drop_unused(graph)


def drop_unused(graph: GraphProto) -> None:
    """Remove constants that no node reads, in place."""
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    for tensor in list(graph.initializer):
        if tensor.name not in used:
            graph.initializer.remove(tensor)


def choose_convolutions(graph: GraphProto, keep_float: Iterable[str]) -> list[NodeProto]:
    """Return the convolutions with constant weights in modules that no pattern of `keep_float` names."""
    patterns = tuple(keep_float)
    known = {tensor.name for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv" and node.input[1] in known]
    return [node for node in convolutions if not matches(module_of(node), patterns)]


def choose_tensors(graph: GraphProto, convolutions: Sequence[NodeProto]) -> list[str]:
    """Return the activations that are in 8 bits: what the convolutions read and write, and what follows from it."""
    chosen = {name for node in convolutions for name in (node.input[0], node.output[0])}
    fixed = {tensor.name for tensor in graph.initializer}
    results = {value.name for value in graph.output}
    for node in graph.node:
        data = _data(node, fixed)
        if node.op_type == "Concat" and node.output[0] in chosen and chosen & set(data):
            chosen.update(data)  # bytes are joined faster than floats
        if node.op_type in FOLLOWERS and not results & set(node.output) and chosen.issuperset(data):
            chosen.update(node.output)
    names = [value.name for value in graph.input] + [name for node in graph.node for name in node.output]
    return [name for name in names if name in chosen]


def _data(node: NodeProto, fixed: Container[str]) -> list[str]:
    """Return what a node reads beside constants and, of `MOVES`, beside sizes and places."""
    data = [name for name in node.input if name and name not in fixed]
    return data[:1] if node.op_type in MOVES else data


def share_ranges(graph: GraphProto, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Return the ranges with those of `MOVES` replaced, so that no operator of these must convert codes."""
    shared = dict(ranges)
    for node in graph.node:
        if node.op_type in MOVES and node.input[0] in shared:
            shared |= {name: shared[node.input[0]] for name in node.output if name in shared}
    return shared


def quantize_weights(
    weights: NDArray[np.float32], least: NDArray[np.float64] | float = 0.0
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return codes and the scale of each output channel for which they err least; code 0 is exactly 0.

    Args:
        weights: (channels, ...).
        least: smallest scale of each channel.
    """
    flat = weights.reshape(len(weights), -1)
    largest = np.maximum(np.abs(flat).max(1) / WEIGHT_LEVELS, np.maximum(least, 1e-12))
    best, scales = np.full(len(flat), np.inf), largest
    for share in np.linspace(0.7, 1.0, 31):
        scale = np.maximum(largest * share, least)[:, None]
        codes = np.clip(np.rint(flat / scale), -WEIGHT_LEVELS, WEIGHT_LEVELS)
        error = ((codes * scale - flat) ** 2).sum(1)
        better = error < best
        best, scales = np.where(better, error, best), np.where(better, scale[:, 0], scales)
    scales = scales.astype(np.float32)
    codes = np.clip(np.rint(flat / scales[:, None]), -WEIGHT_LEVELS, WEIGHT_LEVELS)
    return codes.astype(np.int8).reshape(weights.shape), scales


def insert_quantization(
    model: ModelProto, convolutions: Sequence[NodeProto], ranges: Mapping[str, Range]
) -> None:
    """Write which tensors are in 8 bits as pairs of QuantizeLinear and DequantizeLinear, in place.

    A runtime that computes in 8 bits joins these pairs and what is between them to one operator; every other one
    computes the same numbers in float32, but for rounding.

    Args:
        model: with float32 weights.
        convolutions: nodes of it that compute in 8 bits.
        ranges: of every activation that is in 8 bits.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    values = constants(graph)
    chosen = {node.output[0] for node in convolutions}

    def constant(name: str, array: NDArray[Any] | np.generic) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def quantized(name: str) -> list[NodeProto]:
        """Return the nodes that quantize an activation; ``NAME_read`` is what its readers read."""
        if name not in ranges:
            return []
        parameters = [
            constant(f"{name}_scale", ranges[name].scale),
            constant(f"{name}_zero", ranges[name].zero),
        ]
        codes = f"{name}_codes"
        return [
            helper.make_node("QuantizeLinear", [name, *parameters], [codes], f"{name}_quantize"),
            helper.make_node(
                "DequantizeLinear", [codes, *parameters], [f"{name}_read"], f"{name}_dequantize"
            ),
        ]

    def stored(name: str, codes: NDArray[Any], scales: NDArray[np.float32]) -> NodeProto:
        """Return the node that reads constants stored as codes, with a scale for each of the first axis."""
        parts = [constant(f"{name}_codes", codes), constant(f"{name}_scale", scales)]
        parts.append(constant(f"{name}_zero", np.zeros(len(scales), codes.dtype)))
        return helper.make_node("DequantizeLinear", parts, [f"{name}_read"], f"{name}_dequantize", axis=0)

    nodes = [pair for value in graph.input for pair in quantized(value.name)]
    written: set[str] = set()
    for node in graph.node:
        if node.op_type == "Conv" and node.output[0] in chosen:
            step = float(ranges[node.input[0]].scale)
            bias = values[node.input[2]] if len(node.input) > 2 else np.zeros(1, np.float32)
            codes, scales = quantize_weights(
                values[node.input[1]], np.abs(bias.astype(np.float64)) / step / 2**24
            )
            # two convolutions may share weights, and have scales of their own
            names = [f"{name}_of_{node.output[0]}" for name in node.input[1:]]
            nodes.append(stored(names[0], codes, scales))
            if len(names) > 1:
                scales = (scales * np.float32(step)).astype(np.float32)
                nodes.append(stored(names[1], np.rint(bias / scales).astype(np.int32), scales))
            for place, name in enumerate(names, start=1):
                node.input[place] = f"{name}_read"
        follows = node.op_type in FOLLOWERS and all(
            name in ranges for name in (*_data(node, values), *node.output)
        )
        if follows or node.output[0] in chosen:
            written.update(node.output)
            readable = set(ranges)
        else:
            readable = written  # what float nodes wrote, they read in full
        for place, name in enumerate(node.input):
            if name in ranges and name in readable:
                node.input[place] = f"{name}_read"
        nodes.append(node)
        nodes += [pair for name in node.output for pair in quantized(name)]
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    drop_unused(graph)
