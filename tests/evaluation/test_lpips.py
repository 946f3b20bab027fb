import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles.alexnet import SCALE, SHIFT, distance
from safetensors.torch import save_file

from dpanet.errors import ConfigError, PairError, ShapeError, WeightsError
from dpanet.evaluation.lpips import Lpips

CONVOLUTIONS = {
    "net.slice1.0": (64, 3, 11, 11),
    "net.slice2.3": (192, 64, 5, 5),
    "net.slice3.6": (384, 192, 3, 3),
    "net.slice4.8": (256, 384, 3, 3),
    "net.slice5.10": (256, 256, 3, 3),
}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Random weights under the names of the authors' package, as its state_dict has them."""
    random = torch.Generator().manual_seed(0)
    state = {
        "scaling_layer.shift": torch.tensor(SHIFT).reshape(1, 3, 1, 1),
        "scaling_layer.scale": torch.tensor(SCALE).reshape(1, 3, 1, 1),
    }
    for layer, (name, shape) in enumerate(CONVOLUTIONS.items()):
        spread = (2 / np.prod(shape[1:])) ** 0.5
        state[f"{name}.weight"] = torch.randn(shape, generator=random) * float(spread)
        state[f"{name}.bias"] = torch.randn(shape[0], generator=random) * 0.1
        linear = torch.rand((1, shape[0], 1, 1), generator=random)
        state[f"lin{layer}.model.1.weight"] = state[f"lins.{layer}.model.1.weight"] = linear
    return state


@pytest.fixture(scope="module")
def file(state, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lpips") / "alex.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def lpips(file) -> Lpips:
    return Lpips(file)


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.random((37, 43, 3))
    return np.clip(truth + rng.normal(0, 0.2, truth.shape), 0, 1), truth


def test_against_the_formula_written_out(lpips, state, pictures) -> None:
    weights = {name: tensor.double().numpy() for name, tensor in state.items()}
    expected = distance(*pictures, weights)
    assert expected > 0.1
    assert lpips(*pictures, data_range=1.0) == pytest.approx(expected, rel=2e-5)
    assert lpips(*pictures[::-1], data_range=1.0) == pytest.approx(expected, rel=2e-5)


def test_identical_pictures_are_at_distance_0(lpips, pictures) -> None:
    assert lpips(pictures[0], pictures[0].copy(), data_range=1.0) == 0


def test_values_are_clipped_to_the_data_range(lpips, pictures) -> None:
    output, truth = pictures
    plain = lpips(output, truth, data_range=1.0)
    assert lpips(output * 255, truth * 255, data_range=255) == pytest.approx(plain, rel=1e-5)
    beyond = np.where(output == 1, 1.7, np.where(output == 0, -0.3, output))
    assert (beyond != output).any()
    assert lpips(beyond, truth, data_range=1.0) == pytest.approx(plain, rel=1e-6)
    assert lpips(output, truth, data_range=2.0) != pytest.approx(plain, rel=1e-2)


def test_the_file_is_told_by_its_hash(lpips, file) -> None:
    assert lpips.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_safetensors_hold_the_same(lpips, state, pictures, tmp_path) -> None:
    save_file({k: v for k, v in state.items() if not k.startswith("lins.")}, tmp_path / "alex.safetensors")
    other = Lpips(tmp_path / "alex.safetensors")
    assert other(*pictures, data_range=1.0) == lpips(*pictures, data_range=1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_never_passes(lpips, pictures, bad) -> None:
    broken = pictures[0].copy()
    broken[3, 4, 1] = bad
    for pair in ((broken, pictures[1]), (pictures[1], broken)):
        with pytest.raises(PairError, match="contains NaN or infinity"):
            lpips(*pair, data_range=1.0)


def test_what_has_no_score_is_refused(lpips, pictures) -> None:
    output, truth = pictures
    with pytest.raises(ShapeError, match=r"\(36, 43, 3\)"):
        lpips(output[1:], truth, data_range=1.0)
    with pytest.raises(ShapeError, match="31 px a side"):
        lpips(output[:30], truth[:30], data_range=1.0)
    with pytest.raises(ShapeError, match="three channels"):
        lpips(output[..., :1], truth[..., :1], data_range=1.0)
    with pytest.raises(ConfigError, match="data_range is 0"):
        lpips(output, truth, data_range=0)
    assert lpips(output[:31, :31], truth[:31, :31], data_range=1.0) > 0


class Shell:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch was_run",)


def test_wrong_files_are_refused(state, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    with pytest.raises(WeightsError, match=r"weights\.pth does not exist"):
        Lpips(path)
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"weights\.pth is damaged"):
        Lpips(path)
    path.write_bytes(pickle.dumps({"net": Shell()}))
    with pytest.raises(WeightsError, match="could run code"):
        Lpips(path)
    assert not (tmp_path / "was_run").exists()
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="contains no named tensors"):
        Lpips(path)
    torch.save({**state, "lin5.model.1.weight": torch.zeros(1, 512, 1, 1)}, path)
    with pytest.raises(WeightsError, match=r"lin5.model.1.weight should be absent and is \(1, 512, 1, 1\)"):
        Lpips(path)
    torch.save({**state, "net.slice1.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(WeightsError, match=r"should be \(64, 3, 11, 11\) and is \(64, 3, 3, 3\) \(1 such"):
        Lpips(path)
    torch.save({**state, "net.slice1.0.bias": torch.full((64,), float("nan"))}, path)
    with pytest.raises(WeightsError, match="contains NaN"):
        Lpips(path)
    (tmp_path / "weights.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"weights\.safetensors is damaged"):
        Lpips(tmp_path / "weights.safetensors")
