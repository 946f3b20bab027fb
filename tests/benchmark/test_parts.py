from pathlib import Path

import numpy as np
import pytest
from network.cost import macs

from dpanet.benchmark import onnx_bytes, parts
from dpanet.benchmark.models import onnx_files

SIDE = 64


def float_file(model: str) -> Path:
    return onnx_files(model)["float32"]


@pytest.mark.parametrize(("model", "unshuffle", "tolerance"), [("nano", 4, 1e-9), ("compact", 2, 0.03)])
def test_multiply_adds_are_those_that_torch_counts(model: str, unshuffle: int, tolerance: float) -> None:
    """Torch counts the correlation of compact too, which it computes as matrix products; no defocus head there.

    Pixel unshuffle is a convolution in the file: 3 x side x side channels of so many inputs each, for both views.
    """
    counted = parts.count_multiply_adds(float_file(model), SIDE, SIDE, threads=1) / SIDE**2
    assert counted - 2 * 9 * unshuffle**2 == pytest.approx(macs(model), rel=tolerance)


@pytest.mark.parametrize("model", ["nano", "compact"])
def test_parts_add_up_to_the_whole(model: str) -> None:
    file = float_file(model)
    measured = parts.measure_parts(file, model, "float32", SIDE, SIDE, 1, 2, rate=1e11)
    assert sum(part.multiply_adds for part in measured) == parts.count_multiply_adds(file, SIDE, SIDE, 1)
    names = [part.part for part in measured]
    assert {"encoder 0", "bottleneck", "decoder 0", "head"} <= set(names) and len(set(names)) == len(names)
    assert (parts.REST in names) is False, "every node has a part"
    assert ("encoder 2, alignment" in names) is (model == "compact")
    for part in measured:
        assert part.seconds > 0 and part.share == pytest.approx(2 * part.multiply_adds / part.seconds / 1e11)


def test_a_part_without_names_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "part_names", lambda file: {})
    (only,) = parts.measure_parts(float_file("nano"), "nano", "float32", SIDE, SIDE, 1, 1, rate=None)
    assert (only.part, only.share) == (parts.REST, None)


@pytest.mark.parametrize(
    ("weight", "part"),
    [
        ("network.encoder.2.eam.cost.0.weight.half", "encoder 2, alignment"),
        ("network.decoder.3.dam.deform_left.weight", "decoder 3, alignment"),
        ("network.decoder.0.block.conv.bias", "decoder 0"),
        ("network.head.coarse.1.weight_quantized", "head"),
        ("network.bottleneck.conv.weight_DequantizeLinear_Output", "bottleneck"),
        ("val_39", None),
        ("", None),
    ],
)
def test_a_part_is_named_by_its_weights(weight: str, part: str | None) -> None:
    assert parts.name_part(weight) == part


def test_nodes_without_weights_belong_to_what_they_finish_or_prepare(tmp_path: Path) -> None:
    nodes = [
        ("Concat", ["left", "right"], "both"),
        ("Conv", ["both", "network.encoder.0.w"], "c0"),
        ("LeakyRelu", ["c0"], "r0"),
        ("Split", ["r0"], "s0"),
        ("Mul", ["s0", "s0"], "m1"),
        ("Conv", ["m1", "network.encoder.1.eam.w"], "c1"),
        ("Conv", ["c1", "network.head.w"], "h"),
        ("Tile", ["h"], "y"),
    ]
    graph = [onnx_bytes.node(operator, inputs, output) for operator, inputs, output in nodes]
    (tmp_path / "m.onnx").write_bytes(onnx_bytes.model(graph, [], (1,), np.dtype(np.float32)))
    names = parts.part_names(tmp_path / "m.onnx")
    assert [names[output] for _, _, output in nodes] == [
        *["encoder 0"] * 3,
        *["encoder 1, alignment"] * 3,
        *["head"] * 2,
    ]


def test_nodes_that_the_runtime_adds_belong_to_their_neighbors() -> None:
    names = {"node_conv": "a", "leaky": "a", "node_conv2": "b", "cat": "b"}
    nodes = [
        "Shape_of_nothing",
        "leaky_nchwc",
        "ReorderOutput_token_3",
        "node_cat",
        "cat_QuantizeLinear",
        "node_conv2_token_7",
        "ReorderOutput",
    ]
    assert parts.assign_parts(nodes, names) == ["a", "a", "a", "b", "b", "b", "b"]
    assert parts.assign_parts(["x"], names) == [parts.REST]


@pytest.mark.parametrize(
    ("operator", "shapes", "output", "wanted"),
    [
        ("Conv", [[1, 8, 10, 10], [16, 8, 3, 3], [16]], [1, 16, 5, 5], 16 * 25 * 8 * 9),
        ("Conv", [[1, 8, 10, 10], [8, 1, 3, 3]], [1, 8, 10, 10], 8 * 100 * 9),
        ("ConvTranspose", [[1, 8, 5, 5], [8, 4, 2, 2]], [1, 4, 10, 10], 8 * 25 * 4 * 4),
        ("MatMul", [[7, 5], [5, 3]], [7, 3], 7 * 5 * 3),
        ("Relu", [[1, 8, 5, 5]], [1, 8, 5, 5], 0),
    ],
)
def test_products_are_counted(operator: str, shapes: list[list[int]], output: list[int], wanted: int) -> None:
    arguments = {
        "op_name": operator,
        "input_type_shape": [{"float": shape} for shape in shapes],
        "output_type_shape": [{"float": output}],
    }
    assert parts.multiply_adds({"args": arguments}) == wanted
