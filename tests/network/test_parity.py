"""The published network, exactly: outputs of its graph in float64, weights filled by rule."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles import official as form

import dpanet.network.alignment as alignment
import dpanet.network.features as features
import dpanet.network.fusion as fusion
from dpanet.checkpoints.model_file import load_model
from dpanet.checkpoints.official import convert_official, read_official, rename
from dpanet.network import DPANet, preset

TOLERANCE = 1e-5
CASES = dict(np.load(form.GOLDEN / "cases.npz"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("official") / "official.pth"
    form.write(path)
    return path


@pytest.fixture(scope="module")
def network(checkpoint: Path) -> DPANet:
    return read_official(checkpoint)


def difference(network: Callable[..., torch.Tensor], name: str) -> float:
    """Largest absolute difference on a case; ours is RGB, the cases are BGR."""
    left, right = (torch.from_numpy(CASES[f"{name}_{side}"]).flip(1) for side in ("left", "right"))
    with torch.inference_mode():
        output = network(left, right).flip(1).numpy()
    return float(np.abs(output - CASES[f"{name}_output"]).max())


@pytest.mark.parametrize("name", ["noise", "batch", "tall"])
def test_outputs_equal_the_published_graphs(network: DPANet, name: str) -> None:
    assert difference(network, name) < TOLERANCE


def test_parameters_are_the_published_ones(network: DPANet) -> None:
    assert sum(p.numel() for p in network.parameters()) == 63_983_859
    ours = {n: list(p.shape) for n, p in network.state_dict().items()}
    assert {rename(n): s for n, s in form.shapes().items()} == ours


def test_converted_file_gives_the_same_in_rgb(checkpoint: Path, tmp_path: Path) -> None:
    target = tmp_path / "paper.safetensors"
    convert_official(checkpoint, target)
    converted = load_model(target)
    assert converted.config == preset("paper")
    assert difference(converted, "noise") < TOLERANCE


def test_pooled_bottleneck_is_another_network(network: DPANet) -> None:
    """The figure's graph differs from the official code's, which keeps the central crop."""
    figure = DPANet(preset("paper", bottleneck="pooled")).eval()
    figure.load_state_dict(network.state_dict())
    assert difference(figure, "noise") > 100 * TOLERANCE


FAULTS = {
    "another slope": (features, "SLOPE", 0.2),
    "crop at the corner": (fusion, "pad_or_crop", lambda x, h, w: x[..., :h, :w]),
    "views swapped in the correlation": (alignment, "correlation", lambda a, b, r: ORIGINAL(b, a, r)),
}
ORIGINAL = alignment.correlation


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_caught(network: DPANet, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(*FAULTS[fault])
    assert difference(network, "noise") > TOLERANCE


def test_right_before_left_in_the_decoder_is_caught(network: DPANet, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: fusion.DecoderAlignment, left: torch.Tensor, right: torch.Tensor, deep: torch.Tensor):
        right = self.deform_right(right, self.offset_mask_right(torch.cat((left, right, deep), 1)))
        return self.deform_left(left, self.offset_mask_left(torch.cat((left, right, deep), 1))), right

    monkeypatch.setattr(fusion.DecoderAlignment, "forward", wrong)
    assert difference(network, "noise") > 100 * TOLERANCE
