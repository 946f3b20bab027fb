from pathlib import Path

import numpy as np
from PIL import Image

from dpanet.evaluation.pictures import CROP, LONG_SIDE, differing_crop, for_display, save_previews
from dpanet.images.encoding import srgb_to_linear

RNG = np.random.default_rng(1)


def test_the_crop_lies_where_methods_differ() -> None:
    one = RNG.random((300, 500, 3)).astype(np.float32)
    other = one.copy()
    other[40:60, 400:420] = 0  # the difference, near the right border
    other[0:10, 0:10] = 1  # at the very border: does not count
    x, y, side = differing_crop({"a": one, "b": other})
    assert side == CROP
    assert x <= 400 and x + side >= 420 and y <= 40 and y + side >= 60
    assert x >= 24 and x + side <= 500 - 24 and y >= 24 and y + side <= 300 - 24


def test_a_small_picture_has_a_small_crop() -> None:
    small = RNG.random((40, 60, 3)).astype(np.float32)
    x, y, side = differing_crop({"a": small})
    assert side == 40 and y == 0 and 0 <= x <= 20


def test_previews_are_small_and_crops_exact(tmp_path: Path) -> None:
    codes = RNG.integers(0, 256, (300, 1400, 3))
    paths = save_previews({"m": (codes / 255).astype(np.float32)}, (100, 50, 30), tmp_path / "scene")
    with Image.open(tmp_path / "scene" / "m.webp") as preview:
        assert preview.size == (LONG_SIDE, round(300 * LONG_SIDE / 1400))
    crop = np.asarray(Image.open(tmp_path / "scene" / "m-crop.png"))
    np.testing.assert_array_equal(crop, codes[50:80, 100:130])
    assert sorted(paths) == sorted((tmp_path / "scene").iterdir())


def test_display_encodes_light_and_clips() -> None:
    seen = np.linspace(0, 1, 48, dtype=np.float32).reshape(4, 4, 3)
    np.testing.assert_allclose(for_display(srgb_to_linear(seen), "linear"), seen, atol=1e-6)
    np.testing.assert_array_equal(for_display(seen * 2 - 0.5, "srgb"), np.clip(seen * 2 - 0.5, 0, 1))
