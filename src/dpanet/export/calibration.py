"""Calibration: simulated pairs, and the values that the tensors of a network take on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpanet.export.quantized_graph import LEVELS, Range

if TYPE_CHECKING:
    from onnx import ModelProto

Views = Mapping[str, NDArray[np.float32]]
"""Both views, ``left`` and ``right``, (1, 3, H, W), as the network takes them."""

BINS = 2048
"""Bins of the histogram of a tensor."""

DARK = 0.125
"""Factor on the display values of dark pairs."""

_SMALLEST = 0.3
"""Part of the values seen, on either side of 0, that a range covers at least."""


def calibration_pairs(count: int = 16, size: int = 384, seed: int = 0) -> Iterator[Views]:
    """Simulate display-encoded pairs from the photographs of scikit-image: gray and color, of many cameras.

    Every fourth pair is dark.

    Args:
        count: of pairs.
        size: px a side, a multiple of what the network needs.
        seed: decides all of them.
    """
    from dpanet.datasets.photographs import scikit_image_photographs
    from dpanet.simulation.scene import Simulator
    from dpanet.simulation.scene_config import SceneConfig

    config = SceneConfig(mild_ramp=0.5, nearly_sharp=0.1, developed=0.4, pages=8)
    simulator = Simulator(scikit_image_photographs(), None, config)
    for index in range(count):
        scene = simulator.scenes([[seed, index]], size)
        exposure = np.float32(DARK if index % 4 == 3 else 1.0)
        yield {"left": scene.left.numpy() * exposure, "right": scene.right.numpy() * exposure}


class Histogram:
    """The values of a tensor, counted; it grows to any range, and always covers 0."""

    def __init__(self) -> None:
        self.low, self.high = 0.0, 0.0
        self.counts: NDArray[np.float64] = np.zeros(BINS)

    def add(self, values: NDArray[np.float32]) -> None:
        """Count more values."""
        low, high = min(float(values.min()), self.low), max(float(values.max()), self.high)
        if low < self.low or high > self.high:
            centers, counts = self.centers(), self.counts
            self.low, self.high = low, high
            self.counts = np.asarray(np.bincount(self._bins(centers), counts, BINS), np.float64)
        if high > low:
            self.counts = self.counts + np.bincount(self._bins(values.ravel()), minlength=BINS)

    def centers(self) -> NDArray[np.floating]:
        """Return the middle of each bin."""
        return self.low + (self.high - self.low) / BINS * (np.arange(BINS) + 0.5)

    def best_range(self) -> Range:
        """Return the range for which the squared error of rounding and of clipping together is least."""
        used = self.counts > 0
        centers, counts = self.centers()[used], self.counts[used]
        best, least = Range(self.low, self.high), np.inf
        parts = np.linspace(_SMALLEST, 1.0, 29)
        for low in self.low * parts if self.low < 0 else [0.0]:
            for high in self.high * parts if self.high > 0 else [0.0]:
                rounding = ((high - low) / LEVELS) ** 2 / 12
                clipped = np.maximum(np.maximum(low - centers, centers - high), 0)
                error = float((counts * np.maximum(clipped**2, rounding)).sum())
                if error < least:
                    best, least = Range(float(low), float(high)), error
        return best

    def _bins(self, values: NDArray[np.floating]) -> NDArray[np.intp]:
        scaled = (values - self.low) * (BINS / (self.high - self.low))
        return np.clip(scaled.astype(np.intp), 0, BINS - 1)


def count_values(model: ModelProto, tensors: Sequence[str], pairs: Iterable[Views]) -> dict[str, Histogram]:
    """Run a network on pairs and count the values of some of its tensors, by name."""
    histograms = {name: Histogram() for name in tensors}
    for values in _run(model, tensors, pairs):
        for name, array in values.items():
            histograms[name].add(array)
    return histograms


def largest_by_channel(model: ModelProto, pairs: Iterable[Views]) -> dict[str, NDArray[np.float32]]:
    """Run a network on pairs; return each channel's largest absolute value, by the name of a tensor (B, C, H, W)."""
    import onnx

    constant = {tensor.name for tensor in model.graph.initializer}
    tensors = [
        value.name
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        and len(value.type.tensor_type.shape.dim) == 4
        and value.name not in constant
    ]
    largest: dict[str, NDArray[np.float32]] = {}
    for values in _run(model, tensors, pairs):
        for name, array in values.items():
            seen = np.abs(array).max((0, 2, 3))
            largest[name] = np.maximum(largest[name], seen) if name in largest else seen
    return largest


def _run(
    model: ModelProto, tensors: Sequence[str], pairs: Iterable[Views]
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Run a network on each pair, and yield the values of the tensors."""
    import onnx

    from dpanet.engines.onnx_runtime import onnxruntime

    probe = onnx.ModelProto.FromString(model.SerializeToString())
    there = {value.name for value in (*probe.graph.input, *probe.graph.output)}
    probe.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in tensors
        if name not in there
    )
    inputs = {value.name for value in probe.graph.input}
    computed = [name for name in tensors if name not in inputs]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for pair in pairs:
        values = dict(zip(computed, session.run(computed, dict(pair)), strict=True)) if computed else {}
        yield values | {name: pair[name] for name in inputs & set(tensors)}
