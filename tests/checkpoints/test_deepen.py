"""More residual blocks: the picture stays, and the new blocks can learn."""

import sys
from pathlib import Path

import pytest
import torch

from dpanet import load_model
from dpanet.errors import ConfigError
from dpanet.network.dpanet import DPANet
from dpanet.network.presets import preset
from tools.deepen import deepen, main

SMALL = {
    "widths": (12, 24),
    "decoder_widths": (),
    "blocks": (1, 1),
    "decoder_blocks": (1, 1),
    "bottleneck_width": 24,
}


def small() -> DPANet:
    network = DPANet(preset("compact", **SMALL, cost_width=8, groups=4, first_aligned=1))
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return network.eval()


def test_the_picture_stays_and_the_new_blocks_learn() -> None:
    torch.manual_seed(1)
    network = small()
    deep = deepen(network, (2, 3), (4, 2), 2, name="deep")
    assert deep.config.name == "deep" and deep.config.decoder_blocks == (4, 2)
    views = torch.rand(2, 1, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(network(*views), deep(*views))
    deep(*views).square().mean().backward()
    new = deep.decoder[0].block.residual[3].conv2.weight  # type: ignore[union-attr]
    assert new.grad is not None and new.grad.any() and not new.any()


def test_the_defocus_head_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep.safetensors"
    counts = [
        "--blocks",
        "1",
        "1",
        "1",
        "2",
        "--decoder-blocks",
        "2",
        "2",
        "2",
        "2",
        "--bottleneck-blocks",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", ["deepen", "compact", *counts, "-o", str(file)])
    main()
    deep, model = load_model(file), load_model("compact")
    assert model.description.has_defocus and not deep.description.has_defocus
    views = torch.rand(2, 1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(deep(*views), model(*views))


@pytest.mark.parametrize("blocks", [(0, 1), (1,), (1, 1, 1)])
def test_no_level_loses_blocks(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="as many or more"):
        deepen(small(), blocks, (1, 1), 1)
