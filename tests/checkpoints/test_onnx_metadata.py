"""The metadata of an ONNX file, against the package onnx."""

from pathlib import Path

import onnx
import pytest

from dpanet.checkpoints.exported_model import KEY
from dpanet.checkpoints.onnx_metadata import read_metadata
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file


@pytest.mark.parametrize("suffix", [".onnx", "-int8.onnx"])
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models(name: str, suffix: str) -> None:
    file = Path(str(shipped_file(name, suffix)))
    entries = {entry.key: entry.value for entry in onnx.load(file, load_external_data=False).metadata_props}
    assert len(entries[KEY]) > 100
    assert {key: read_metadata(file, key) for key in entries} == entries
    assert read_metadata(file, "another") is None


def test_the_one_of_several_wherever_it_stands(tmp_path: Path) -> None:
    network = onnx.ModelProto(ir_version=10, producer_name="p" * 300)
    for key, value in (("a", "1"), ("b", "\N{GREEK SMALL LETTER BETA}" * 200), ("c", "3")):
        network.metadata_props.add(key=key, value=value)
    content = network.SerializeToString()
    for data in (content, onnx.ModelProto(graph=onnx.GraphProto(name="g")).SerializeToString() + content):
        (tmp_path / "a.onnx").write_bytes(data)
        assert read_metadata(tmp_path / "a.onnx", "b") == "\N{GREEK SMALL LETTER BETA}" * 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7f\x7f\x7f",
        b"\x72\x80",
        b"\x72\x05\x0a",
        b"\x3f",
        b"\x72\x02\x12\x00",
        b"\x72\x03\x0a\x01\xff",
    ],
)
def test_what_is_no_onnx_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    assert read_metadata(tmp_path / "a.onnx", "a") is None


def test_every_beginning_of_a_file(tmp_path: Path) -> None:
    network = onnx.ModelProto(ir_version=10)
    network.metadata_props.add(key="key", value="value")
    content = network.SerializeToString()
    for length in range(len(content)):
        (tmp_path / "a.onnx").write_bytes(content[:length])
        assert read_metadata(tmp_path / "a.onnx", "key") is None
    (tmp_path / "a.onnx").write_bytes(content)
    assert read_metadata(tmp_path / "a.onnx", "key") == "value"


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"a\.onnx"):
        read_metadata(tmp_path / "a.onnx", "a")
