"""Two optimisers behind one door: every parameter moves, and each by the rule that it should."""

from copy import deepcopy

import torch

from dpanet.network import DPANet, preset
from dpanet.training.optimiser import Optimiser

RATE = 0.01


def tiny() -> DPANet:
    torch.manual_seed(0)
    return DPANet(preset("compact", widths=(8,) * 4, decoder_widths=(), bottom_width=8, cost_width=4))


def stepped(network: DPANet, optimiser: Optimiser) -> dict[str, torch.Tensor]:
    """How far each parameter moved in one step along random gradients."""
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimiser.step(RATE)
    return {name: p.detach() - before[name] for name, p in network.named_parameters()}


def test_every_parameter_moves_and_convolutions_along_orthogonal_steps() -> None:
    network = tiny()
    moved = stepped(network, Optimiser(network, RATE, 0.99, weight_decay=0.0))
    assert all(step.any() for step in moved.values())
    step = moved["encoder.1.block.conv.weight"].flatten(1)
    values = torch.linalg.svdvals(step)
    assert values.max() / values.min() < 2, "Newton and Schulz bring all singular values near one"
    assert torch.allclose(moved["head.last.weight"].abs(), torch.full((1,), RATE), atol=1e-4), (
        "AdamW's first step"
    )


def test_a_state_goes_on_where_it_stopped() -> None:
    network = tiny()
    optimiser = Optimiser(network, RATE, 0.99, weight_decay=0.0)
    stepped(network, optimiser)
    copy = tiny()
    resumed = Optimiser(copy, RATE, 0.99, weight_decay=0.0)
    copy.load_state_dict(network.state_dict())
    resumed.load_state_dict(deepcopy(optimiser.state_dict()))  # torch shares what it loads
    first, second = stepped(network, optimiser), stepped(copy, resumed)
    assert all(torch.equal(first[name], second[name]) for name in first)
