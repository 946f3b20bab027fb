"""Two files that are not the two views of one capture; true pairs, also blurred and noisy ones, are never named."""

import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift
from scipy.signal import fftconvolve

from dpanet.errors import ImageWarning
from dpanet.images.raw_pair import read_raw_pair
from dpanet.images.reading import open_pair, read_pair
from dpanet.images.same_scene import measure_likeness
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

Plane = NDArray[np.float32]


@cache
def photograph(seed: int, height: int = 300, width: int = 400) -> Plane:
    """Rectangles and disks over each other, as in a photograph: many small, few large."""
    random = np.random.default_rng(seed)
    plane = np.full((height, width), 0.5, np.float32)
    y, x = np.mgrid[:height, :width]
    for radius in 80 / np.arange(1, 40) ** 0.7:
        middle = random.uniform((0, 0), (height, width))
        plane[np.hypot(y - middle[0], x - middle[1]) < radius] = random.uniform(0.05, 0.95)
    return plane


def views_of(plane: Plane, radius: float, noise: float) -> tuple[Plane, Plane]:
    """Blur the left half of a photograph behind the focal plane, the right half in front of it; add noise."""
    y, x = np.mgrid[-30:31, -30:31]
    half = np.clip(0.5 - x / (2 * radius + 1e-9), 0, 1) * (np.hypot(y, x) <= radius)
    half = half / half.sum()
    behind = np.arange(plane.shape[1]) < plane.shape[1] // 2
    random = np.random.default_rng(3)
    first, second = (
        fftconvolve(np.pad(plane, 30, mode="reflect"), kernel, mode="valid")
        for kernel in (half, half[:, ::-1])
    )
    views = np.where(behind, first, second), np.where(behind, second, first)
    left, right = (
        np.clip(view + random.normal(0, noise, view.shape), 0, 1).astype(np.float32) for view in views
    )
    return left, right


@pytest.mark.parametrize(("radius", "noise"), [(3, 0.0), (9, 0.02), (18, 0.05), (3, 0.3)])
def test_true_views_are_alike_however_blurred_and_noisy(radius: float, noise: float) -> None:
    for seed in (1, 2):
        views = views_of(photograph(seed), radius, noise)
        likeness = measure_likeness(*views)
        assert likeness is None or likeness > 0.4
        turned = measure_likeness(*(np.ascontiguousarray(view.T) for view in views))
        assert (turned is None) == (likeness is None) and (turned is None or turned > 0.4)


def test_different_photographs_are_not_alike() -> None:
    found = [measure_likeness(photograph(a), photograph(b)) for a in (1, 2, 3) for b in (4, 5, 6)]
    assert all(likeness is not None and likeness < 0.2 for likeness in found)


def test_views_that_show_too_little_are_not_judged() -> None:
    random = np.random.default_rng(0)
    noise = [random.normal(0.5, 0.1, (300, 400)).astype(np.float32) for _ in range(2)]
    assert measure_likeness(*noise) is None
    soft = [0.5 + 0.002 * gaussian_filter(plane, 3) / 0.01 for plane in (noise[0] - 0.5, noise[1] - 0.5)]
    assert measure_likeness(soft[0].astype(np.float32), soft[1].astype(np.float32)) is None
    assert measure_likeness(photograph(1, 60, 400), photograph(2, 60, 400)) is None
    assert measure_likeness(np.zeros((300, 400), np.float32), noise[0]) is None


def test_shifts_are_searched_along_rows_and_columns_alone() -> None:
    plane = photograph(1)
    for moved, alike in (((0, 12), True), ((12, 0), True), ((30, 30), False)):
        likeness = measure_likeness(plane, shift(plane, moved, mode="reflect"))
        assert likeness is not None and (likeness > 0.7) == alike


def write(plane: Plane, path: Path) -> Path:
    write_picture(Picture(np.repeat(plane[..., None], 3, axis=-1)), path, bits=8)
    return path


def test_the_remark_names_both_files_and_the_pair_is_read_all_the_same(tmp_path: Path) -> None:
    left, right = (write(photograph(seed), tmp_path / f"{seed}.png") for seed in (1, 2))
    copy = write(photograph(1), tmp_path / "copy.png")
    for read in (read_pair, open_pair):
        with pytest.warns(ImageWarning) as caught:
            assert read(left, right).left.shape == (300, 400, 3)
        assert [str(one.message) for one in caught] == [
            f"{left} and {right} do not look like two views of one capture; check that they belong together"
        ]
        with pytest.warns(ImageWarning) as caught:
            read(left, copy)
        assert [str(one.message) for one in caught] == [
            f"{left} and {copy} are the same picture; export both views"
        ]
    true = [write(view, tmp_path / f"t{i}.png") for i, view in enumerate(views_of(photograph(1), 8, 0.02))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_pair(true[0], true[1])
        open_pair(true[0], true[1])


def test_large_views_are_compared_by_rows_and_raw_ones_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.images.reading._LARGE", 1)
    large = [np.kron(photograph(seed), np.ones((2, 2), np.float32)) for seed in (1, 2)]
    left, right = (write(plane, tmp_path / f"{seed}.png") for seed, plane in enumerate(large))
    with pytest.warns(ImageWarning, match="do not look like two views"):
        open_pair(left, right)
    raw = []
    for seed in (1, 2):
        path = tmp_path / f"raw{seed}.pgm"
        codes = (1024 + 15000 * photograph(seed)).astype(">u2")
        path.write_bytes(b"P5 400 300 65535\n" + codes.tobytes())
        raw.append(path)
    with pytest.warns(ImageWarning, match=r"raw1\.pgm and .*raw2\.pgm do not look like two views"):
        read_raw_pair(raw[0], raw[1], (1024, 16383))


def test_a_megapixel_takes_little_time() -> None:
    views = [np.tile((255 * photograph(seed, 250, 250)).astype(np.uint8), (4, 4)) for seed in (1, 2)]
    times = []
    for _ in range(5):
        start = time.process_time()
        measure_likeness(*views)
        times.append(time.process_time() - start)
    assert min(times) < 0.1  # 0.01 s on an idle core
