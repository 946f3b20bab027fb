import warnings
from pathlib import Path

import numpy as np
import pytest

from dpanet.errors import ImageWarning, PairError
from dpanet.images.pixel_app import is_pixel_app_view, read_pixel_app_pair
from dpanet.images.raw import PIXEL_APP, fits_steps, split_rows


def write_pgm(path: Path, codes: np.ndarray) -> Path:
    """As the app does: one line, 16 bits, the high byte first."""
    height, width = codes.shape
    path.write_bytes(f"P5 {width} {height} 65535 ".encode() + codes.astype(">u2").tobytes())
    return path


def readings(seed: int, size: tuple[int, int] = (756, 2016)) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 1024, size)


def codes_of_app(reading: np.ndarray) -> np.ndarray:
    """10-bit readings as the app scales them: in float32, rounded down."""
    return (reading.astype(np.float32) * (np.float32(65535) / np.float32(1023))).astype(np.uint16)


def test_what_the_app_writes_is_a_linear_pair_of_twice_the_rows(tmp_path: Path) -> None:
    left, right = readings(0), readings(1)
    files = [write_pgm(tmp_path / f"{side}.pgm", codes_of_app(v)) for side, v in (("l", left), ("r", right))]
    assert all(is_pixel_app_view(file) for file in files)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair = read_pixel_app_pair(*files)
    assert pair.left.shape == pair.right.shape == (1512, 2016, 3)
    assert pair.encoding == "linear"
    assert (pair.metadata["camera"], pair.metadata["gray"], pair.metadata["bits"]) == ("pixel-app", True, 16)
    for view, reading in ((pair.left, left), (pair.right, right)):
        light = np.maximum(codes_of_app(reading).astype(np.float64) - 4096, 0) / (65535 - 4096)
        pairs = view[..., 1].reshape(756, 2, 2016)
        untouched = (pairs > 0).all(1)  # a split that overshoots below black is clipped there
        assert untouched.mean() > 0.8
        np.testing.assert_allclose(pairs.mean(1)[untouched], light[untouched], atol=1e-6)


def test_left_and_right_arrive_in_their_places(tmp_path: Path) -> None:
    files = [
        write_pgm(tmp_path / name, np.full((24, 32), v, np.uint16))
        for name, v in (("l", 8192), ("r", 4096 * 9))
    ]
    pair = read_pixel_app_pair(*files)
    np.testing.assert_allclose(pair.left, 4096 / 61439, rtol=1e-6)
    np.testing.assert_allclose(pair.right, 8 * 4096 / 61439, rtol=1e-6)


@pytest.mark.parametrize("degree", range(6))
def test_split_rows_returns_polynomials_exactly(degree: int) -> None:
    rows = np.linspace(-1, 1, 80)[:, None] ** degree * np.ones((1, 3))
    split = split_rows(((rows[0::2] + rows[1::2]) / 2).astype(np.float32))
    np.testing.assert_allclose(split[8:-8], rows[8:-8], atol=3e-6)


def test_split_rows_beats_repetition_and_cubic_interpolation() -> None:
    """A smooth random scene: the error against the true rows, of which the recorded ones are means."""
    from scipy.ndimage import gaussian_filter1d, zoom

    rows = gaussian_filter1d(np.random.default_rng(0).normal(size=(400, 60)), 1.5, axis=0)
    recorded = ((rows[0::2] + rows[1::2]) / 2).astype(np.float32)
    others = (np.repeat(recorded, 2, 0), zoom(recorded, (2, 1), order=3, mode="nearest", grid_mode=True))
    errors = [np.sqrt(np.mean((view - rows)[16:-16] ** 2)) for view in (split_rows(recorded), *others)]
    assert errors[0] < 0.8 * min(errors[1:])


def test_steps_are_those_of_the_app_or_of_shifted_bits() -> None:
    reading = readings(2, (40, 50))
    assert fits_steps(codes_of_app(reading), PIXEL_APP)
    assert fits_steps((reading * 64).astype(np.uint16), PIXEL_APP)
    assert not fits_steps((reading * 63).astype(np.uint16), PIXEL_APP)
    other = np.random.default_rng(3).integers(0, 65536, (40, 50)).astype(np.uint16)
    assert not fits_steps(other, PIXEL_APP)


def test_files_of_another_size_depth_or_content_are_not_recognized(tmp_path: Path) -> None:
    import cv2

    assert not is_pixel_app_view(write_pgm(tmp_path / "a.pgm", codes_of_app(readings(0, (756, 2000)))))
    whole, noise = codes_of_app(readings(0)), np.random.default_rng(0).integers(0, 65536, (756, 2016))
    for name, codes, expected in (
        ("b.png", whole, True),
        ("c.png", noise.astype(np.uint16), False),
        ("d.png", (whole >> 8).astype(np.uint8), False),
        ("e.png", np.repeat(whole[..., None], 3, 2), False),
    ):
        cv2.imwrite(str(tmp_path / name), codes)
        assert is_pixel_app_view(tmp_path / name) is expected, name
    assert not is_pixel_app_view(tmp_path / "missing.pgm")


def test_codes_of_another_kind_are_read_with_a_remark(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    left, right = (
        write_pgm(tmp_path / name, rng.integers(4096, 65536, (24, 32)).astype(np.uint16)) for name in "lr"
    )
    with pytest.warns(ImageWarning, match="between the steps"):
        read_pixel_app_pair(left, right)
    left, right = (write_pgm(tmp_path / name, codes_of_app(readings(0, (24, 32)) // 8)) for name in "lr")
    with pytest.warns(ImageWarning, match="below the black level of 4096"):
        read_pixel_app_pair(left, right)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_pixel_app_pair(left, right, levels=(0, 65535))


def test_views_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    import cv2

    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((24, 32), np.uint8))
    with pytest.raises(PairError, match=r"a\.png.*b\.png.*has 8 bits, expected 16"):
        read_pixel_app_pair(tmp_path / "a.png", tmp_path / "b.png")
