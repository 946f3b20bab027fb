"""Models that were saved under earlier names of the bottleneck and of the offset masks."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from dpanet.checkpoints.model_file import FORMAT, load_model
from dpanet.network import DPANet, Network, preset
from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.unet import UNet, UNetConfig

NARROW = {"widths": (8,) * 4, "decoder_widths": (), "bottleneck_width": 8, "cost_width": 4}
NETWORKS = {
    "one encoder": DPANet(preset("compact", **NARROW)),
    "two encoders": DPANet(preset("compact", **NARROW, shared_encoder=False)),
    "u-net": UNet(UNetConfig((4, 6), (1, 0), (0, 1), bottleneck_width=8, bottleneck_blocks=1)),
}


def old(name: str) -> str:
    return name.replace("bottleneck", "bottom").replace("offset_mask_", "guide_")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_a_file_with_old_names_is_read(tmp_path: Path, network: Network) -> None:
    tensors = {old(name): tensor for name, tensor in network.state_dict().items()}
    assert tensors.keys() != network.state_dict().keys()
    config = {old(key): value for key, value in network.config.to_dict().items()}
    path = tmp_path / "old.safetensors"
    save_file(tensors, path, {"format": FORMAT, "network": network.family, "config": json.dumps(config)})
    read = load_model(path)
    assert read.config == network.config
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in network.state_dict().items())


def test_old_parameters_are_loaded_wherever_the_network_stands() -> None:
    network = NETWORKS["two encoders"]
    tensors = {old(name): tensor for name, tensor in network.state_dict().items()}
    again = type(network)(network.config)
    again.load_state_dict(tensors)
    outer = torch.nn.ModuleDict({"network": type(network)(network.config)})
    outer.load_state_dict({f"network.{name}": tensor for name, tensor in tensors.items()})
    for read in (again, outer["network"]):
        assert all(torch.equal(read.state_dict()[n], t) for n, t in network.state_dict().items())


def test_the_old_switch_of_the_config_is_read() -> None:
    values = preset("paper").to_dict()
    values["bottom"] = values.pop("bottleneck")
    assert DPANetConfig.from_dict(values) == preset("paper")


def test_the_shipped_model_has_todays_names(tmp_path: Path) -> None:
    network = load_model("compact")
    assert not any("guide" in name or "bottom" in name for name in network.state_dict())
    from dpanet.checkpoints.model_file import save_model

    save_model(network, tmp_path / "again.safetensors")
    with safe_open(tmp_path / "again.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(network.state_dict())
        assert "bottleneck" in json.loads(file.metadata()["config"])
