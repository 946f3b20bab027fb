import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dpanet.deblurrer import grid_choice as module
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.engines import allocator
from dpanet.errors import ConfigError, ImageWarning
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair

RNG = np.random.default_rng(8)


class Weighted(nn.Module):
    """Three parts of the left view and one of the right, so that swapped views differ; records the left views."""

    def __init__(self, description: Description | None = None) -> None:
        super().__init__()
        self.description = description or Description(multiple_of=8, halo=8)
        self.seen: list[Tensor] = []

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        self.seen.append(left)
        return left * 0.75 + right * 0.25


def weighted(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return left * np.float32(0.75) + right * np.float32(0.25)


class Convolutions(nn.Module):
    """Three 3 x 3 convolutions at half resolution: 8 px of context."""

    description = Description(multiple_of=2, halo=8)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(24, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        result: Tensor = self.body(torch.cat([left, right], dim=1))
        return result


def pair(height: int = 40, width: int = 56, encoding: str = "srgb", top: float = 1.0) -> DualPixelPair:
    views = (RNG.random((2, height, width, 3)) * top).astype(np.float32)
    views[0, 0, 0, 0] = top
    return DualPixelPair(views[0], views[1], encoding, {"bits": 16, "icc": b"profile", "exif": b"exif"})


@pytest.mark.parametrize("tile", ["auto", 0, 40])
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_network_of_single_pixels_gives_its_own_picture_exactly(tile: int | str, precision: str) -> None:
    given = pair(50, 90)
    picture = Deblurrer(Weighted(), tile=tile, device="cpu", precision=precision)(given)
    np.testing.assert_array_equal(picture.pixels, weighted(given.left, given.right))
    assert (picture.encoding, picture.metadata) == ("srgb", given.metadata)


@pytest.mark.parametrize("size", [(16, 16), (16, 200), (101, 77)])
def test_tiles_equal_the_whole_picture(size: tuple[int, int]) -> None:
    given, network = pair(*size), Convolutions()
    whole = Deblurrer(network, tile=0, device="cpu", precision="float32")(given)
    tiled = Deblurrer(network, tile=40, device="cpu", precision="float32")(given)
    assert whole.pixels.shape == (*size, 3)
    np.testing.assert_allclose(tiled.pixels, whole.pixels, atol=2e-6)


@pytest.mark.parametrize("top", [0.01, 0.2, 1.0, 7.0])
def test_a_linear_pair_keeps_its_scale(top: float) -> None:
    given, network = pair(encoding="linear", top=top), Weighted()
    picture = Deblurrer(network, device="cpu")(given)
    seen = network.seen[0]
    assert float(seen.max()) == pytest.approx(1.0, abs=1e-6), "shown encoded and of normal exposure"
    shown = [linear_to_srgb(view / np.float32(top)) for view in (given.left, given.right)]
    np.testing.assert_allclose(seen[0].permute(1, 2, 0).numpy(), shown[0], atol=1e-6)
    np.testing.assert_allclose(picture.pixels, srgb_to_linear(weighted(*shown)) * top, rtol=1e-4, atol=1e-6)
    assert picture.encoding == "linear"


def test_another_output_encoding_leaves_the_profile_behind() -> None:
    given = pair(encoding="linear", top=0.3)
    plain = Deblurrer(Weighted(), device="cpu")(given)
    with pytest.warns(
        ImageWarning, match=r"describes linear values and is left out of the picture, which is srgb"
    ):
        encoded = Deblurrer(Weighted(), device="cpu")(given, output_encoding="srgb")
    np.testing.assert_allclose(encoded.pixels, linear_to_srgb(plain.pixels), atol=1e-6)
    assert (encoded.encoding, encoded.metadata) == ("srgb", {"bits": 16, "exif": b"exif"})
    assert plain.metadata == given.metadata
    with pytest.warns(ImageWarning, match="describes srgb values"):
        back = Deblurrer(Weighted(), device="cpu")(pair(), output_encoding="linear")
    assert back.encoding == "linear"


def test_a_network_trained_on_linear_light_is_shown_that() -> None:
    given, network = pair(), Weighted(Description(multiple_of=8, halo=8, encoding="linear"))
    Deblurrer(network, device="cpu")(given)
    np.testing.assert_allclose(
        network.seen[0][0].permute(1, 2, 0).numpy(), srgb_to_linear(given.left), atol=1e-6
    )


def test_black_stays_black() -> None:
    black = np.zeros((16, 16, 3), np.float32)
    assert (Deblurrer(Weighted(), device="cpu")(DualPixelPair(black, black, "linear")).pixels == 0).all()


def test_the_input_is_left_alone_and_the_mode_put_back() -> None:
    given, network = pair(), Convolutions().train()
    before = given.left.copy()
    Deblurrer(network, device="cpu")(given)
    np.testing.assert_array_equal(given.left, before)
    assert network.training
    frozen = np.array(given.left)
    frozen.flags.writeable = False
    Deblurrer(network.eval(), device="cpu")(DualPixelPair(frozen, frozen))
    assert not network.training


def test_a_network_that_must_see_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Weighted(Description(multiple_of=8, halo=8, whole_image=True, tile_pixels=1600))
    Deblurrer(network, device="cpu")(pair(64, 80))
    assert [tuple(seen.shape[-2:]) for seen in network.seen] == [(64, 80)]
    monkeypatch.setattr(module, "WHOLE_LIMIT", 5000)
    with pytest.raises(ConfigError, match="has to see it whole"):
        Deblurrer(network, device="cpu")(pair(64, 80))
    Deblurrer(network, device="cpu", tile=40)(pair(64, 80))
    assert len(network.seen) > 2
    assert Deblurrer(network, device="cpu").precision == "float32"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tile": -8}, "tile is -8"),
        ({"tile": "big"}, "tile is 'big'"),
        ({"device": "abacus"}, "device is 'abacus'; it must be one of auto, cpu"),
        ({"precision": "float16"}, "precision is 'float16'; it must be one of auto, float32, bfloat16"),
    ],
)
def test_impossible_settings(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Deblurrer(Weighted(), **options)


def test_bfloat16_is_used_and_stays_close() -> None:
    given, network = pair(64, 64), Convolutions()
    exact = Deblurrer(network, device="cpu", precision="float32")(given).pixels
    rough = Deblurrer(network, device="cpu", precision="bfloat16")(given).pixels
    assert 0 < np.abs(exact - rough).max() < 0.02


class WithMap(Weighted):
    """Has a defocus map, which is the difference of the views; counts its runs."""

    def __init__(self) -> None:
        super().__init__(Description(multiple_of=8, halo=8, tta=2, has_defocus=True))
        self.runs = 0

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        self.runs += 1
        return super().forward(left, right)

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        return self(left, right), (left - right).mean(dim=1, keepdim=True)


@pytest.mark.parametrize("tile", [0, 40])
def test_the_picture_and_its_defocus_map_come_from_one_run(tile: int) -> None:
    given, network = pair(50, 60), WithMap()
    apply = Deblurrer(network, tile=tile, device="cpu", precision="float32")
    alone = apply(given)
    once = network.runs
    picture, radius = apply.with_defocus_map(given)
    assert network.runs == 2 * once
    np.testing.assert_array_equal(picture.pixels, alone.pixels)
    assert (radius.shape, radius.dtype) == ((50, 60), np.float32)
    straight = (given.left - given.right).mean(axis=-1)
    np.testing.assert_allclose(radius, np.zeros_like(straight), atol=1e-6)  # mirrored, its sign turns
    single = Deblurrer(network, tile=tile, device="cpu", precision="float32", tta=1)
    np.testing.assert_allclose(single.defocus_map(given), straight, atol=1e-6)


def test_a_linear_pair_leaves_the_defocus_map_in_pixels() -> None:
    given = pair(encoding="linear", top=0.2)
    _, radius = Deblurrer(WithMap(), device="cpu", precision="float32", tta=1).with_defocus_map(given)
    seen = [linear_to_srgb(view / np.float32(0.2)) for view in (given.left, given.right)]
    np.testing.assert_allclose(radius, (seen[0] - seen[1]).mean(axis=-1), atol=1e-5)


def test_a_network_without_a_defocus_map_is_refused() -> None:
    with pytest.raises(ConfigError, match="this model has no defocus map; choose one that has"):
        Deblurrer(Weighted(), device="cpu").defocus_map(pair())


def test_progress_counts_the_tiles() -> None:
    counts: list[tuple[int, int]] = []
    apply = Deblurrer(Weighted(), tile=40, device="cpu", tta=2, progress=lambda *n: counts.append(n))
    apply(pair(56, 56))
    assert counts == [(i, 4) for i in range(5)]


@pytest.mark.parametrize("ask", [False, True])
def test_the_allocator_is_changed_only_if_asked(monkeypatch: pytest.MonkeyPatch, ask: bool) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(allocator, "_find_mallopt", lambda: lambda *arguments: calls.append(arguments) or 1)
    plain = Deblurrer(Weighted(), device="cpu")(pair()).pixels
    assert calls == []
    Deblurrer(Weighted(), device="cpu", reuse_memory=ask)(pair())
    assert bool(calls) == ask
    assert plain.shape == (40, 56, 3)
