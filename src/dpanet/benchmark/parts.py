"""Multiply-adds and seconds of each part of a network, by ONNX Runtime's own profile."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.benchmark.models import make_views
from dpanet.benchmark.onnx_bytes import Node, read_nodes
from dpanet.benchmark.results import Part
from dpanet.engines.onnx_runtime import onnxruntime

REST = "the rest"
"""Name of the part that no module says it belongs to."""

_ADDED = re.compile(r"/.*$|_token_\d+|_nchwc$|_(?:Quantize|Dequantize)Linear(?:_Output)?$|_d?q$")
"""What ONNX Runtime adds to names of nodes and of their outputs."""

_FOLLOWING = (
    "LeakyRelu",
    "Relu",
    "Sigmoid",
    "Add",
    "DepthToSpace",
    "QuantizeLinear",
    "DequantizeLinear",
    "Cast",
)
"""Operators that finish what the node before them began."""

Event = dict[str, Any]


def measure_parts(
    file: Path,
    model: str,
    precision: str,
    height: int,
    width: int,
    threads: int,
    runs: int,
    rate: float | None,
) -> list[Part]:
    """Measure each part of a network that ONNX Runtime runs on the processor.

    Args:
        file: of `dpanet export`.
        model: its name in the result.
        precision: of the file.
        height: of the views in px, a multiple of what the network needs.
        width: of the views, the same.
        threads: that compute.
        runs: that are measured, after one that is not.
        rate: operations a second that are 100 %.
    """
    names = part_names(file)
    adds: dict[str, float] = defaultdict(float)
    for event in _profile(file, height, width, threads, 1, optimize=False)[0]:
        adds[names.get(_node(event), REST)] += multiply_adds(event)
    seconds = []
    order: dict[str, None] = {}  # of the first convolutions
    for events in _profile(file, height, width, threads, runs + 1, optimize=True)[1:]:
        taken: dict[str, float] = defaultdict(float)
        for event, part in zip(events, assign_parts([_node(event) for event in events], names), strict=True):
            taken[part] += event["dur"] / 1e6
            if "Conv" in event["args"]["op_name"]:
                order.setdefault(part)
        seconds.append(taken)
    return [
        Part(model, precision, part, adds[part], median, 2 * adds[part] / median / rate if rate else None)
        for part in dict.fromkeys([*order, *seconds[0]])
        if (median := float(np.median([taken.get(part, 0.0) for taken in seconds])))
    ]


def count_multiply_adds(file: Path, height: int, width: int, threads: int) -> float:
    """Return the multiply-adds of convolutions and matrix products of a network on a pair of that size."""
    events = _profile(file, height, width, threads, 1, optimize=False)[0]
    return sum(multiply_adds(event) for event in events)


def part_names(file: Path) -> dict[str, str]:
    """Return the part of each node of a file, by the name of the node and of its outputs.

    Weights carry the names of their modules. A node without weights belongs to what it follows, if it is one of
    `_FOLLOWING`, else to what it prepares.
    """
    nodes = read_nodes(file.read_bytes())
    parts: dict[str, str] = {}  # of outputs

    def assign(node: Node, part: str | None) -> None:
        if part:
            parts.update(dict.fromkeys(node.outputs, part))

    for node in nodes:
        own = next(filter(None, map(name_part, node.inputs)), None)
        follows = node.operator in _FOLLOWING
        assign(node, own or (_first(node.inputs, parts) if follows else None))
    users: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        for name in node.inputs:
            users[name].append(node)
    for node in reversed(nodes):
        if not _first(node.outputs, parts):
            assign(
                node, _first([out for o in node.outputs for user in users[o] for out in user.outputs], parts)
            )
    for node in nodes:
        if not _first(node.outputs, parts):
            assign(node, _first(node.inputs, parts))
    named = {node.name: part for node in nodes if (part := _first(node.outputs, parts))}
    return parts | named


def name_part(weight: str) -> str | None:
    """Return the part of a network that a weight belongs to, such as ``encoder 2, alignment``; None for other names.

    Args:
        weight: its name, such as ``network.encoder.2.eam.deform.weight``.
    """
    root, *path = weight.split(".")
    if root != "network" or not path:
        return None
    level = f"{path[0]} {path[1]}" if len(path) > 1 and path[1].isdigit() else path[0]
    return f"{level}, alignment" if {"eam", "dam"} & set(path) else level


def assign_parts(nodes: Sequence[str], names: dict[str, str]) -> list[str]:
    """Return the part of each node that runs; one that has no name belongs to the node after it.

    Args:
        nodes: names of the nodes in the order in which they run; ONNX Runtime adds and renames some.
        names: the part of each node of the file, as of `part_names`.
    """
    parts: list[str | None] = [_find(node, names) for node in nodes]
    following: str | None = None
    for at in reversed(range(len(parts))):
        leaves = nodes[at].startswith(
            "ReorderOutput"
        )  # it changes the layout of what the node before it computed
        following = parts[at] = parts[at] or (None if leaves else following)
    before = None
    for at, part in enumerate(parts):
        before = parts[at] = part or before
    return [part or REST for part in parts]


def multiply_adds(event: Event) -> float:
    """Return the multiply-adds of a node of an unoptimized profile; 0 for other than products."""
    shapes = [next(iter(shape.values())) for shape in event["args"]["input_type_shape"]]
    outputs = [next(iter(shape.values())) for shape in event["args"]["output_type_shape"]]
    match event["args"]["op_name"]:
        case "Conv" | "DeformConv":
            return float(math.prod(outputs[0]) * math.prod(shapes[1][1:]))
        case "ConvTranspose":
            return float(math.prod(shapes[0]) * math.prod(shapes[1][1:]))
        case "MatMul" | "Gemm":
            return float(math.prod(outputs[0]) * shapes[0][-1])
    return 0.0


def _first(names: Iterable[str], parts: dict[str, str]) -> str | None:
    return next((parts[name] for name in names if name in parts), None)


def _find(node: str, names: dict[str, str]) -> str | None:
    while node not in names:
        shorter = _ADDED.sub("", node)
        if shorter == node:
            return None
        node = shorter
    return names[node]


def _node(event: Event) -> str:
    return str(event["name"]).removesuffix("_kernel_time")


def _profile(
    file: Path, height: int, width: int, threads: int, runs: int, *, optimize: bool
) -> list[list[Event]]:
    """Return the nodes of each run, in the order in which they ran."""
    left, right = (view.transpose(2, 0, 1)[None].copy() for view in make_views(height, width))
    with tempfile.TemporaryDirectory(prefix="dpanet-", ignore_cleanup_errors=True) as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        if not optimize:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        for _ in range(runs):
            session.run(["picture"], {"left": left, "right": right})
        entries = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes = [e for e in entries if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")]
    count = len(nodes) // runs
    return [nodes[run * count : (run + 1) * count] for run in range(runs)]
