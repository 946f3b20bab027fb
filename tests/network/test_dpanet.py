from dataclasses import replace

import pytest
import torch

from dpanet.errors import ConfigError, ShapeError
from dpanet.network import PRESETS, DPANet, DPANetConfig, preset
from dpanet.network.alignment import cost_volume

SWITCHES = [
    {"eam": False},
    {"correlation": False},
    {"similarity": "cosine"},
    {"dam": False},
    {"shared_encoder": False},
    {"single_view": True},
    {"bottleneck": "pooled"},
    {"bottleneck": "cropped"},
    {"eam": False, "dam": False},
]


def small(name: str, **changes: object) -> DPANetConfig:
    """The preset's graph at a fraction of its width."""
    config = PRESETS[name]
    # Widths of the views stay multiples of the groups.
    widths = tuple(max(w // 8 // config.groups, 1) * config.groups for w in config.widths)
    narrow = {
        "widths": widths,
        "decoder_widths": tuple(w // 8 for w in config.decoder_widths),
        "bottleneck_width": widths[-1],
        "cost_width": config.cost_width // 8,
    }
    return preset(name, **narrow, **changes)


def pair(height: int, width: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height + width)
    left, right = torch.rand(2, batch, 3, height, width, generator=generator)
    return left, right


def awake(config: DPANetConfig) -> DPANet:
    """A network none of whose layers is zero, so that every path reaches the picture."""
    torch.manual_seed(1)
    network = DPANet(config).eval()
    with torch.no_grad():
        for p in network.parameters():
            if not p.any():
                p.normal_(0, 0.1)
    return network


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 33), (40, 23), (64, 64), (31, 95)])
def test_any_size_works(name: str, size: tuple[int, int]) -> None:
    left, right = pair(*size)
    with torch.inference_mode():
        output = DPANet(small(name))(left, right)
    assert output.shape == left.shape
    assert torch.isfinite(output).all()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("switch", SWITCHES, ids=str)
def test_every_switch_trains_and_changes_the_picture(name: str, switch: dict[str, object]) -> None:
    left, right = pair(48, 64)
    config = small(name, **switch)
    network = awake(config)
    output = network(left, right)
    output.sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert output.shape == left.shape
    assert not idle, f"no gradient reaches {idle}"
    if config != small(name):
        with torch.inference_mode():
            assert (awake(small(name))(left, right) - output).abs().max() > 1e-5


def test_untrained_compact_returns_the_combined_picture() -> None:
    left, right = pair(40, 52, batch=2)
    with torch.inference_mode():
        torch.testing.assert_close(DPANet(preset("compact"))(left, right), (left + right) / 2)


def test_single_view_sees_the_mean_twice() -> None:
    left, right = pair(32, 32)
    network = awake(small("compact", single_view=True))
    with torch.inference_mode():
        mean = (left + right) / 2
        torch.testing.assert_close(network(left, right), network(mean, mean))


def test_views_are_told_apart() -> None:
    left, right = pair(32, 32)
    for name in PRESETS:
        network = awake(small(name))
        with torch.inference_mode():
            assert (network(left, right) - network(right, left)).abs().max() > 1e-5


def test_a_batch_is_its_scenes_one_by_one() -> None:
    left, right = pair(32, 40, batch=3)
    network = awake(small("compact"))
    with torch.inference_mode():
        together = network(left, right)
        alone = torch.cat([network(a[None], b[None]) for a, b in zip(left, right, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "multiple", "whole"), [("paper", 8, True), ("compact", 32, False)])
def test_description(name: str, multiple: int, whole: bool) -> None:
    said = DPANet(small(name)).description
    assert (said.multiple_of, said.whole_image, said.encoding) == (multiple, whole, "srgb")


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_paper_network_of_few_levels_takes_any_size(levels: int) -> None:
    """Its features are halved twice, however few levels there are."""
    full = small("paper")
    changes = {key: getattr(full, key)[:levels] for key in ("widths", "blocks", "decoder_blocks")}
    network = awake(replace(full, **changes))
    assert network.description.multiple_of == max(4, 2 ** (levels - 1))
    left, right = pair(18, 21)
    with torch.inference_mode():
        assert network(left, right).shape == left.shape


@pytest.mark.parametrize(
    ("left", "right"),
    [((1, 3, 32, 32), (1, 3, 32, 33)), ((1, 1, 32, 32), (1, 1, 32, 32)), ((1, 3, 15, 32), (1, 3, 15, 32))],
)
def test_views_that_do_not_fit_are_refused(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        DPANet(small("compact"))(torch.zeros(left), torch.zeros(right))


@pytest.mark.parametrize(
    "changes",
    [{"stem": "other"}, {"widths": (8,)}, {"taps": 2}, {"groups": 3}, {"unknown": 1}, {"radius": (-1, 2)}],
    ids=str,
)
def test_impossible_settings_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        preset("compact", **changes)


def test_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigError, match="'grand'"):
        preset("grand")


@pytest.mark.parametrize("name", PRESETS)
def test_configuration_survives_json(name: str) -> None:
    import json

    assert DPANetConfig.from_dict(json.loads(json.dumps(PRESETS[name].to_dict()))) == PRESETS[name]


def test_configuration_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="'extra'"):
        DPANetConfig.from_dict({**PRESETS["compact"].to_dict(), "extra": 1})


def test_the_cosine_is_as_large_for_faint_features_as_for_strong_ones() -> None:
    generator = torch.Generator().manual_seed(1)
    left, right = torch.randn(2, 1, 16, 9, 11, generator=generator)
    config = preset("compact", similarity="cosine")
    cost = cost_volume(left, right, config)
    torch.testing.assert_close(cost_volume(left / 20, right * 3, config), cost, atol=1e-3, rtol=1e-3)
    place = (0, config.radius[1] + config.radius[0] * (2 * config.radius[1] + 1), 4, 5)  # of no displacement
    torch.testing.assert_close(cost_volume(left, left, config)[place], torch.tensor(1.0), atol=1e-4, rtol=0)
    assert cost_volume(left, -left, config)[place] < 0
