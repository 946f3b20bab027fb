"""Weights put into an ONNX file, against the package onnx, which reads them from the file beside it."""

import shutil
from pathlib import Path

import onnx
import pytest

from dpanet.checkpoints.embedded_weights import embed_weights
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file


@pytest.mark.parametrize("suffix", [".onnx", "-int8.onnx"])
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models(name: str, suffix: str, tmp_path: Path) -> None:
    file = Path(str(shipped_file(name, suffix)))
    content = embed_weights(file)
    wanted = onnx.load(file)  # with the weights from beside it
    for tensor in wanted.graph.initializer:
        del tensor.external_data[:]
        tensor.ClearField("data_location")
    read = onnx.load_from_string(content)
    for tensor in read.graph.initializer:
        assert not tensor.external_data and tensor.HasField("raw_data")
    assert read == wanted
    (tmp_path / "model.onnx").write_bytes(content)
    assert embed_weights(tmp_path / "model.onnx") == content


@pytest.fixture
def nano(tmp_path: Path) -> Path:
    for suffix in (".onnx", ".safetensors"):
        shutil.copyfile(str(shipped_file("nano", suffix)), tmp_path / f"nano{suffix}")
    return tmp_path / "nano.onnx"


def test_weights_that_are_missing_or_short(nano: Path) -> None:
    weights = nano.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"nano\.safetensors is shorter than it should be"):
        embed_weights(nano)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r"nano\.safetensors"):
        embed_weights(nano)


def test_a_file_outside_of_the_folder_is_not_read(nano: Path) -> None:
    nano.write_bytes(nano.read_bytes().replace(b"nano.safetensors", b"../a.safetensors"))
    with pytest.raises(ValueError, match=r"it reads '\.\./a\.safetensors', which is not in its folder"):
        embed_weights(nano)


@pytest.mark.parametrize("content", [b"\x7f\x7f\x7f", b"\x3a\x80", b"\x3a\x05\x0a", b"\x3f"])
def test_what_is_no_onnx_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"it is no ONNX file|it ends early"):
        embed_weights(tmp_path / "a.onnx")


def test_a_file_that_was_cut(nano: Path) -> None:
    nano.write_bytes(nano.read_bytes()[:-100])
    with pytest.raises(ValueError, match="it ends early"):
        embed_weights(nano)
