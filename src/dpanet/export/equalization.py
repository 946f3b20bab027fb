"""Equalize channels: scale them to similar ranges by the weights around, without changing what a network computes.

A tensor in 8 bits has one step for all its channels, so that a channel of small values gets few codes. Between
convolutions only operators touch a channel that let a positive factor through: leaky ReLU, sums, moves. So its
factor can be put into the weights that write it and taken out of those that read it.

Source:
    Nagel et al., Data-Free Quantization through Weight Equalization and Bias Correction, 2019.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpanet.export.quantized_graph import constants

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

LARGEST_RATIO = 256.0
"""Of the ranges of two channels; smaller ranges are treated as this share of the largest."""

_CHANNEL_BY_CHANNEL = ("LeakyRelu", "Relu", "Add", "Concat", "Slice", "Split", "Identity", "MaxPool")
"""Operators that let the factor of a channel through where their ends have equally many channels."""

Numbers = NDArray[np.int64]


class _Channels:
    """The channels of all tensors, numbered; those that must have one factor are joined."""

    def __init__(self, largest: Mapping[str, NDArray[np.float32]]) -> None:
        starts = np.cumsum([0, *(len(values) for values in largest.values())])
        self.of = {name: np.arange(a, b) for name, a, b in zip(largest, starts, starts[1:], strict=False)}
        self._parents = list(range(int(starts[-1])))

    def root(self, number: int) -> int:
        """Return the number that stands for all channels joined with this one."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, one: Numbers, other: Numbers) -> None:
        """Join each channel with the one at the same place."""
        for first, second in zip(one, other, strict=True):
            self._parents[self.root(int(first))] = self.root(int(second))


def equalize(model: ModelProto, largest: Mapping[str, NDArray[np.float32]], strength: float = 1.0) -> None:
    """Scale the channels of a network's tensors to similar ranges, by its weights, in place.

    Args:
        model: with float32 weights.
        largest: largest absolute value of each channel, of every tensor (B, C, H, W).
        strength: 1 for equal ranges, 0 for no change; 0.5 leaves the square root of their ratios.
    """
    from onnx import numpy_helper

    graph = model.graph
    weights = constants(graph)
    channels = _Channels(largest)
    fixed = [channels.of[value.name] for value in (*graph.input, *graph.output) if value.name in channels.of]
    convolutions = []
    readers = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        ends = [channels.of[name] for name in (*node.input, *node.output) if name in channels.of]
        own = all(name in weights and readers[name] == 1 for name in node.input[1:])
        if node.op_type == "Conv" and own and _reads_all_channels(node):
            convolutions.append(node)
        elif not _join(node, channels):
            fixed += ends
    unchanged = {channels.root(int(number)) for numbers in fixed for number in numbers}
    ranges: dict[int, float] = {}
    for name, numbers in channels.of.items():
        for number, value in zip(numbers, largest[name], strict=True):
            root = channels.root(int(number))
            ranges[root] = max(ranges.get(root, 0.0), float(value))

    def factors(name: str, count: int) -> NDArray[np.float64]:
        """Return the factor of each channel of a tensor."""
        roots = [channels.root(int(number)) for number in channels.of.get(name, ())]
        sizes = np.array([0.0 if root in unchanged else ranges[root] for root in roots])
        if not sizes.any():
            return np.ones(count)
        scaled = np.maximum(sizes, sizes.max() / LARGEST_RATIO) ** -strength
        return np.where(sizes > 0, scaled, 1.0)

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in convolutions:
        weight = weights[node.input[1]]
        before, after = factors(node.input[0], weight.shape[1]), factors(node.output[0], weight.shape[0])
        scaled = {node.input[1]: weight * after[:, None, None, None] / before[None, :, None, None]}
        if len(node.input) > 2:
            scaled[node.input[2]] = weights[node.input[2]] * after
        for name, values in scaled.items():
            tensors[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))


def _reads_all_channels(node: NodeProto) -> bool:
    return all(attribute.i == 1 for attribute in node.attribute if attribute.name == "group")


def _join(node: NodeProto, channels: _Channels) -> bool:
    """Join the channels that must have one factor; return False if the operator lets none through."""
    inputs = [channels.of[name] for name in node.input if name in channels.of]
    outputs = [channels.of[name] for name in node.output if name in channels.of]
    if not inputs or len(outputs) < len(node.output) or (node.op_type == "Add" and len(inputs) < 2):
        return False
    if node.op_type == "DepthToSpace" and any(attribute.s == b"CRD" for attribute in node.attribute):
        channels.join(inputs[0], np.repeat(outputs[0], len(inputs[0]) // len(outputs[0])))
        return True
    if node.op_type == "Concat" and sum(map(len, inputs)) == len(outputs[0]):
        channels.join(np.concatenate(inputs), outputs[0])
        return True
    if node.op_type in _CHANNEL_BY_CHANNEL and len({len(end) for end in (*inputs, *outputs)}) == 1:
        for end in (*inputs[1:], *outputs):
            channels.join(inputs[0], end)
        return True
    return False
