from pathlib import Path

import numpy as np
import pytest
import tifffile

from dpanet.errors import ConfigError, OutputError
from dpanet.images.defocus_map import (
    add_scale,
    color_defocus_map,
    color_file,
    decode_defocus_map,
    write_defocus_map,
)
from dpanet.images.reading import read_codes


def test_numbers_survive_and_colours_tell_the_side(tmp_path: Path) -> None:
    radius = np.linspace(-10, 10, 32 * 20, dtype=np.float32).reshape(20, 32)
    write_defocus_map(radius, tmp_path / "map.png")
    codes = read_codes(tmp_path / "map.png")
    assert codes.dtype == np.uint16
    np.testing.assert_allclose(decode_defocus_map(codes), radius, atol=0.51 / 512)
    colour = read_codes(color_file(tmp_path / "map.png")).astype(int)
    assert colour.shape == (20, 32, 3)
    assert colour[0, 0, 2] > colour[0, 0, 0], "negative is blue"
    assert colour[-1, -1, 0] > colour[-1, -1, 2], "positive is red"
    assert colour[10, 0].min() > 220, "in focus is nearly white"


def test_a_sharp_picture_is_not_coloured_by_noise(tmp_path: Path) -> None:
    radius = np.full((16, 16), 0.1, np.float32)
    write_defocus_map(radius, tmp_path / "map.png")
    assert read_codes(tmp_path / "map-colour.png").min() > 200


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    radius = np.zeros((16, 16), np.float32)
    write_defocus_map(radius, tmp_path / "map.png")
    with pytest.raises(OutputError, match="exists already"):
        write_defocus_map(radius, tmp_path / "map.png")
    write_defocus_map(radius, tmp_path / "map.png", overwrite=True)
    with pytest.raises(ConfigError, match=r"\.png"):
        write_defocus_map(radius, tmp_path / "map.jpg")


def test_a_tiff_holds_the_radii_as_floats(tmp_path: Path) -> None:
    radius = np.random.default_rng(0).normal(0, 20, (40, 50)).astype(np.float32)
    write_defocus_map(radius, tmp_path / "map.tif")
    written = tifffile.imread(tmp_path / "map.tif")
    assert written.dtype == np.float32
    np.testing.assert_array_equal(written, radius)
    assert (tmp_path / "map-colour.png").is_file()


@pytest.mark.parametrize(
    ("width", "span", "numbers"),
    [
        (240, 2, "-2 -1 0 1 2 px"),
        (400, 12.3, "-10 -5 0 5 10 px"),
        (1300, 7, "-6 -4 -2 0 2 4 6 px"),
        (640, 3, "-3 -2 -1 0 1 2 3 px"),
    ],
)
def test_the_scale_says_which_color_is_which_radius(width: int, span: float, numbers: str) -> None:
    colors = color_defocus_map(np.zeros((20, width), np.float32), span)
    picture = add_scale(colors, span)
    np.testing.assert_array_equal(picture[:20], colors)
    scale = picture[20:].astype(int)
    unit = max(1, round(width / 640))
    bar = scale[5 * unit]
    inside = np.flatnonzero((bar != 255).any(axis=1))
    for number in map(float, numbers.removesuffix(" px").split()):  # a tick at the place of the number
        place = inside[0] + (number / span + 1) / 2 * (inside[-1] - inside[0])
        assert (scale[13 * unit, round(place) : round(place) + 2] == 0).all(axis=-1).any(), number
        below = scale[16 * unit : 25 * unit, max(0, round(place) - 2 * unit) : round(place) + 4 * unit]
        assert (below == 0).any(), "a number stands below it"
    ticks = (scale[13 * unit] == 0).all(axis=1)
    runs = np.diff(np.flatnonzero(ticks)) > 1
    assert runs.sum() + 1 == len(numbers.split()) - 1
    quarter = inside[0] + (inside[-1] - inside[0]) // 4  # half the span in front
    expected = color_defocus_map(np.full((1, 1), -span / 2, np.float32), span)[0, 0]
    np.testing.assert_allclose(bar[quarter + 3 * unit], expected, atol=12)
