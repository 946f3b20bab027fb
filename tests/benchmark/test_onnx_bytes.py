"""What is written by hand, read by the package onnx, and the other way round."""

from importlib import resources

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from dpanet.benchmark import onnx_bytes

SHIPPED = resources.files("dpanet.checkpoints") / "shipped" / "nano.onnx"


def small_model() -> tuple[bytes, np.ndarray]:
    weight = np.arange(36, dtype=np.float32).reshape(1, 4, 3, 3)
    pads = onnx_bytes.integers("pads", (1, 1, 1, 1))
    node = onnx_bytes.node("Conv", ["x", "w"], "y", [pads])
    tensors = [onnx_bytes.tensor("w", weight)]
    return onnx_bytes.model([node], tensors, (1, 4, 300, 8), np.dtype(np.float32)), weight


def test_a_model_is_read_by_the_package_onnx() -> None:
    data, weight = small_model()
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model)
    (node,) = model.graph.node
    assert (node.op_type, list(node.input), list(node.output)) == ("Conv", ["x", "w"], ["y"])
    assert onnx.helper.get_attribute_value(node.attribute[0]) == [1, 1, 1, 1]
    np.testing.assert_array_equal(numpy_helper.to_array(model.graph.initializer[0]), weight)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 4, 300, 8], "numbers of two bytes too"


def test_a_wrong_byte_is_noticed_by_it() -> None:
    data, _ = small_model()
    with pytest.raises(Exception, match=r"(?i)pars|decod|no opset|graph"):
        onnx.checker.check_model(onnx.load_from_string(data[:40] + b"\xff" + data[41:]))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31, 2**40 + 5])
def test_numbers_of_any_length_are_read_back(value: int) -> None:
    data = onnx_bytes.field(3, value)
    assert onnx_bytes._read_varint(data, 1) == (value, len(data))


def test_nodes_and_metadata_are_those_that_the_package_onnx_reads() -> None:
    data = SHIPPED.read_bytes()
    model = onnx.load_from_string(data)
    wanted = [(n.name, n.op_type, tuple(n.input), tuple(n.output)) for n in model.graph.node]
    assert [(n.name, n.operator, n.inputs, n.outputs) for n in onnx_bytes.read_nodes(data)] == wanted
    assert onnx_bytes.read_metadata(data) == {entry.key: entry.value for entry in model.metadata_props}


def test_unknown_wire_types_are_refused() -> None:
    with pytest.raises(ValueError, match="wire type"):
        onnx_bytes.read_nodes(bytes([7 << 3 | 3]))
