"""The weights that come with the package."""

from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
import torch
from torch import nn

from dpanet import Deblurrer, DualPixelPair, load_model
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.engines.onnx_engine import OnnxEngine
from dpanet.evaluation.metrics import psnr
from dpanet.export.traced_network import describe_network
from dpanet.export.verification import verify
from dpanet.network import PRESETS, DPANet
from dpanet.network.unet import UNET_PRESETS, UNet
from tools.demo_pair import demo_pair


@pytest.mark.parametrize("name", SHIPPED)
def test_weights_are_there_small_and_of_their_preset(name: str) -> None:
    file = resources.files("dpanet.checkpoints") / "shipped" / f"{name}.safetensors"
    assert len(file.read_bytes()) <= 16_000_000
    config = replace(PRESETS[name], defocus=True) if name in PRESETS else UNET_PRESETS[name]
    assert load_model(name).config == config


@pytest.mark.parametrize("name", SHIPPED)
def test_every_level_and_the_alignment_have_a_say(name: str) -> None:
    """A level may be alive and still unused: silence each part and see that the picture changes."""
    pair, _ = demo_pair()
    left, right = (torch.from_numpy(v).permute(2, 0, 1)[None] for v in (pair.left, pair.right))
    network = load_model(name)
    assert isinstance(network, DPANet | UNet)
    ups = network.up if isinstance(network, UNet) else [level.up for level in network.decoder]
    parts = {f"decoder level {i}, from below": [up] for i, up in enumerate(ups)}
    aligning = isinstance(network, DPANet)
    for side, levels in (("eam", network.encoder), ("dam", network.decoder)) if aligning else ():
        aligned = [getattr(level, side) for level in levels if getattr(level, side) is not None]
        parts[f"{side} offsets"] = [
            guide for a in aligned for guide in (a.offset_mask_left, a.offset_mask_right)
        ]
    with torch.no_grad():
        picture = network(left, right)
        for part, modules in parts.items():
            hooks = [module.register_forward_hook(_silence) for module in modules]
            moved = 255 * float((network(left, right) - picture).abs().mean())
            for hook in hooks:
                hook.remove()
            assert moved > 0.02, f"without {part} the picture moves by {moved:.4f}/255 only"


def _silence(module: nn.Module, given: object, said: Any) -> Any:
    """Zeros instead of features; of a guide, no offset and the mask it gave."""
    return (torch.zeros_like(said[0]), said[1]) if isinstance(said, tuple) else torch.zeros_like(said)


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
    tiled = Deblurrer(network, tile=448, precision="float32")(pair).pixels
    whole = Deblurrer(network, tile=0, precision="float32")(pair).pixels
    assert 255 * float(abs(tiled - whole).max()) < 1


@pytest.mark.parametrize("name", SHIPPED)
def test_the_mirrored_pair_gives_nearly_the_mirrored_picture(name: str) -> None:
    pair, _ = demo_pair()
    mirrored = DualPixelPair(pair.right[:, ::-1].copy(), pair.left[:, ::-1].copy())
    deblur = Deblurrer(load_model(name))
    straight, turned = deblur(pair).pixels, deblur(mirrored).pixels[:, ::-1]
    assert psnr(turned, straight, data_range=1.0) > 30


@pytest.mark.parametrize("name", SHIPPED)
def test_the_onnx_file_has_the_same_weights_and_returns_the_same_picture(name: str) -> None:
    network = load_model(name)
    with resources.as_file(shipped_file(name, ".onnx")) as path:
        engine = OnnxEngine(path, threads=1)
    described = describe_network(network)
    assert (engine.model.weights, engine.model.description) == (described.weights, described.description)
    assert (engine.model.name, engine.model.parameters) == (name, described.parameters)
    defocus = network.description.has_defocus
    checks = verify(lambda left, right: engine(left, right, defocus=defocus), network, name)
    assert max(check.picture for check in checks) < 1e-5
