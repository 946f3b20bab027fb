"""Two optimizers behind one door: every parameter moves, and each by the rule that it should."""

from copy import deepcopy

import pytest
import torch

from dpanet.network import DPANet, preset
from dpanet.network.alignment import OffsetMask
from dpanet.network.fusion import Head
from dpanet.training.config import OptimizerConfig
from dpanet.training.optimizer import Optimizer

RATE = 0.01
MUON = OptimizerConfig(weight_decay=0.0)


def tiny() -> DPANet:
    torch.manual_seed(0)
    return DPANet(preset("compact", widths=(8,) * 4, decoder_widths=(), bottleneck_width=8, cost_width=4))


def stepped(network: DPANet, optimizer: Optimizer) -> dict[str, torch.Tensor]:
    """How far each parameter moved in one step along random gradients."""
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step(RATE)
    return {name: p.detach() - before[name] for name, p in network.named_parameters()}


def test_every_parameter_moves_and_convolutions_along_orthogonal_steps() -> None:
    network = tiny()
    moved = stepped(network, Optimizer(network, MUON))
    assert all(step.any() for step in moved.values())
    step = moved["encoder.1.block.conv.weight"].flatten(1)
    values = torch.linalg.svdvals(step)
    assert values.max() / values.min() < 2, "Newton and Schulz bring all singular values near one"
    assert torch.allclose(moved["head.last.weight"].abs(), torch.full((1,), RATE), atol=1e-4), (
        "AdamW's first step"
    )


def test_offset_masks_and_heads_are_left_to_adamw() -> None:
    """By their classes, so that a new name of theirs is noticed."""
    network = tiny()
    parts = [m for m in network.modules() if isinstance(m, OffsetMask | Head)]
    adamw = {id(parameter) for part in parts for parameter in part.parameters()}
    assert len(parts) > 2
    assert not adamw & {id(parameter) for parameter in Optimizer(network, MUON).convolutions}


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adam_moves_every_weight_by_the_rate_and_adamw_decays(kind: str) -> None:
    network = tiny()
    decay = 0.5 if kind == "adamw" else 0.0
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    config = OptimizerConfig(kind=kind, weight_decay=decay)  # type: ignore[arg-type]
    moved = stepped(network, Optimizer(network, config))
    for name, step in moved.items():
        step = step + RATE * decay * before[name]
        assert torch.allclose(step.abs(), torch.full((1,), RATE), atol=1e-4), name


def test_what_is_held_still_stays() -> None:
    network = tiny()
    network.head.requires_grad_(False)
    moved = stepped(network, Optimizer(network, OptimizerConfig(weight_decay=0.5)))
    assert not any(step.any() for name, step in moved.items() if name.startswith("head"))
    assert all(step.any() for name, step in moved.items() if not name.startswith("head"))


def test_a_state_goes_on_where_it_stopped() -> None:
    network = tiny()
    optimizer = Optimizer(network, MUON)
    stepped(network, optimizer)
    copy = tiny()
    resumed = Optimizer(copy, MUON)
    copy.load_state_dict(network.state_dict())
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))  # torch shares what it loads
    first, second = stepped(network, optimizer), stepped(copy, resumed)
    assert all(torch.equal(first[name], second[name]) for name in first)
