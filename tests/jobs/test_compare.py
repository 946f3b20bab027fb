"""Before and after beside each other: the strip, and the page as data."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dpanet.containers.icc_profile import colorants_of, make_profile
from dpanet.errors import ConfigError
from dpanet.formats.jpeg_writing import encode_jpeg
from dpanet.formats.row_stream import RowStream
from dpanet.images.pixel_rows import PictureRows
from dpanet.jobs.compare import Comparison, copy_shown, draw_strip, find_detail, show_combined
from dpanet.pair import DualPixelPair, Picture

PROFILE = make_profile("P3", "srgb", colorants_of((0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)))


def smooth(height: int, width: int, seed: int) -> np.ndarray:
    corners = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC))


def pictures_of(page: bytes) -> list[Image.Image]:
    found = re.findall(rb'src="data:image/jpeg;base64,([A-Za-z0-9+/=]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_a_jpeg_is_close_and_has_its_profile() -> None:
    codes = smooth(48, 64, 1)
    image = Image.open(io.BytesIO(encode_jpeg(codes, PROFILE)))
    assert image.info["icc_profile"] == PROFILE
    assert np.abs(np.asarray(image).astype(int) - codes).max() <= 8
    large = bytes(range(256)) * 600  # in three segments
    assert Image.open(io.BytesIO(encode_jpeg(codes, large))).info["icc_profile"] == large
    assert "icc_profile" not in Image.open(io.BytesIO(encode_jpeg(codes))).info


def test_the_page_has_both_pictures_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    before, after = smooth(48, 64, 1), smooth(48, 64, 2)
    one = Comparison("<a> & b", 'm"x', before, after, {"icc": PROFILE}, "srgb")
    one.write(tmp_path / "page", ".html")
    page = (tmp_path / "page").read_bytes()
    for expected, image in zip((before, after), pictures_of(page), strict=True):
        assert np.abs(np.asarray(image).astype(int) - expected).max() <= 8
        assert image.info["icc_profile"] == PROFILE
    text = page.decode()
    assert "<h1>&lt;a&gt; &amp; b</h1>" in text and "m&quot;x" in text and "64 × 48 px" in text
    assert not re.search("@[A-Z]+@", text) and "http" not in re.sub("http-equiv", "", text)


def test_a_picture_on_its_side_is_shown_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    stored = smooth(48, 64, 1)
    comparison = Comparison("a", "m", stored, stored, {"exif": data}, "srgb")
    comparison.write(tmp_path / "a.html", ".html")
    comparison.write(tmp_path / "a.png", ".png")
    for image in pictures_of((tmp_path / "a.html").read_bytes()):
        assert image.size == (48, 64)
        upright = np.rot90(stored, -1)
        assert np.abs(np.asarray(image).astype(int) - upright).max() <= 8
    strip = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(strip[-64:, :48], np.rot90(stored, -1))


def test_a_picture_too_large_for_a_page_is_refused(tmp_path: Path) -> None:
    wide = np.broadcast_to(np.uint8(0), (16, 65501, 3))
    with pytest.raises(ConfigError, match=r"name a \.png with --compare"):
        Comparison("a", "m", wide, wide, {}, "srgb").write(tmp_path / "a", ".html")


def test_a_small_strip_has_every_pixel() -> None:
    before, after = smooth(40, 50, 1), smooth(40, 50, 2)
    strip = draw_strip(before, after)
    np.testing.assert_array_equal(strip[-40:, :50], before)
    np.testing.assert_array_equal(strip[-40:, -50:], after)
    assert (strip[:-40] == 0).any(), "labels"


def test_a_large_strip_is_smaller_and_has_the_detail_that_changed_most() -> None:
    before = smooth(750, 2500, 1)
    after = before.copy()
    after[500:600, 2000:2150] ^= 255
    rows, columns = find_detail(before, after, 3, (400, 800))
    assert rows.stop - rows.start == 400 and columns.stop - columns.start == 800
    assert rows.start <= 500 and rows.stop >= 600
    assert columns.start <= 2000 and columns.stop >= 2150
    strip = draw_strip(before, after)
    assert 1600 < strip.shape[1] <= 2420
    mean = before[:, :2499].reshape(250, 3, 833, 3, 3).mean(axis=(1, 3))
    label = np.flatnonzero((strip[:, 0] != 255).any(axis=1))[0]
    label = next(row for row in range(label, 100) if np.abs(strip[row, :833] - mean[0]).max() <= 0.51)
    np.testing.assert_allclose(strip[label : label + 250, :833], mean, atol=0.51)
    wide = (strip.shape[1] - 8) // 2
    one, other = strip[-(wide // 2) :, :wide], strip[-(wide // 2) :, -wide:]
    assert (one != other).all(axis=-1).sum() == 100 * 150, "all that changed is seen, at 100 %"


def test_linear_pictures_are_shown_in_display_values() -> None:
    gray = np.full((20, 24, 3), 0.2140411, np.float32)  # sRGB 0.5
    assert set(show_combined(DualPixelPair(gray, gray, "linear")).ravel()) <= {127, 128}
    picture, shown = copy_shown(Picture(gray, "linear"))
    assert isinstance(picture, Picture) and set(shown.ravel()) <= {127, 128}
    rows = RowStream(gray.shape, np.float32, lambda: iter([gray[:7], gray[7:]]))
    streamed, shown = copy_shown(PictureRows(rows, "linear", {}))
    assert not isinstance(streamed, Picture)
    np.testing.assert_array_equal(streamed.pixels[:20], gray)
    assert set(shown.ravel()) <= {127, 128}
