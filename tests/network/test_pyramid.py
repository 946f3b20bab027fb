"""Every level of the decoder adds what its own scale can tell."""

import pytest
import torch
import torch.nn.functional as F

from dpanet.network import DPANet, preset

NARROW = {"widths": (8,) * 4, "decoder_widths": (8, 8, 16, 8), "bottleneck_width": 8, "cost_width": 4}


@pytest.fixture
def network() -> DPANet:
    torch.manual_seed(0)
    return DPANet(preset("compact", **NARROW)).eval()


def test_untrained_every_scale_is_the_combined_picture(network: DPANet) -> None:
    left, right = torch.rand(2, 1, 3, 64, 96)
    pictures = network.with_scales(left, right)
    assert [tuple(p.shape[-2:]) for p in pictures] == [(64, 96), (16, 24), (8, 12), (4, 6)]
    for picture in pictures:
        step = 96 // picture.shape[-1]
        torch.testing.assert_close(picture, F.avg_pool2d((left + right) / 2, step))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_a_level_adds_reaches_all_that_are_finer(network: DPANet, level: int) -> None:
    left, right = torch.rand(2, 1, 3, 64, 96)
    before = network.with_scales(left, right)
    network.head.coarse[level].bias.data += 0.25
    after = network.with_scales(left, right)
    for scale, (one, other) in enumerate(zip(before, after, strict=True)):
        moved = 0.25 if scale <= level + 1 else 0.0
        torch.testing.assert_close(other - one, torch.full_like(one, moved))


def test_the_residual_head_has_no_scales() -> None:
    network = DPANet(preset("compact", **NARROW, head="residual"))
    assert len(network.with_scales(*torch.rand(2, 1, 3, 32, 32))) == 1


def test_the_deepest_level_learns_from_the_first_step_on(network: DPANet) -> None:
    """Its own head is one convolution away from the loss; through the finer levels alone it learned nothing."""
    left, right, truth = torch.rand(3, 1, 3, 64, 64)
    picture = network(left, right)
    ((picture - truth) ** 2).mean().backward()
    assert network.head.coarse[-1].weight.grad.abs().max() > 0
