"""What the published network computes in fewer steps equals its plain form, in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import dpanet.network.dpanet as dpanet
from dpanet.network import DPANet, preset
from dpanet.network.fusion import NearestUpsample, crop_unused
from dpanet.network.ops.exported import exporting


def difference(height: int, width: int) -> float:
    torch.manual_seed(0)
    network = DPANet(preset("paper", widths=(2, 2, 2, 4), blocks=(1, 1, 1, 1), bottleneck_width=4)).double()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is not None
            nn.init.normal_(module.bias, std=0.1)
    views = torch.rand(2, 1, 3, height, width, dtype=torch.float64)
    with torch.no_grad():
        quick = network(*views)
        with exporting("plain"):
            plain = network(*views)
    return float((quick - plain).abs().max())


@pytest.mark.parametrize(("height", "width"), [(16, 200), (184, 24), (136, 192)])
def test_the_cropped_bottleneck_loses_nothing(height: int, width: int) -> None:
    assert difference(height, width) < 1e-12


def test_something_is_cropped() -> None:
    assert crop_unused(torch.zeros(1, 1, 64, 9), 5).shape == (1, 1, 44, 9)


def test_one_pixel_too_much_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpanet, "crop_unused", lambda x, margin: crop_unused(x, margin - 1))
    assert difference(136, 192) > 1e-9


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 6)])
def test_nearest_upsampling_is_the_enlarged_convolution(height: int, width: int) -> None:
    up = NearestUpsample(3, 4).double()
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    enlarged = F.pad(F.interpolate(x, scale_factor=2, mode="nearest"), (0, 1, 0, 1))
    torch.testing.assert_close(up(x), F.conv2d(enlarged, up.conv.weight, up.conv.bias))
