from pathlib import Path

import pytest
import torch
from cli.conftest import Run

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.network import DPANet, preset


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small network without a defocus head."""
    torch.manual_seed(0)
    config = preset("compact", widths=(8,) * 4, decoder_widths=(), bottleneck_width=8, cost_width=4)
    save_model(DPANet(config), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_the_head_is_trained_and_nothing_else_changes(run: Run, tmp_path: Path, model: Path) -> None:
    output = tmp_path / "out.safetensors"
    command = ("train-defocus", model, "--photographs", "scikit-image", "--steps", 1, "-o", output)
    result = run(*command)
    assert (result.code, result.out) == (0, f"{output}\n"), result.err
    before, after = load_model(model), load_model(output)
    assert isinstance(before, DPANet) and isinstance(after, DPANet)
    assert before.defocus is None and after.defocus is not None
    for name, tensor in before.state_dict().items():
        assert torch.equal(tensor, after.state_dict()[name]), name
    again = run(*command)
    assert again.code == 1 and "exists already" in again.sentence


def test_misuse_is_named_before_training(run: Run, tmp_path: Path, model: Path) -> None:
    output = tmp_path / "out.safetensors"
    for options, says in (
        (("--photographs", "nowhere"), "nowhere, which is no folder"),
        (("--photographs", "scikit-image", "--kernels", "nowhere"), "nowhere, which is no folder"),
        (("--photographs", "scikit-image", "--steps", 0), "--steps is 0; give at least 1"),
        ((), "--photographs"),
    ):
        result = run("train-defocus", model, "-o", output, *options)
        assert result.code == 2 and says in result.sentence, result.err
    assert not output.exists()
