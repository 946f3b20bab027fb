"""The best rate of convolutions that this machine reaches, by engine and precision."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from dpanet.benchmark import onnx_bytes
from dpanet.benchmark.results import ConvolutionRate, Part, Pass
from dpanet.benchmark.timing import run_repeatedly
from dpanet.engines.onnx_runtime import onnxruntime
from dpanet.engines.processor import BFLOAT16, INT8, instruction_sets

SHAPES = ((64, 256), (128, 64))
"""Channels, and side in px, of the convolutions: memory outside the caches, and inside."""

LAYERS = 4
"""Convolutions one after another, so that a change of layout at both ends counts little."""

STEADY = 1.15
"""Ratio of two measurements of one rate from which on the machine is not called steady."""

Run = Callable[[], object]

Measured = TypeVar("Measured", Pass, Part)


def measure_rates(threads: int, runs: int, say: Callable[[str], None]) -> list[ConvolutionRate]:
    """Measure 3 x 3 convolutions by every engine that is installed, in the precisions that are fast there.

    The fastest of the runs counts, since the rate is a limit to compare with.
    """
    rates = []
    for engine, precision in _candidates():
        say(f"convolutions, {engine}, {precision}")
        best = None
        for channels, side in SHAPES:
            run = prepare(engine, precision, channels, side, threads)
            seconds = min(run_repeatedly(run, runs))
            gflops = 2 * LAYERS * 9 * channels**2 * side**2 / seconds / 1e9
            if best is None or gflops > best.gflops:
                best = ConvolutionRate(engine, precision, gflops, channels, side)
        assert best is not None
        rates.append(best)
    return rates


def best_rate(rates: list[ConvolutionRate], precision: str) -> float | None:
    """Return the operations a second of the best engine in a precision; None if it was not measured."""
    return max((1e9 * rate.gflops for rate in rates if rate.precision == precision), default=None)


def join_rates(
    before: list[ConvolutionRate], after: list[ConvolutionRate]
) -> tuple[list[ConvolutionRate], list[str]]:
    """Return the faster of two measurements of each rate, and a sentence for each that differs by `STEADY` or more.

    Args:
        before: of the engines, in their order.
        after: of the same engines.
    """
    rates, remarks = [], []
    for pair in zip(before, after, strict=True):
        slow, fast = sorted(pair, key=lambda rate: rate.gflops)
        rates.append(fast)
        if fast.gflops >= STEADY * slow.gflops:
            first, last = (f"{rate.gflops:.0f}" for rate in pair)
            remarks.append(
                f"certain shares: convolutions by {fast.engine}, {fast.precision}, ran at {first} GFLOP/s before the "
                f"networks and at {last} after them; this machine was busy or changed its clock, so measure again "
                "while nothing else runs"
            )
    return rates, remarks


def update_share(one: Measured, rates: list[ConvolutionRate]) -> Measured:
    """Return a run of a network, or of a part, with its share of the best rate of its precision."""
    seconds = one.seconds if isinstance(one, Part) else one.seconds.median
    rate = best_rate(rates, one.precision)
    share = 2 * one.multiply_adds / seconds / rate if rate and one.multiply_adds and seconds else None
    return replace(one, share=share)


def prepare(engine: str, precision: str, channels: int, side: int, threads: int) -> Run:
    """Return a function that runs `LAYERS` convolutions by an engine."""
    if engine == "openvino":
        from dpanet.benchmark.openvino_convolutions import prepare_openvino

        return prepare_openvino(convolutions(channels, side), precision, threads)
    if engine == "torch":
        from dpanet.benchmark.torch_convolutions import prepare_torch

        return prepare_torch(LAYERS, channels, side, precision, threads)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    file = (quantized_convolutions if precision == "int8" else convolutions)(channels, side)
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    dtype = np.uint8 if precision == "int8" else np.float32
    x = {"x": np.ones((1, channels, side, side), dtype)}
    return lambda: session.run(None, x)


def convolutions(channels: int, side: int) -> bytes:
    """Return an ONNX file of `LAYERS` convolutions in float32."""
    rng = np.random.default_rng(0)
    shape = (channels, channels, 3, 3)
    weights = [rng.normal(0, (9 * channels) ** -0.5, shape).astype(np.float32) for _ in range(LAYERS)]
    pads = onnx_bytes.integers("pads", (1, 1, 1, 1))
    nodes = [onnx_bytes.node("Conv", [x, f"w{i}"], y, [pads]) for i, x, y in _chain()]
    tensors = [onnx_bytes.tensor(f"w{i}", weight) for i, weight in enumerate(weights)]
    return onnx_bytes.model(nodes, tensors, (1, channels, side, side), np.dtype(np.float32))


def quantized_convolutions(channels: int, side: int) -> bytes:
    """Return an ONNX file of `LAYERS` convolutions of unsigned bytes with signed bytes."""
    rng = np.random.default_rng(0)
    pads = onnx_bytes.integers("pads", (1, 1, 1, 1))
    scale, zero = np.array(0.02, np.float32), np.array(128, np.uint8)
    tensors = [onnx_bytes.tensor("scale", scale), onnx_bytes.tensor("zero", zero)]
    tensors.append(onnx_bytes.tensor("none", np.array(0, np.int8)))
    nodes = []
    for i, x, y in _chain():
        weight = rng.integers(-64, 64, (channels, channels, 3, 3)).astype(np.int8)
        tensors.append(onnx_bytes.tensor(f"w{i}", weight))
        inputs = [x, "scale", "zero", f"w{i}", "scale", "none", "scale", "zero"]
        nodes.append(onnx_bytes.node("QLinearConv", inputs, y, [pads]))
    return onnx_bytes.model(nodes, tensors, (1, channels, side, side), np.dtype(np.uint8))


def _chain() -> Iterator[tuple[int, str, str]]:
    """Yield the number of each layer, its input and its output."""
    for i in range(LAYERS):
        yield i, "x" if i == 0 else f"h{i}", "y" if i == LAYERS - 1 else f"h{i + 1}"


def _candidates() -> Iterator[tuple[str, str]]:
    yield "onnxruntime", "float32"
    if INT8 & instruction_sets():
        yield "onnxruntime", "int8"
    for engine in ("openvino", "torch"):
        if importlib.util.find_spec(engine):
            yield engine, "float32"
            if BFLOAT16 & instruction_sets():
                yield engine, "bfloat16"
