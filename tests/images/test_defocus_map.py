from pathlib import Path

import numpy as np
import pytest

from dpanet.errors import ConfigError, OutputError
from dpanet.images.defocus_map import color_file, decode_defocus_map, write_defocus_map
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
        write_defocus_map(radius, tmp_path / "map.tif")
