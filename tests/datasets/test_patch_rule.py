import cv2
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from dpanet.datasets.patch_rule import CUTS, SIDE, Cut, gradient_sums, select_windows, sharpness, windows


def test_the_patches_of_a_dpdd_picture() -> None:
    """1680 x 1120 px, strides of 204 and 506: counted by hand."""
    train = windows(1120, 1680, CUTS["train"].stride)
    assert [left for top, left in train if top == 0] == [0, 204, 408, 612, 816, 1020, 1168]
    assert [top for top, left in train if left == 0] == [0, 204, 408, 608]
    assert train == sorted(train) and len(train) == 28
    val = windows(1120, 1680, CUTS["val"].stride)
    assert {left for _, left in val} == {0, 506, 1012, 1168} and {top for top, _ in val} == {0, 506, 608}


@pytest.mark.parametrize("side", [1, 5, 8])
@pytest.mark.parametrize("length", [8, 9, 10, 11, 12, 13, 17])
def test_patches_cover_the_picture_and_stay_inside(length: int, side: int) -> None:
    starts = [top for top, _ in windows(length, side, stride=min(3, side), side=side)]
    assert starts[0] == 0 and starts[-1] == length - side and len(set(starts)) == len(starts)
    assert set(range(length)) == {start + i for start in starts for i in range(side)}


def binomial(size: int) -> np.ndarray:
    line = np.ones(1)
    for _ in range(size - 1):
        line = np.convolve(line, [1.0, 1.0])
    return line


def slow_sum(gray: np.ndarray, size: int) -> float:
    """Sobel by its definition: binomial smoothing in one direction, smoothed difference in the other."""
    smooth, slope = binomial(size), np.convolve(binomial(size - 2), [-1.0, 0.0, 1.0])
    padded = np.pad(gray.astype(np.float64), size // 2, mode="reflect")
    seen = sliding_window_view(padded, (size, size))
    across = np.einsum("hwij,i,j->hw", seen, smooth, slope)
    down = np.einsum("hwij,i,j->hw", seen, slope, smooth)
    return float(np.sqrt(across**2 + down**2).sum())


def test_gradients_against_the_definition() -> None:
    gray = np.random.default_rng(1).integers(0, 65536, (20, 24), dtype=np.uint16)
    assert gradient_sums(gray) == pytest.approx([slow_sum(gray, size) for size in (3, 7, 11, 15)], rel=1e-9)


def test_sharpness_is_the_product_of_shares_of_the_picture() -> None:
    # one size a column; the shares of the third row are 1/4, 1/2, 1 and 3/4
    table = [[0, 10, 0, 0], [4, 20, 2, 8], [1, 15, 2, 6]]
    assert sharpness(table) == pytest.approx([0, 1, 3 / 32])
    assert sharpness([[5.0] * 4] * 3) == [0, 0, 0]


def test_the_blurred_third_is_dropped() -> None:
    """Ten patches, the sharpest first and each more blurred than the one before."""
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 65536, (32, 32, 3), dtype=np.uint16)
    patches = [cv2.GaussianBlur(noise, (0, 0), 0.4 + 0.3 * step) for step in range(10)]
    order = rng.permutation(10)
    picture = np.concatenate([patches[i] for i in order], axis=1)
    kept = select_windows(picture, Cut(stride=32, dropped=0.3), side=32)
    assert [left // 32 for (_, left), _ in kept] == [place for place in range(10) if order[place] < 7]
    values = {order[left // 32]: value for (_, left), value in kept}
    assert sorted(values, key=lambda step: -values[step]) == list(range(7))


def test_a_patch_is_judged_by_itself() -> None:
    """Overlapping windows of noise: each one's sharpness is that of its own pixels, gray."""
    picture = np.random.default_rng(6).integers(0, 65536, (30, 50, 3), dtype=np.uint16)
    kept = select_windows(picture, Cut(stride=9, dropped=0.3), side=20)
    places = windows(30, 50, 9, 20)
    gray = np.rint(picture @ [0.299, 0.587, 0.114])
    alone = [gray[top : top + 20, left : left + 20].copy() for top, left in places]
    expected = dict(zip(places, sharpness([gradient_sums(patch) for patch in alone]), strict=True))
    assert len(kept) == len(places) - int(0.3 * len(places))
    for place, value in kept:
        assert value == pytest.approx(expected[place], abs=1e-3)


def test_the_number_dropped_is_rounded_down_and_flat_pictures_keep_the_rest() -> None:
    flat = np.full((16, 16 * 28, 3), 1000, np.uint16)
    assert len(select_windows(flat, Cut(16, 0.3), side=16)) == 20
    assert len(select_windows(flat, Cut(16, 0.0), side=16)) == 28


def test_the_rule_is_that_of_the_authors() -> None:
    assert SIDE == 512
    assert CUTS["train"] == Cut(int(0.4 * SIDE), 0.3)
    assert CUTS["val"] == Cut(int(0.99 * SIDE), 0.0)
