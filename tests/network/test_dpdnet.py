from pathlib import Path

import numpy as np
import pytest
import torch
from network.cost import macs
from safetensors.torch import save_file

from dpanet.checkpoints.model_file import FORMAT, load_model, save_model
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError, ShapeError, WeightsError
from dpanet.network import PRESETS, DPANet, build
from dpanet.network.dpdnet import DPDNET_PRESETS, DPDNet, DPDNetConfig
from dpanet.pair import DualPixelPair

TINY = DPDNetConfig(widths=(4, 6, 8), name="tiny-dpdnet")


def pair(height: int, width: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = torch.rand(2, batch, 3, height, width, generator=torch.Generator().manual_seed(height))
    return left, right


def test_the_published_graph_has_its_layers_parameters() -> None:
    """The sum over the layers as the official code lists them: (inputs, outputs, side of the kernel)."""
    widths = (64, 128, 256, 512, 1024)
    layers = [(3, 3, 1), (64, 3, 3)]
    for given, width in zip((6, *widths), widths, strict=False):
        layers += [(given, width, 3), (width, width, 3)]
    for width in widths[:-1]:
        layers += [(2 * width, width, 2), (2 * width, width, 3), (width, width, 3)]
    expected = sum(given * out * side**2 + out for given, out, side in layers)
    with torch.device("meta"):
        network = DPDNet(DPDNET_PRESETS["dpdnet"])
    assert sum(p.numel() for p in network.parameters()) == expected
    assert 31.03e6 < expected < 31.44e6


def test_the_compact_one_costs_what_compact_costs() -> None:
    assert macs("dpdnet-compact") == pytest.approx(macs("compact"), rel=0.05)


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 33), (40, 23)])
@pytest.mark.parametrize("levels", [2, 3, 5])
def test_any_size_works(size: tuple[int, int], levels: int) -> None:
    network = DPDNet(DPDNetConfig(widths=(4,) * levels)).eval()
    with torch.inference_mode():
        output = network(*pair(*size))
    assert output.shape == (1, 3, *size)
    assert output.min() >= 0 and output.max() <= 1


@pytest.mark.parametrize("levels", [2, 3])
def test_the_halo_holds_and_what_lies_within_matters(levels: int) -> None:
    network = DPDNet(DPDNetConfig(widths=(4,) * levels)).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1 / parameter[0].numel() if parameter.dim() > 1 else 0)  # no path is silent
    halo, step = network.description.halo, network.description.multiple_of
    side = 2 * halo + 2 * step
    view = 0.1 * torch.rand(1, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    other = view.clone()
    other[..., 0] = 0.2  # the outermost column, brightest so that pooling passes it on
    with torch.inference_mode():
        moved = (network(view, view) - network(other, view)).abs().amax((0, 1, 2))
    assert not moved[halo + 1 :].any()
    assert moved[: halo // 2].all()


def test_dropout_is_for_training_alone() -> None:
    torch.manual_seed(0)
    network = DPDNet(TINY)
    views = pair(16, 16)
    with torch.inference_mode():
        assert not torch.equal(network(*views), network(*views))
        network.eval()
        assert torch.equal(network(*views), network(*views))


def test_views_are_told_apart_and_have_to_fit() -> None:
    network = DPDNet(TINY).eval()
    left, right = pair(32, 32)
    with torch.inference_mode():
        assert not torch.equal(network(left, right), network(right, left))
    with pytest.raises(ShapeError):
        network(left, right[..., :-1])
    with pytest.raises(ShapeError):
        network(left[..., :15], right[..., :15])


def test_either_family_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    network = DPDNet(TINY)
    save_model(network, path)
    read = load_model(path)
    assert isinstance(read, DPDNet) and read.config == TINY and not read.training
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], tensor)


def test_a_file_that_names_no_network_is_ours(tmp_path: Path) -> None:
    import json

    path = tmp_path / "old.safetensors"
    network = build("compact")
    save_file(network.state_dict(), path, {"format": FORMAT, "config": json.dumps(network.config.to_dict())})
    assert isinstance(load_model(path), DPANet)


@pytest.mark.parametrize(
    ("name", "config"), [("restormer", "{}"), ("dpdnet", '{"widths": [4]}'), ("dpdnet", "{}")]
)
def test_an_unknown_network_or_configuration_is_refused(tmp_path: Path, name: str, config: str) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"format": FORMAT, "network": name, "config": config})
    with pytest.raises(WeightsError, match=r"odd\.safetensors carries an unusable configuration"):
        load_model(path)


def test_every_preset_of_both_families_is_built_by_name() -> None:
    assert build("compact").config == PRESETS["compact"]
    with torch.device("meta"):
        for name in DPDNET_PRESETS:
            assert build(name).config == DPDNET_PRESETS[name]
    with pytest.raises(ConfigError, match=r"'grand'.*compact.*dpdnet-compact"):
        build("grand")


@pytest.mark.parametrize(
    "changes", [{"widths": (4,)}, {"widths": (4, 0)}, {"widths": (4, 4), "dropout": 1}], ids=str
)
def test_impossible_settings_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        DPDNetConfig(**changes)  # type: ignore[arg-type]


def test_a_deblurrer_runs_it_in_tiles() -> None:
    torch.manual_seed(0)
    network = DPDNet(DPDNetConfig(widths=(4, 4))).eval()
    views = np.random.default_rng(0).random((2, 70, 90, 3), dtype=np.float32)
    pictures = [Deblurrer(network, tile=tile, precision="float32")(DualPixelPair(*views)) for tile in (0, 64)]
    np.testing.assert_allclose(pictures[1].pixels, pictures[0].pixels, atol=1e-5)
