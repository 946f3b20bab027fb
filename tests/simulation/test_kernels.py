from pathlib import Path

import numpy as np
import pytest
import torch

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels

LENSES = [RampedDisc(r, softness=s) for r in (-20.0, -3.0, 1.0, 7.5, 30.0) for s in (0.1, 0.6, 1.5)]
LINE = torch.arange(SIZE) - SIZE // 2


def centroid(kernel: torch.Tensor) -> tuple[float, float]:
    return float((kernel.sum(-2) * LINE).sum()), float((kernel.sum(-1) * LINE).sum())


@pytest.fixture(scope="module")
def measured() -> MeasuredKernels:
    """Two cells of a lens whose halves are slanted blobs, the whole of it moved by (+2, -1) px."""
    y, x = np.mgrid[:61, :61] - 30.0
    left = [
        np.exp(-(((x + 3 - 2 + c) / 4) ** 2) - ((y + 1) / 6) ** 2 + 0.02 * c * x * y / 30) for c in (0, 1)
    ]
    right = [
        np.exp(-(((x - 3 - 2 - c) / 4) ** 2) - ((y + 1) / 6) ** 2 - 0.02 * c * x * y / 30) for c in (0, 1)
    ]
    return MeasuredKernels(np.stack(left), np.stack(right))


def test_ramped_discs_sum_to_one_and_mirror_each_other() -> None:
    pairs = ramped_disc(LENSES)
    assert pairs.shape == (len(LENSES), 2, SIZE, SIZE)
    assert (pairs >= 0).all()
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(len(LENSES), 2))
    torch.testing.assert_close(pairs[:, 1], pairs[:, 0].flip(-1))


def test_both_halves_make_the_whole_disc() -> None:
    hard = ramped_disc([RampedDisc(12.0, softness=0.3)])[0].mean(0)
    soft = ramped_disc([RampedDisc(12.0, softness=1.4)])[0].mean(0)
    torch.testing.assert_close(hard, soft, atol=2e-6, rtol=1e-4)
    y, x = torch.meshgrid(LINE, LINE, indexing="ij")
    inside = hard[(x**2 + y**2) < 10.5**2]
    assert float(inside.std() / inside.mean()) < 1e-3
    assert float(hard[(x**2 + y**2) > 13.5**2].sum()) == 0


def test_crossing_focus_swaps_the_views() -> None:
    near, far = ramped_disc([RampedDisc(9.0)])[0], ramped_disc([RampedDisc(-9.0)])[0]
    torch.testing.assert_close(near[0], far[1])
    assert centroid(near[0])[0] < -1 < 1 < centroid(near[1])[0]


def test_no_blur_is_a_point_alike_in_both_views() -> None:
    left, right = ramped_disc([RampedDisc(0.0)])[0]
    torch.testing.assert_close(left, right)
    assert float(left[SIZE // 2, SIZE // 2]) == pytest.approx(1)


@pytest.mark.parametrize("squeeze", [0.7, 1.0, 1.2])
def test_the_smallest_discs_are_whole_kernels(squeeze: float) -> None:
    pairs = ramped_disc([RampedDisc(r / 50, softness=0.15, squeeze=squeeze) for r in range(-100, 101)])
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(201, 2))
    spread = (pairs.mean(1).sum(-2) * LINE**2).sum(-1)
    assert (spread[101:].diff() > -2e-3).all()


def test_a_disc_too_large_is_refused() -> None:
    with pytest.raises(ConfigError, match="radius is 60"):
        ramped_disc([RampedDisc(60.0)])


@pytest.mark.parametrize("scale", [-1.6, -0.7, 0.1, 0.5, 1.0, 1.6])
def test_measured_kernels_sum_to_one_without_a_common_shift(measured: MeasuredKernels, scale: float) -> None:
    pairs = measured.at([0, 1], [scale, scale])
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(2, 2))
    for left, right in pairs:
        (lx, ly), (rx, ry) = centroid(left), centroid(right)
        assert abs(lx + rx) < 0.05 and abs(ly + ry) < 0.05


def test_the_common_shift_was_there(measured: MeasuredKernels) -> None:
    assert measured.centroid[0].tolist() == pytest.approx([2, -1], abs=0.01)


def test_measured_disparity_grows_with_the_scale(measured: MeasuredKernels) -> None:
    disparities = []
    for scale in (-1.0, 0.5, 1.0, 1.5):
        left, right = measured.at([0], [scale])[0]
        disparities.append(centroid(right)[0] - centroid(left)[0])
    assert disparities == pytest.approx([-6, 3, 6, 9], abs=0.05)


def test_negative_scale_turns_by_half_a_circle(measured: MeasuredKernels) -> None:
    near, far = measured.at([1], [0.8]), measured.at([1], [-0.8])
    torch.testing.assert_close(far, near.flip(-1, -2), atol=1e-6, rtol=1e-4)


def test_at_the_measured_scale_the_kernel_is_the_measurement(measured: MeasuredKernels) -> None:
    centered = MeasuredKernels(*(measured.pairs + measured.pairs.flip(1, -1, -2)).unbind(1))
    assert centered.centroid.abs().max() < 1e-5
    rim = (SIZE - 61) // 2
    torch.testing.assert_close(
        centered.at([1], [1.0])[0, :, rim:-rim, rim:-rim], centered.pairs[1], atol=1e-7, rtol=1e-4
    )


@pytest.mark.parametrize("scale", [0.0, 1e-9, -1e-9])
def test_in_focus_a_measured_kernel_is_one_pixel(measured: MeasuredKernels, scale: float) -> None:
    kernels = measured.at([0, 1], [scale, scale])
    torch.testing.assert_close(kernels[..., SIZE // 2, SIZE // 2], torch.ones(2, 2))
    torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(2, 2))


@pytest.mark.parametrize("scale", [0.2, -0.4, 1.25])
def test_a_scaled_kernel_is_the_sum_over_each_pixel(measured: MeasuredKernels, scale: float) -> None:
    """Against a plain count of many points in each measured value's square."""
    fine = 40
    points = (np.arange(61 * fine) + 0.5) / fine - 30.5
    x, y = measured.centroid[1].double().numpy()
    pixels = [np.floor(scale * (points - center) + 0.5).astype(int) + SIZE // 2 for center in (x, y)]
    expected = np.zeros((SIZE, SIZE))
    values = np.repeat(np.repeat(measured.pairs[1, 0].double().numpy(), fine, 0), fine, 1) / fine**2
    inside = [(p >= 0) & (p < SIZE) for p in pixels]
    np.add.at(
        expected,
        (pixels[1][inside[1]][:, None], pixels[0][inside[0]][None]),
        values[np.ix_(inside[1], inside[0])],
    )
    result = measured.at([1], [scale])[0, 0].double().numpy()
    assert np.abs(result - expected / expected.sum()).max() < 0.01 * expected.max()


@pytest.fixture(scope="module")
def field() -> MeasuredKernels:
    """A grid of 2 x 3 cells, each of another lens."""
    left = np.random.default_rng(3).random((6, 9, 9))
    return MeasuredKernels(left, left[..., ::-1].copy(), grid=(2, 3))


def test_in_the_middle_of_a_cell_its_own_kernels_apply(field: MeasuredKernels) -> None:
    places = [((row + 0.5) / 2, (column + 0.5) / 3) for row in range(2) for column in range(3)]
    torch.testing.assert_close(field.interpolate(places, [0.7] * 6), field.at(list(range(6)), [0.7] * 6))


def test_between_cells_kernels_are_blended(field: MeasuredKernels) -> None:
    cells = field.at([0, 1, 3, 4], [1.2] * 4)
    quarter = field.interpolate([(0.25 + 0.5 * 0.1, 0.5 / 3 + 0.25 / 3)], [1.2])[0]
    shares = torch.tensor([0.9 * 0.75, 0.9 * 0.25, 0.1 * 0.75, 0.1 * 0.25])
    torch.testing.assert_close(quarter, torch.tensordot(shares, cells, dims=1))


def test_outside_of_the_outermost_centres_nothing_changes(field: MeasuredKernels) -> None:
    corners = field.interpolate([(0, 0), (1, 1), (0.1, 1)], [1, 1, 1])
    torch.testing.assert_close(corners, field.at([0, 5, 2], [1, 1, 1]))


def test_shares_sum_to_one_everywhere(field: MeasuredKernels) -> None:
    shares = field.cell_weights(torch.rand(200, 2, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(shares.sum(1), torch.ones(200))
    assert (shares >= 0).all() and ((shares > 0).sum(1) <= 4).all()


def test_kernels_between_cells_need_a_known_grid(measured: MeasuredKernels) -> None:
    with pytest.raises(ConfigError, match="2 kernel pairs"):
        measured.interpolate([(0.5, 0.5)], [1.0])
    with pytest.raises(ConfigError, match="2 x 2"):
        MeasuredKernels(*np.ones((2, 3, 5, 5)), grid=(2, 2))


def test_arrays_that_are_no_kernels_are_refused() -> None:
    with pytest.raises(ConfigError, match="odd"):
        MeasuredKernels(np.zeros((2, 60, 60)), np.zeros((2, 60, 60)))


@pytest.mark.parametrize(
    ("value", "says"),
    [(np.nan, "not finite"), (np.inf, "not finite"), (-1e-3, "a negative value"), (0.0, "no light at all")],
)
def test_cells_that_are_no_kernels_are_named(tmp_path: Path, value: float, says: str) -> None:
    kernels = np.ones((3, 5, 5))
    np.save(tmp_path / "blur_kernels_left.npy", kernels)
    kernels[1] = value if value == 0 else 1
    kernels[1, 2, 2] = value
    np.save(tmp_path / "blur_kernels_right.npy", kernels)
    with pytest.raises(ConfigError, match=rf"blur_kernels_right\.npy has .*{says}.* in cell 1"):
        MeasuredKernels.read(tmp_path)


def test_words_are_no_kernels() -> None:
    with pytest.raises(ConfigError, match="where numbers are needed"):
        MeasuredKernels(*np.full((2, 1, 3, 3), "a"))


def test_a_scale_beyond_the_box_is_refused_and_not_cut() -> None:
    """61 px at 1.6 are 97.6 px: three tenths of a pixel over on each side are left out."""
    even = MeasuredKernels(*np.ones((2, 1, 61, 61)))
    cut = even.at([0], [1.6])[0, 0]
    middle = float(cut[SIZE // 2, SIZE // 2])
    assert middle == pytest.approx(1 / SIZE**2, rel=1e-3) and float(cut[0, 0]) == pytest.approx(middle)
    even.at([0, 0], [even.max_scale, -even.max_scale])
    with pytest.raises(ConfigError, match=r"scale is 1\.62, .* 61 px no more than 1\.607 fits"):
        even.at([0, 0], [0.1, -1.62])


def test_dark_borders_of_measured_kernels_count_for_nothing() -> None:
    bare = np.ones((2, 1, 31, 31))
    padded = MeasuredKernels(*np.pad(bare, ((0, 0), (0, 0), (33, 33), (33, 33))))
    assert padded.width == 31 and padded.max_scale == MeasuredKernels(*bare).max_scale > 3
    assert torch.allclose(padded.at([0], [3.0]), MeasuredKernels(*bare).at([0], [3.0]), atol=1e-7)


def test_folder_without_kernels_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match=tmp_path.name):
        MeasuredKernels.read(tmp_path)
