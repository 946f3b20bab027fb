"""A quantized file computes in 8 bits nearly what the network computes, and a wrong scale is noticed."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from dpanet.checkpoints.exported_model import KEY
from dpanet.engines.onnx_engine import OnnxEngine
from dpanet.errors import WeightsError
from dpanet.export.calibration import Histogram, Views, calibration_pairs, largest_by_channel
from dpanet.export.equalization import equalize
from dpanet.export.int8 import Recipe, quantize
from dpanet.export.onnx_file import write_onnx
from dpanet.export.quantized_graph import matches, quantize_weights, unpack_weights
from dpanet.export.verification import verify
from dpanet.network import Network
from dpanet.network.unet import UNet, UNetConfig

RECIPE = Recipe(keep_float=("head.*",))

CONVOLUTIONS = 12
"""Of `small_network`, without the head's, with the two that unshuffle the views by the same weights."""


def small_network() -> Network:
    torch.manual_seed(0)
    network = UNet(
        UNetConfig(widths=(8,), blocks=(1,), decoder_blocks=(1,), bottleneck_width=8, bottleneck_blocks=1)
    )
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.003)  # a residual that is small, as trained ones are
        parameter.data = parameter.half().float()
    return network.eval()


@pytest.fixture(scope="module")
def pairs() -> list[Views]:
    return list(calibration_pairs(4, 64))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, pairs: list[Views]) -> tuple[Path, Path]:
    """The network in float32 and in 8 bits."""
    folder = tmp_path_factory.mktemp("int8")
    float_file, int8_file = folder / "float32.onnx", folder / "int8.onnx"
    write_onnx(small_network(), float_file)
    quantize(float_file, int8_file, RECIPE, pairs)
    return float_file, int8_file


def run(model: Path | onnx.ModelProto, views: Views) -> NDArray[np.float32]:
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    picture: NDArray[np.float32] = session.run(["picture"], dict(views))[0]
    return picture


def test_the_picture_is_close(files: tuple[Path, Path]) -> None:
    views = next(iter(calibration_pairs(1, 96, seed=7)))
    expected, output = (run(file, views) for file in files)
    assert np.sqrt(((output - expected) ** 2).mean()) < 1 / 255
    assert np.abs(output - expected).max() > 0


def test_verification_accepts_it_and_notices_a_wrong_scale(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert len(verify(OnnxEngine(files[1]), small_network(), "int8.onnx", "int8")) == 3
    model = onnx.load(files[1])
    scales = [tensor for tensor in model.graph.initializer if tensor.name.endswith("_scale")]
    scale = next(tensor for tensor in scales if "encoder.0.conv.weight" in tensor.name)
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * np.float32(10), scale.name))
    wrong = tmp_path / "wrong.onnx"
    onnx.save(model, wrong)
    with pytest.raises(WeightsError, match="does not compute"):
        verify(OnnxEngine(wrong), small_network(), "wrong.onnx", "int8")


def test_metadata_are_kept_with_the_new_precision(files: tuple[Path, Path]) -> None:
    before, after = ({entry.key: entry.value for entry in onnx.load(file).metadata_props} for file in files)
    assert before.keys() == after.keys()
    assert json.loads(after[KEY]) == {**json.loads(before[KEY]), "precision": "int8"}
    assert OnnxEngine(files[1]).precision == "int8"
    assert [value.name for value in onnx.load(files[1]).graph.output] == ["picture"]


def test_onnx_runtime_computes_all_but_the_named_convolutions_in_8_bits(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(str(files[1]), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    floats = [
        node for node in onnx.load(files[1]).graph.node if "head" in node.name and node.op_type == "Conv"
    ]
    assert kinds.count("QLinearConv") == CONVOLUTIONS - len(floats)
    assert kinds.count("QLinearLeakyRelu") > 0 and "LeakyRelu" not in kinds


def test_the_same_pairs_give_the_same_file(
    files: tuple[Path, Path], pairs: list[Views], tmp_path: Path
) -> None:
    quantize(files[0], tmp_path / "again.onnx", RECIPE, calibration_pairs(4, 64))
    assert (tmp_path / "again.onnx").read_bytes() == files[1].read_bytes()


def test_equalizing_changes_ranges_but_not_the_picture(files: tuple[Path, Path], pairs: list[Views]) -> None:
    model = onnx.load(files[0])
    unpack_weights(model)
    expected, before = run(model, pairs[0]), largest_by_channel(model, pairs)
    equalize(model, before)
    after = largest_by_channel(model, pairs)
    np.testing.assert_allclose(run(model, pairs[0]), expected, atol=1e-5)

    def spread(largest: dict[str, NDArray[np.float32]]) -> float:
        return float(sum(values.std() / values.mean() for name, values in largest.items() if "conv" in name))

    assert spread(after) < 0.7 * spread(before)


def test_equalizing_stops_at_operators_that_let_no_factor_through() -> None:
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(size=(4, 3 if name == "a" else 4, 1, 1)).astype(np.float32) for name in "ab"
    }
    weights["a"][0] *= 100
    model = onnx.parser.parse_model(
        """<ir_version: 10, opset_import: ["": 20]>
        g (float[1, 3, H, W] left) => (float[1, 4, H, W] picture) {
            one = Conv(left, a)
            two = Sigmoid(one)
            picture = Conv(two, b)
        }"""
    )
    model.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in weights.items())
    views = {"left": random.normal(size=(1, 3, 8, 8)).astype(np.float32)}
    expected = run(model, views)
    equalize(model, largest_by_channel(model, [views]))
    np.testing.assert_array_equal(run(model, views), expected)


def test_the_best_range_is_that_of_an_exhaustive_search() -> None:
    values = np.float32(np.random.default_rng(1).standard_t(3, 20_000))
    histogram = Histogram()
    for part in np.split(values, 4):  # it grows
        histogram.add(part)
    best = histogram.best_range()

    def error(low: float, high: float) -> float:
        step = (high - low) / 255
        codes = np.clip(np.rint((values - low) / step), 0, 255)
        return float(((codes * step + low - values) ** 2).mean())

    shares = np.linspace(0.3, 1, 29)
    least = min(error(values.min() * a, values.max() * b) for a in shares for b in shares)
    assert (
        0.99 * least
        < error(best.low, best.high)
        < 1.01 * least
        < error(float(values.min()), float(values.max()))
    )
    assert best.low < 0 < best.high and 0 < best.zero < 255


def test_weights_are_rounded_to_the_nearest_code_of_their_channel() -> None:
    weights = np.random.default_rng(2).normal(size=(5, 4, 3, 3)).astype(np.float32)
    weights[1] *= 1000
    weights[2] = 0
    codes, scales = quantize_weights(weights)
    rounded = codes * scales[:, None, None, None]
    inside = np.abs(weights) <= 127 * scales[:, None, None, None]
    assert (
        np.abs(rounded - weights)[inside]
        <= 0.501 * np.broadcast_to(scales[:, None, None, None], weights.shape)[inside]
    ).all()
    assert not rounded[2].any() and inside[[0, 1, 3, 4]].mean() > 0.9
    assert (quantize_weights(weights, 0.5)[1] >= 0.5).all()


def test_names_of_modules_match_whatever_wraps_the_network() -> None:
    assert matches("network.encoder.0.conv", ("encoder.0.*",)) and matches("encoder.0.conv", ("encoder.0.*",))
    assert not matches("network.encoder.1.conv", ("encoder.0.*",)) and not matches("", ("encoder.0.*",))


def test_calibration_pairs_are_repeatable_and_some_are_dark(pairs: list[Views]) -> None:
    for first, second in zip(pairs, calibration_pairs(4, 64), strict=True):
        np.testing.assert_array_equal(first["left"], second["left"])
    assert pairs[3]["left"].max() <= 0.125 < min(pair["left"].max() for pair in pairs[:3])
    assert all(pair["right"].shape == (1, 3, 64, 64) for pair in pairs)
