"""Weights that are averaged, and whose residual is scaled."""

from pathlib import Path

import pytest
import torch

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError
from dpanet.network import DPANet, preset
from tools.finish_weights import average, main, scale_residual


def pair(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = torch.rand((2, 1, 3, size, size), generator=torch.Generator().manual_seed(3))
    return left, right


@pytest.mark.parametrize("name", ["compact", "nano"])
def test_the_picture_is_mixed_with_the_mean_of_the_views(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "scaled.safetensors"
    monkeypatch.setattr("sys.argv", ["finish_weights", name, "--residual", "0.75", "-o", str(file)])
    main()
    views = pair()
    with torch.inference_mode():
        whole, scaled = load_model(name).eval()(*views), load_model(file).eval()(*views)
    mean = (views[0] + views[1]) / 2
    assert (whole - mean).abs().max() > 0.05
    torch.testing.assert_close(scaled, 0.25 * mean + 0.75 * whole, atol=1e-5, rtol=1e-5)


def test_shipped_weights_are_of_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for option in ([], ["--half"]):
        file = tmp_path / f"{len(option)}.safetensors"
        monkeypatch.setattr("sys.argv", ["finish_weights", "nano", *option, "-o", str(file)])
        main()
        sizes.append(file.stat().st_size)
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.01)


def test_weights_are_averaged() -> None:
    networks = [load_model("nano") for _ in range(3)]
    with torch.no_grad():
        for factor, network in zip((1.0, 2.0, 6.0), networks, strict=True):
            for parameter in network.parameters():
                parameter *= factor
    expected = {name: 3 * value for name, value in load_model("nano").state_dict().items()}
    for name, value in average(networks).state_dict().items():
        torch.testing.assert_close(value, expected[name])


def test_what_cannot_be_finished(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="different configs"):
        average([load_model("nano"), load_model("compact")])
    small = DPANet(preset("paper", widths=(8,), blocks=(1,), decoder_blocks=(1,), bottleneck_width=8))
    save_model(small, tmp_path / "paper.safetensors")
    with pytest.raises(ConfigError, match="add to the mean of the views"):
        scale_residual(load_model(tmp_path / "paper.safetensors"), 0.9)
