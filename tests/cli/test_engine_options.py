"""What an engine cannot do is one sentence on the command line, and nothing is written."""

import os
import sys
from pathlib import Path

import onnx
import pytest
from cli.conftest import Run, listing

from dpanet.checkpoints.shipped_models import shipped_file


def read_network() -> bytes:
    """Return the exported nano as one file, also where its weights lie in another."""
    data: bytes = onnx.load(str(shipped_file("nano", ".onnx"))).SerializeToString()
    return data


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ("--engine onnxruntime --model a.safetensors", 2, "a.safetensors is no file that the engine onnxruntime"),
        ("--engine onnxruntime --device cuda", 2, "device is 'cuda', but ONNX Runtime has only cpu here"),
        ("--engine openvino --precision int8", 2, "openvino it must be one of auto, float32, bfloat16"),
        ("--model a.onnx --precision int8", 2, "precision is 'int8', and a.onnx computes in float32"),
        ("--model nono", 1, "there is no model 'nono'; name a shipped one (compact, nano) or an existing file"),
        ("--model damaged.onnx", 1, "damaged.onnx cannot be loaded by ONNX Runtime"),
        ("--model l.png", 1, "l.png is no model; give a file of `dpanet export` (.onnx, .xml)"),
        ("--model a.onnx --engine torch", 2, "a.onnx is a file for the engine onnxruntime, not for torch"),
        ("--device gpu", 2, "device is 'gpu'; it must be one of auto, cpu, cuda, coreml, directml"),
        ("--threads 0", 2, "threads is 0; it must be at least 1"),
        ("--engine openvino", 1, "the engine openvino needs packages of the extra openvino"),
    ],
)  # fmt: skip
def test_one_sentence(
    run: Run,
    views: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "dpanet.engines.openvino_engine", raising=False)
    if options == "--engine openvino":
        monkeypatch.setitem(sys.modules, "openvino", None)
    network = read_network()
    for name, data in (("a.onnx", network), ("a.safetensors", network), ("damaged.onnx", network[:9999])):
        Path(name).write_bytes(data)
    before = listing(tmp_path)
    result = run("deblur", *views, "-o", "out.png", *options.split())
    assert (result.code, result.out) == (code, "")
    assert sentence in result.sentence
    assert listing(tmp_path) == before


@pytest.mark.parametrize("threads", [1, 2, 99])
def test_an_exported_file(
    run: Run, views: tuple[Path, Path], tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    path = tmp_path / "mine.onnx"
    path.write_bytes(read_network())
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--model", path, "--threads", threads)
    assert result.code == 0 and (tmp_path / "out.png").is_file()
    if threads <= 2:
        assert result.err == ""
    else:
        assert result.err.startswith("dpanet: note: threads is 99, and this process may use 2 processors; ")
        assert result.err.count("\n") == 1
