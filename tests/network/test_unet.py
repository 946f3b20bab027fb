from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network.cost import macs

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError, ShapeError, WeightsError
from dpanet.network.unet import UNet, UNetConfig

TINY = UNetConfig(
    widths=(4, 6),
    blocks=(1, 0),
    decoder_blocks=(0, 1),
    bottleneck_width=8,
    bottleneck_blocks=1,
    name="tiny-unet",
)


def pair(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = torch.rand(2, 1, 3, height, width, generator=torch.Generator().manual_seed(height))
    return left, right


def stirred(config: UNetConfig = TINY) -> UNet:
    """A network whose heads are not zero."""
    torch.manual_seed(5)
    network = UNet(config).eval()
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.normal_(std=0.1)
    return network


def test_it_costs_what_compact_costs() -> None:
    assert macs("unet-compact") == pytest.approx(macs("compact"), rel=0.03)
    assert 11_000 < macs("nano") < 14_000


def test_untrained_it_returns_the_combined_picture() -> None:
    left, right = pair(40, 24)
    with torch.inference_mode():
        assert torch.equal(UNet(TINY).eval()(left, right), (left + right) * 0.5)


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (33, 16), (64, 48)])
def test_any_size_works_and_the_finest_scale_is_the_picture(size: tuple[int, int]) -> None:
    network = stirred()
    left, right = pair(*size)
    with torch.inference_mode():
        pictures = network.with_scales(left, right)
        assert torch.equal(pictures[0], network(left, right))
    assert pictures[0].shape == (1, 3, *size)
    padded = [side + -side % TINY.multiple_of for side in size]
    assert [p.shape[-2:] for p in pictures[1:]] == [(padded[0] // 4, padded[1] // 4)]


@pytest.mark.parametrize("side", [1, 4])
def test_pixels_of_a_square_become_channels(side: int) -> None:
    network = stirred(replace(TINY, unshuffle=side))
    assert network.description.multiple_of == 4 * side
    left, right = pair(16 + side + 1, 28)
    with torch.inference_mode():
        pictures = network.with_scales(left, right)
        padded = [-(-length // (4 * side)) * 4 * side for length in left.shape[-2:]]
        assert [p.shape[-2:] for p in pictures] == [
            left.shape[-2:],
            (padded[0] // (2 * side), padded[1] // (2 * side)),
        ]
        left[..., : side // 2 + 1, :side] += 0.3  # pixels of one square, which only their own channels show
        assert (network(left, right) - pictures[0])[..., :side, :side].abs().max() > 1e-4


def test_it_tells_the_views_apart_and_every_level_has_a_say() -> None:
    network = stirred()
    left, right = pair(32, 32)
    with torch.inference_mode():
        picture = network(left, right)
        assert (network(right, left) - picture).abs().max() > 1e-3
        for changed in (
            (left, right.flip(-1)),
            (left.flip(-1), right),
        ):  # what is added depends on either view
            added = network(*changed) - sum(changed) * 0.5
            assert (added - (picture - (left + right) * 0.5)).abs().max() > 1e-3
        for part in (network.bottleneck, *network.encoder):
            kept = part.conv.bias.clone()
            part.conv.bias.add_(1)
            assert (network(left, right) - picture).abs().max() > 1e-4
            part.conv.bias.copy_(kept)


def test_it_is_written_and_read(tmp_path: Path) -> None:
    network = stirred()
    save_model(network, tmp_path / "unet.safetensors")
    again = load_model(tmp_path / "unet.safetensors")
    assert isinstance(again, UNet)
    assert again.config == TINY
    with torch.inference_mode():
        assert torch.equal(again(*pair(24, 24)), network(*pair(24, 24)))


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one for each level"):
        UNetConfig((4, 6), (1,), (1, 1), 8, 1)
    with pytest.raises(ConfigError, match="1 to 4096"):
        UNetConfig((4, 0), (1, 1), (1, 1), 8, 1)
    with pytest.raises(ConfigError, match="unshuffle is 3"):
        replace(TINY, unshuffle=3)
    with pytest.raises(ConfigError, match="unknown key 'depth'"):
        UNetConfig.from_dict({**TINY.to_dict(), "depth": 3})
    with pytest.raises(ShapeError, match="one shape"):
        stirred()(*(torch.rand(1, 3, 16, side) for side in (16, 32)))
    network = stirred()
    network.config = UNetConfig((4, 7), (1, 0), (0, 1), 8, 1)
    save_model(network, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="another network"):
        load_model(tmp_path / "other.safetensors")
