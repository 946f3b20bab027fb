"""The weights that come with the package."""

from importlib import resources

import pytest

from dpanet import Deblurrer, DualPixelPair, load_model
from dpanet.evaluation.metrics import psnr
from dpanet.network.weights import SHIPPED
from dpanet.simulation.demo import demo_pair


@pytest.mark.parametrize("name", SHIPPED)
def test_weights_are_there_small_and_of_their_preset(name: str) -> None:
    file = resources.files("dpanet.network") / "shipped" / f"{name}.safetensors"
    assert len(file.read_bytes()) <= 16_000_000
    assert load_model(name).config.name == name


@pytest.mark.parametrize("name", SHIPPED)
def test_a_simulated_pair_becomes_sharper(name: str) -> None:
    pair, truth = demo_pair()
    after = Deblurrer(load_model(name))(pair)
    gain = psnr(after.pixels, truth.pixels, data_range=1.0) - psnr(
        pair.combined.pixels, truth.pixels, data_range=1.0
    )
    assert gain > 3.0


@pytest.mark.parametrize("name", SHIPPED)
def test_a_sharp_pair_is_left_nearly_alone(name: str) -> None:
    _, truth = demo_pair()
    after = Deblurrer(load_model(name))(DualPixelPair(truth.pixels, truth.pixels))
    assert psnr(after.pixels, truth.pixels, data_range=1.0) > 30


@pytest.mark.parametrize("name", SHIPPED)
def test_tiles_show_what_the_whole_picture_shows(name: str) -> None:
    pair, _ = demo_pair()
    network = load_model(name)
    tiled = Deblurrer(network, tile=416)(pair).pixels
    whole = Deblurrer(network, tile=0)(pair).pixels
    assert 255 * float(abs(tiled - whole).max()) <= 2


@pytest.mark.parametrize("name", SHIPPED)
def test_the_mirrored_pair_gives_nearly_the_mirrored_picture(name: str) -> None:
    pair, _ = demo_pair()
    mirrored = DualPixelPair(pair.right[:, ::-1].copy(), pair.left[:, ::-1].copy())
    deblur = Deblurrer(load_model(name))
    straight, turned = deblur(pair).pixels, deblur(mirrored).pixels[:, ::-1]
    assert psnr(turned, straight, data_range=1.0) > 30
