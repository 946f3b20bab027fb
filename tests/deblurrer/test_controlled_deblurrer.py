"""`Deblurrer(strength=..., keep_background=...)`: in memory and by rows, with tiles."""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from dpanet.deblurrer.by_rows import deblur_by_rows
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError
from dpanet.images.pixel_rows import PictureRows
from dpanet.images.reading import open_pair, read_pair
from dpanet.images.writing import write_picture
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Encoding, Picture


class Left(nn.Module):
    """The picture is the left view, the blur radius 10 px times the red of the right view."""

    description = Description(multiple_of=8, halo=8, has_defocus=True)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left + 0 * right

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        return self(left, right), right[:, :1] * 10


def make_pair(height: int = 80, width: int = 112, encoding: Encoding = "srgb") -> DualPixelPair:
    left, right = np.random.default_rng(4).random((2, height, width, 3), np.float32)
    right[:, :, 0] = np.where(np.arange(width) < width // 2, 0.1, 0.9)
    return DualPixelPair(left, right, encoding)


@pytest.mark.parametrize("tile", [0, 48])
@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("output", ["srgb", "linear"])
def test_strength_0_is_the_combined_view_and_1_the_output(
    tile: int, encoding: Encoding, output: Encoding
) -> None:
    pair = make_pair(encoding=encoding)
    combined, plain, none, whole = (
        pair.combined.pixels,
        Deblurrer(Left(), tile=tile)(pair, output_encoding=output),
        Deblurrer(Left(), tile=tile, strength=0)(pair, output_encoding=output),
        Deblurrer(Left(), tile=tile, strength=1)(pair, output_encoding=output),
    )
    assert whole.pixels.tobytes() == plain.pixels.tobytes()
    if encoding == output:
        assert none.pixels.tobytes() == combined.tobytes()
    else:
        power = np.where(combined <= 0.04045, combined / 12.92, ((combined + 0.055) / 1.055) ** 2.4)
        there, here = (none.pixels, power) if encoding == "srgb" else (combined, None)
        if here is None:  # the inverse by the standard's formula
            here = none.pixels.astype(float)
            here = np.where(here <= 0.04045, here / 12.92, ((here + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(there, here, atol=1e-6)


def test_half_strength_is_halfway_in_display_values() -> None:
    pair = make_pair()
    picture = Deblurrer(Left(), tile=48, strength=0.5)(pair)
    expected = 0.5 * pair.left + 0.5 * (pair.left / 2 + pair.right / 2)
    np.testing.assert_allclose(picture.pixels, expected, atol=2e-6)


def test_the_background_keeps_its_blur_and_the_foreground_is_sharpened() -> None:
    pair = make_pair(64, 192)
    picture, radius = Deblurrer(Left(), tile=48, keep_background=4).with_defocus_map(pair)
    np.testing.assert_allclose(radius[:, [0, -1]].mean(axis=0), [1, 9], rtol=1e-4)
    np.testing.assert_array_equal(picture.pixels[:, :60], pair.left[:, :60])
    np.testing.assert_array_equal(picture.pixels[:, -60:], pair.combined.pixels[:, -60:])
    in_front = Deblurrer(Left(), tile=48, keep_foreground=4)(pair)
    np.testing.assert_array_equal(in_front.pixels, pair.left)


@pytest.mark.parametrize("options", [{"strength": 0.3}, {"strength": 0.8, "keep_background": 4.0}])
def test_a_picture_by_rows_is_the_one_in_memory(tmp_path: Path, options: dict[str, float]) -> None:
    pair = make_pair(400, 96)
    for name, pixels in (("l", pair.left), ("r", pair.right)):
        write_picture(Picture(pixels), tmp_path / f"{name}.png", bits=16)
    files = tmp_path / "l.png", tmp_path / "r.png"
    deblurrer = Deblurrer(Left(), tile=64, **options)
    rows, radius = deblur_by_rows(deblurrer, open_pair(*files), defocus=True)
    assert isinstance(rows, PictureRows)
    picture = rows.read()
    expected, expected_radius = deblurrer.with_defocus_map(read_pair(*files))
    assert picture.pixels.tobytes() == expected.pixels.tobytes()
    assert radius is not None and radius.tobytes() == expected_radius.tobytes()


def test_a_model_without_a_map_is_refused() -> None:
    class Plain(nn.Module):
        description = Description(multiple_of=8, halo=8)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return (left + right) / 2

    with pytest.raises(ConfigError, match="no defocus map; choose one"):
        Deblurrer(Plain(), keep_background=4)
    with pytest.raises(ConfigError, match="strength is 2"):
        Deblurrer(Plain(), strength=2)
