import dataclasses

import cv2
import numpy as np
import pytest

from dpanet.errors import ConfigError, PairError
from dpanet.images.raw import PIXEL4, RawFormat, develop, flat_field_ratio

SMALL = RawFormat("small", size=(40, 60), black_level=100, white_level=1100, crop=(10, 30, 20, 44))


def codes(value: float, size: tuple[int, int] = SMALL.size) -> np.ndarray:
    return np.full(size, value, np.uint16)


def test_pixel4_is_what_its_authors_publish() -> None:
    assert (PIXEL4.size, PIXEL4.black_level, PIXEL4.white_level) == ((1512, 2016), 1024, 17407)
    top, bottom, left, right = PIXEL4.crop
    assert (bottom - top, right - left) == (1008, 1344)
    assert (top, left) == (1512 - bottom, 2016 - right)  # central


def test_hand_worked_codes_of_a_pixel4() -> None:
    left, right = codes(1024 + 8191, PIXEL4.size), codes(900, PIXEL4.size)
    left[252, 336], left[251, 336], left[252, 335] = 16383, 0, 0
    left[1259, 1679], left[1260, 1679] = 1025, 0
    pair = develop(left, right, PIXEL4)
    assert pair.left.shape == (1008, 1344, 3)
    assert pair.encoding == "linear"
    assert dict(pair.metadata) == {"bits": 16, "camera": "pixel4"}
    np.testing.assert_array_equal(
        pair.left[0, 0], np.float32(15359 / 16383)
    )  # first and last pixel of the field
    np.testing.assert_array_equal(pair.left[-1, -1], np.float32(1 / 16383))
    np.testing.assert_array_equal(pair.left[1:-1, 1:-1], np.float32(8191 / 16383))
    np.testing.assert_array_equal(pair.right, 0)  # below the black level there is no light


def test_the_small_view_is_cut_where_the_format_says() -> None:
    rows, columns = np.mgrid[:40, :60]
    pair = develop((100 + rows).astype(np.uint16), (100 + columns).astype(np.uint16), SMALL)
    np.testing.assert_allclose(pair.left[:, 0, 1], np.arange(10, 30) / 1000, rtol=1e-6)
    np.testing.assert_allclose(pair.right[0, :, 2], np.arange(20, 44) / 1000, rtol=1e-6)
    whole = develop(codes(200), codes(200), dataclasses.replace(SMALL, crop=None))
    assert whole.left.shape == (40, 60, 3)


def test_a_planted_shading_is_taken_off_the_right_view() -> None:
    size = (300, 400)
    raw = RawFormat("planted", size, black_level=64, white_level=16447, crop=(60, 240, 80, 320))
    x = np.linspace(0.6, 1.4, size[1])[None, :] * np.ones((size[0], 1))
    scene = 2000 + 1500 * np.random.default_rng(1).random(size)
    white_left, white_right = (
        (64 + 6000 * x).round().astype(np.uint16),
        (64 + 6000 * x[:, ::-1]).round().astype(np.uint16),
    )
    left, right = (
        (64 + scene * x).round().astype(np.uint16),
        (64 + scene * x[:, ::-1]).round().astype(np.uint16),
    )
    ratio = flat_field_ratio(white_left, white_right, raw)
    assert ratio.shape == size
    np.testing.assert_allclose(ratio[100:200, 80:320], (x / x[:, ::-1])[100:200, 80:320], rtol=2e-3)
    untouched = develop(left, right, raw)
    corrected = develop(left, right, raw, ratio)
    np.testing.assert_array_equal(corrected.left, untouched.left)
    assert np.abs(corrected.right / corrected.left - 1).max() < 3e-3
    assert np.abs(untouched.right / untouched.left - 1).max() > 0.3


def test_the_white_sheets_are_averaged_over_101_px_with_replicated_edges() -> None:
    rng = np.random.default_rng(2)
    sheets = [rng.integers(500, 900, SMALL.size).astype(np.uint16) for _ in range(2)]

    def mean(sheet: np.ndarray) -> np.ndarray:  # by definition, without a library's filter
        padded = np.pad(sheet.astype(float) - SMALL.black_level, 50, mode="edge")
        return np.lib.stride_tricks.sliding_window_view(padded, (101, 101)).mean((2, 3))

    np.testing.assert_allclose(flat_field_ratio(*sheets, SMALL), mean(sheets[0]) / mean(sheets[1]), rtol=1e-5)


def test_wrong_views_are_refused_in_one_sentence() -> None:
    with pytest.raises(PairError, match=r"left view has 8 bits, expected 16 for raw codes of small"):
        develop(codes(200).astype(np.uint8), codes(200), SMALL)
    with pytest.raises(PairError, match=r"right view has shape \(39, 60\).*40 rows x 60 columns"):
        develop(codes(200), codes(200)[1:], SMALL)
    with pytest.raises(PairError, match=r"shape \(40, 60, 3\)"):
        develop(np.repeat(codes(200)[..., None], 3, 2), codes(200), SMALL)
    with pytest.raises(PairError, match="flat field has shape"):
        develop(codes(200), codes(200), SMALL, np.ones((20, 24), np.float32))
    with pytest.raises(PairError, match="right white sheet is black"):
        flat_field_ratio(codes(900), codes(100), SMALL)


def test_impossible_formats_are_refused() -> None:
    with pytest.raises(ConfigError, match="white must lie above black"):
        dataclasses.replace(SMALL, white_level=100)
    with pytest.raises(ConfigError, match="inside the view"):
        dataclasses.replace(SMALL, crop=(10, 41, 20, 44))


def test_a_16_bit_file_arrives_whole(tmp_path) -> None:
    left = np.random.default_rng(3).integers(0, 16384, SMALL.size).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "left.png"), left)
    read = cv2.imread(str(tmp_path / "left.png"), cv2.IMREAD_UNCHANGED)
    pair = develop(read, read, SMALL)
    np.testing.assert_array_equal(pair.left, pair.right)
    np.testing.assert_allclose(
        pair.left[..., 0] * 1000, np.maximum(left[10:30, 20:44].astype(int) - 100, 0), atol=1e-2
    )
