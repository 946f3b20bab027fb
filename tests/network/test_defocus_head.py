import pytest
import torch

from dpanet.errors import ConfigError
from dpanet.network import DPANet, preset

NARROW = {"widths": (8,) * 4, "decoder_widths": (), "bottleneck_width": 8, "cost_width": 4}


def test_the_map_has_the_size_of_any_picture_and_leaves_it_alone() -> None:
    torch.manual_seed(0)
    network = DPANet(preset("compact", **NARROW, defocus=True)).eval()
    for size in ((16, 16), (37, 70)):
        left, right = torch.rand(2, 2, 3, *size)
        picture, radius = network.with_defocus(left, right)
        assert radius.shape == (2, 1, *size)
        assert torch.equal(picture, network(left, right))


def test_the_map_lies_over_the_picture() -> None:
    """What is told of a place must come from that place: a change in one corner moves the map there most."""
    torch.manual_seed(0)
    network = DPANet(preset("compact", **NARROW, defocus=True)).eval()
    left, right = torch.rand(2, 1, 3, 128, 128)
    other = left.clone()
    other[..., 8:16, 100:108] = 0
    moved = (network.with_defocus(left, right)[1] - network.with_defocus(other, right)[1]).abs()[0, 0]
    row, column = divmod(int(moved.argmax()), 128)
    assert row < 28 and 88 < column < 120


def test_a_network_without_the_head_says_so() -> None:
    network = DPANet(preset("compact", **NARROW, name="plain"))
    with pytest.raises(ConfigError, match="'plain' has no defocus map"):
        network.with_defocus(*torch.rand(2, 1, 3, 16, 16))
