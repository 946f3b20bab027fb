import pickle
from pathlib import Path

import pytest
import torch
from oracles import official as form
from safetensors.torch import save_file

from dpanet.checkpoints.model_file import FORMAT, load_model, save_model
from dpanet.checkpoints.official import convert_official, read_official
from dpanet.errors import OutputError, WeightsError
from dpanet.network import DPANet, build, preset

SMALL = preset("compact", widths=(8, 8, 8, 8), decoder_widths=(), bottleneck_width=8, cost_width=4)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_saved_network_comes_back(tmp_path: Path) -> None:
    network = DPANet(SMALL)
    save_model(network, tmp_path / "model.safetensors")
    read = load_model(tmp_path / "model.safetensors")
    assert read.config == SMALL
    assert not read.training
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], tensor)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    (tmp_path / "plain").touch()
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    network = DPANet(SMALL)
    save_model(network, tmp_path / "half.safetensors", torch.float16)
    save_model(network, tmp_path / "full.safetensors")
    read = load_model(tmp_path / "half.safetensors")
    assert {p.dtype for p in read.parameters()} == {torch.float32}
    sizes = [(tmp_path / f"{n}.safetensors").stat().st_size for n in ("half", "full")]
    assert sizes[0] < 0.6 * sizes[1]


def test_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"other\.safetensors is a checkpoint of another network"):
        load_model(path)


def test_weights_that_do_not_fit_the_configuration_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixed.safetensors"
    save_model(DPANet(SMALL), path)
    import json

    config = preset("compact", widths=(8, 8, 8, 16), decoder_widths=(), bottleneck_width=8, cost_width=4)
    tensors = dict(DPANet(SMALL).state_dict())
    save_file(tensors, path, {"format": FORMAT, "config": json.dumps(config.to_dict())})
    with pytest.raises(
        WeightsError, match=r"mixed\.safetensors is a checkpoint of another network: .* should be"
    ):
        load_model(path)


@pytest.mark.parametrize("config", ["{}", "null", "no json", '{"widths": 3}'])
def test_unusable_configuration_is_refused(tmp_path: Path, config: str) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"format": FORMAT, "config": config})
    with pytest.raises(WeightsError, match="unusable configuration"):
        load_model(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.safetensors"
    save_model(DPANet(SMALL), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=r"cut\.safetensors is (no readable|damaged)"):
        load_model(path)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(WeightsError, match="'colossal'"):
        load_model("colossal")


@pytest.mark.parametrize("where", ["beside", "instead"])
def test_pickle_that_runs_code_is_refused(tmp_path: Path, where: str) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    evil = Malicious(proof)
    torch.save({"G_state_dict": {}, "G_opt": evil} if where == "beside" else evil, path)
    with pytest.raises(WeightsError, match=r"evil\.pth was refused: it asks for \w+"):
        load_model(path)
    with path.with_suffix(".pt").open("wb") as stream:
        pickle.dump(evil, stream)
    with pytest.raises(WeightsError, match=r"evil\.pt is damaged or no checkpoint"):
        load_model(path.with_suffix(".pt"))
    assert not proof.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short", b"\x80\x02J\x01"])
def test_damaged_official_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.pth is damaged"):
        read_official(path)


def test_truncated_official_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.pth"
    form.write(path, {"module.conv.weight": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WeightsError, match=r"short\.pth is damaged"):
        read_official(path)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"module.conv.weight": torch.zeros(3)}, "has no 'module.conv.weight'"),
        ({"module.out.2.bias": torch.zeros(3)}, "should be"),
        ({}, "holds no weights"),
        ({"module.out.2.bias": 3}, "holds no weights"),
    ],
)
def test_official_file_of_another_network_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], why: str
) -> None:
    path = tmp_path / "other.pth"
    form.write(path, state)
    with pytest.raises(WeightsError, match=why):
        read_official(path)


def test_conversion_never_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    target.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already"):
        convert_official(tmp_path / "absent.pth", target)
    assert target.read_bytes() == b"precious"


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    network = build("unet-compact")
    files = set()
    for number in range(6):
        save_model(network, tmp_path / f"{number}.safetensors")
        files.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(files) == 1
    again = load_model(tmp_path / "0.safetensors").state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in network.state_dict().items())


def test_what_a_run_leaves_behind_is_told_apart_from_its_model(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"is a folder that holds no model; expected model\.safetensors or"
    ):
        load_model(tmp_path)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(WeightsError, match=r"is a folder, not a model; give .*/model\.safetensors"):
        load_model(tmp_path)
    torch.save({"averaged": {}, "step": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(WeightsError, match=r"state of a training run, so give .*/model\.safetensors"):
        load_model(tmp_path / "checkpoint.pt")
