from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from benchmark.example import RESULTS

from dpanet.benchmark import onnx_bytes, rates
from dpanet.benchmark.results import ConvolutionRate, Part


def run_file(file: bytes, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def weights(dtype: type) -> list[np.ndarray]:
    """Those of the files, made by the same generator."""
    rng = np.random.default_rng(0)
    shape = (8, 8, 3, 3)
    if dtype is np.int8:
        return [rng.integers(-64, 64, shape).astype(np.int8) for _ in range(rates.LAYERS)]
    return [rng.normal(0, 72**-0.5, shape).astype(np.float32) for _ in range(rates.LAYERS)]


def test_the_file_computes_the_convolutions_that_torch_computes() -> None:
    x = np.random.default_rng(1).random((1, 8, 12, 12), np.float32)
    wanted = torch.from_numpy(x).double()
    for weight in weights(np.float32):
        wanted = F.conv2d(wanted, torch.from_numpy(weight).double(), padding=1)
    np.testing.assert_allclose(run_file(rates.convolutions(8, 12), x), wanted.numpy(), atol=1e-5)


def test_the_quantized_file_computes_convolutions_of_bytes() -> None:
    x = np.random.default_rng(1).integers(0, 256, (1, 8, 12, 12)).astype(np.uint8)
    wanted = torch.from_numpy(x).double()
    for weight in weights(np.int8):
        sums = F.conv2d(wanted - 128, torch.from_numpy(weight).double(), padding=1)
        wanted = (sums * 0.02).round().clip(-128, 127) + 128
    difference = np.abs(run_file(rates.quantized_convolutions(8, 12), x).astype(float) - wanted.numpy())
    assert difference.max() <= 1 and difference.mean() < 0.02, "the scale is a float32 number"


def test_rates_count_two_operations_a_multiply_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "SHAPES", ((8, 10),))
    monkeypatch.setattr(rates, "run_repeatedly", lambda function, runs: [2e-3, 1e-3, 3e-3])
    said: list[str] = []
    measured = rates.measure_rates(1, 2, said.append)
    operations = 2 * rates.LAYERS * (8 * 10 * 10) * (8 * 3 * 3)
    for rate in measured:
        assert rate.gflops == pytest.approx(operations / 1e-3 / 1e9)
    assert [f"convolutions, {rate.engine}, {rate.precision}" for rate in measured] == said
    assert {"onnxruntime", "openvino", "torch"} == {rate.engine for rate in measured}


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "torch"])
def test_every_engine_runs(engine: str) -> None:
    rates.prepare(engine, "float32", 8, 12, threads=1)()


def test_engines_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates.importlib.util, "find_spec", lambda name: None)
    assert {engine for engine, _ in rates._candidates()} == {"onnxruntime"}


def test_the_best_rate_is_that_of_the_same_precision() -> None:
    measured = [
        ConvolutionRate("onnxruntime", "float32", 100.0, 64, 256),
        ConvolutionRate("torch", "float32", 120.0, 64, 256),
        ConvolutionRate("torch", "bfloat16", 300.0, 64, 256),
    ]
    assert rates.best_rate(measured, "float32") == 120e9
    assert rates.best_rate(measured, "int8") is None


def test_the_names_of_the_chain_follow_one_another() -> None:
    nodes = onnx_bytes.read_nodes(rates.convolutions(8, 12))
    assert [node.outputs for node in nodes] == [("h1",), ("h2",), ("h3",), ("y",)]


def test_of_two_measurements_the_faster_counts_and_a_difference_is_said() -> None:
    before = [
        ConvolutionRate("onnxruntime", "float32", 100.0, 64, 256),
        ConvolutionRate("torch", "float32", 190.0, 64, 256),
        ConvolutionRate("torch", "bfloat16", 300.0, 64, 256),
    ]
    after = [replace(rate, gflops=gflops) for rate, gflops in zip(before, (190.0, 100.0, 310.0), strict=True)]
    joined, remarks = rates.join_rates(before, after)
    assert [rate.gflops for rate in joined] == [190.0, 190.0, 310.0]
    assert len(remarks) == 2
    assert "onnxruntime, float32, ran at 100 GFLOP/s before the networks and at 190 after" in remarks[0]
    assert "torch, float32, ran at 190 GFLOP/s before the networks and at 100 after" in remarks[1]


def test_shares_are_those_of_the_best_rate() -> None:
    measured = [ConvolutionRate("torch", "float32", 100.0, 64, 256)]
    part = Part("compact", "float32", "encoder 0", 3e9, 0.15, 9.0)
    assert rates.update_share(part, measured).share == pytest.approx(2 * 3e9 / 0.15 / 100e9)
    assert rates.update_share(replace(part, precision="int8"), measured).share is None
    assert rates.update_share(replace(part, multiply_adds=0.0), measured).share is None
    one = replace(RESULTS.passes[0], share=9.0)
    assert rates.update_share(one, measured).share == pytest.approx(2 * 4e9 / 0.25 / 100e9)
