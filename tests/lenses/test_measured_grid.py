"""A measured lens in NumPy alone: the same kernels as the simulator's, and refusals in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from dpanet.errors import ConfigError
from dpanet.lenses.lens import SIZE, Lens
from dpanet.lenses.measured_grid import MeasuredGrid
from dpanet.simulation.measured_kernels import MeasuredKernels


def blobs(cells: int, seed: int) -> np.ndarray:
    """Uneven kernels (cells, 61, 61), none of them centered."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[-30:31, -30:31]
    centers = generator.uniform(-4, 4, (cells, 2, 1, 1))
    widths = generator.uniform(4, 9, (cells, 2, 1, 1))
    light = np.exp(-(((x - centers[:, 0]) / widths[:, 0]) ** 2) - ((y - centers[:, 1]) / widths[:, 1]) ** 2)
    return np.asarray(light * generator.uniform(0.5, 1, light.shape), np.float32)


@pytest.fixture(scope="module")
def arrays() -> tuple[np.ndarray, np.ndarray]:
    return blobs(48, 0), blobs(48, 1)


SCALES = [-1.6, -1.0, -0.37, 0.0, 0.001, 0.8, 1.0, 1.5]


@pytest.mark.parametrize("cell", [0, 13, 47])
def test_at_the_center_of_a_cell_it_is_what_the_simulator_blurs_with(
    cell: int, arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    row, column = divmod(cell, 8)
    kernels = MeasuredGrid(*arrays).kernels((row + 0.5) / 6, (column + 0.5) / 8, SCALES)
    expected = MeasuredKernels(*arrays).at([cell] * len(SCALES), SCALES).numpy()
    assert kernels.dtype == np.float32
    assert kernels.shape == (len(SCALES), 2, SIZE, SIZE)
    np.testing.assert_allclose(kernels, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("place", [(0.3, 0.61), (0.0, 0.0), (1.0, 0.5), (0.52, 0.999)])
def test_between_cells_it_interpolates_as_the_simulator_does(
    place: tuple[float, float], arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    kernels = MeasuredGrid(*arrays).kernels(*place, SCALES)
    expected = MeasuredKernels(*arrays).interpolate([place] * len(SCALES), SCALES).numpy()
    np.testing.assert_allclose(kernels, expected, rtol=0, atol=1e-6)


def test_every_kernel_sums_to_one_and_both_views_balance(arrays: tuple[np.ndarray, np.ndarray]) -> None:
    kernels = MeasuredGrid(*arrays).kernels(0.4, 0.7, [-1.2, 0.3, 1.0]).astype(np.float64)
    line = np.arange(SIZE) - SIZE // 2
    np.testing.assert_allclose(kernels.sum((-1, -2)), 1, atol=1e-5)
    assert abs((kernels.sum(-2) @ line).mean(1)).max() < 1e-3
    assert abs((kernels.sum(-1) @ line).mean(1)).max() < 1e-3


def test_a_negative_scale_turns_both_views_by_half_a_turn(arrays: tuple[np.ndarray, np.ndarray]) -> None:
    front, behind = MeasuredGrid(*arrays).kernels(0.4, 0.7, [0.9, -0.9])
    np.testing.assert_allclose(front, behind[:, ::-1, ::-1], atol=1e-8)


def test_in_focus_a_point_stays_a_point(arrays: tuple[np.ndarray, np.ndarray]) -> None:
    sharp = MeasuredGrid(*arrays).kernels(0.4, 0.7, [0.0])
    assert sharp[0, :, SIZE // 2, SIZE // 2] == pytest.approx(1)


def test_a_folder_is_read(tmp_path: Path, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    for side, array in zip(("left", "right"), arrays, strict=True):
        np.save(tmp_path / f"blur_kernels_{side}.npy", array)
    lens: Lens = MeasuredGrid.read(tmp_path)
    assert lens.name == str(tmp_path)
    assert lens.max_scale == MeasuredKernels.read(tmp_path).max_scale
    np.testing.assert_array_equal(lens.kernels(0.2, 0.2, [1]), MeasuredGrid(*arrays).kernels(0.2, 0.2, [1]))


def test_one_pair_is_a_lens_alike_over_the_field() -> None:
    lens = MeasuredGrid(blobs(1, 2), blobs(1, 3))
    np.testing.assert_array_equal(lens.kernels(0, 0, [1]), lens.kernels(0.7, 1, [1]))


def test_what_is_no_lens_is_refused(tmp_path: Path, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = arrays
    with pytest.raises(ConfigError, match=r"blur_kernels_left\.npy is missing"):
        MeasuredGrid.read(tmp_path)
    for side in ("left", "right"):
        (tmp_path / f"blur_kernels_{side}.npy").write_bytes(b"no array")
    with pytest.raises(ConfigError, match="name the folder of a calibration"):
        MeasuredGrid.read(tmp_path)
    with pytest.raises(ConfigError, match="48 cells"):
        MeasuredGrid(left[:7], right[:7])
    with pytest.raises(ConfigError, match="of one shape"):
        MeasuredGrid(left, right[:, :, :-1])
    dark = left.copy()
    dark[5] = 0
    with pytest.raises(ConfigError, match="no light at all in cell 5"):
        MeasuredGrid(dark, right)
    dark[5, 3, 3] = np.nan
    with pytest.raises(ConfigError, match="not finite in cell 5"):
        MeasuredGrid(dark, right)
    dark[5, 3, 3] = -1
    with pytest.raises(ConfigError, match="a negative value in cell 5"):
        MeasuredGrid(dark, right)
    with pytest.raises(ConfigError, match="save the kernels as float32"):
        MeasuredGrid(left.astype(str), right)


@pytest.mark.parametrize("scale", [1.7, -1.7, float("nan")])
def test_a_scale_beyond_the_frame_is_refused(scale: float, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ConfigError, match=r"no more than 1\.607 fits"):
        MeasuredGrid(*arrays).kernels(0.5, 0.5, [1.0, scale])
