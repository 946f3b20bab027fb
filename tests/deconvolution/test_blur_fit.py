import pytest
import torch
from deconvolution.planted_blur import SIDE, blur_by_loop, places, slanted_lens, texture, window
from torch import Tensor

from dpanet.deconvolution.blur_families import MeasuredFamily, RampedDiscFamily
from dpanet.deconvolution.blur_fit import HALO, compare_with_views, fit_blur, fit_blur_coarsely
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels


@pytest.fixture
def truth() -> Tensor:
    return texture(SIDE + 2 * HALO, SIDE + 2 * HALO)


def test_the_truth_is_blurred_and_moved_as_by_a_loop(truth: Tensor) -> None:
    kernels = slanted_lens().at([0], [0.6])
    empty = window(truth, torch.zeros(2, SIDE, SIDE))
    blurred = empty.blur_truth(kernels, torch.tensor([0.7, -1.3]))[0]
    torch.testing.assert_close(blurred, blur_by_loop(truth, kernels[0], (0.7, -1.3)), atol=2e-5, rtol=0)


def test_one_step_corrects_a_small_move_and_gains(truth: Tensor) -> None:
    kernels = slanted_lens().at([0], [0.8])
    views = blur_by_loop(truth, kernels[0], (0.1, -0.2), (0.9, 1.05))
    match = compare_with_views(window(truth, views).blur_truth(kernels, torch.zeros(2)), views)
    assert match.step[0].tolist() == pytest.approx([0.1, -0.2], abs=0.01)
    assert match.gains[0].tolist() == pytest.approx([0.9, 1.05], abs=0.01)
    assert float(match.expected_error) < 0.02 * float(match.error)


def test_a_constant_is_fitted_only_where_it_is_asked_for(truth: Tensor) -> None:
    kernels = slanted_lens().at([0], [0.8])
    views = (
        blur_by_loop(truth, kernels[0], (0.1, -0.2), (0.9, 1.05)) + torch.tensor([0.05, -0.03])[:, None, None]
    )
    blurred = window(truth, views).blur_truth(kernels, torch.zeros(2))
    match = compare_with_views(blurred, views, offsets=True)
    assert match.step[0].tolist() == pytest.approx([0.1, -0.2], abs=0.01)
    assert match.gains[0].tolist() == pytest.approx([0.9, 1.05], abs=0.01)
    assert float(match.expected_error) < 0.02 * float(compare_with_views(blurred, views).expected_error)


@pytest.mark.parametrize("scale", [0.63, -0.87, 1.31])
def test_views_blurred_by_a_known_kernel_are_fitted_at_its_scale(truth: Tensor, scale: float) -> None:
    views = blur_by_loop(truth, slanted_lens().at([0], [scale])[0], (0.6, -1.4), (0.92, 1.06))
    fit = fit_blur(window(truth, views), MeasuredFamily(slanted_lens()))
    assert fit.scale == pytest.approx(scale, abs=0.01)
    assert fit.shift.tolist() == pytest.approx([0.6, -1.4], abs=0.03)
    assert fit.gains.tolist() == pytest.approx([0.92, 1.06], abs=0.003)
    assert fit.error < 1e-6


def test_views_blurred_by_a_known_shape_are_fitted_with_it(truth: Tensor) -> None:
    views = blur_by_loop(truth, ramped_disc([RampedDisc(-8.4, softness=1 / 0.7, rim=0.5, edge=1.2)])[0])
    family = RampedDiscFamily()
    fit = fit_blur(window(truth, views), family)
    assert family.shapes[fit.shape] == {"slope": 0.7, "rim": 0.5}
    assert fit.scale == pytest.approx(-8.4, abs=0.05)


def test_the_coarse_shift_is_in_pixels_of_the_full_resolution(truth: Tensor) -> None:
    views = blur_by_loop(truth, slanted_lens().at([0], [0.7])[0], (1.6, -2.4))
    fit = fit_blur_coarsely(window(truth, views), MeasuredFamily(slanted_lens()), 8)
    assert fit.shift.tolist() == pytest.approx([1.6, -2.4], abs=0.1)


def test_kernels_vary_inside_a_window_from_pixel_to_pixel(truth: Tensor) -> None:
    """Views blurred at each pixel by the kernels of its own place are explained; by one kernel they are not."""
    lens = slanted_lens((2, 2))
    scale, rows = 0.8, places(SIDE)
    views = torch.zeros(2, SIDE, SIDE)
    reach = SIZE // 2
    for cell in range(4):  # blurring is linear, so each pixel's kernel is the same blend of four pictures
        kernels = lens.at([cell], [scale])[0]
        weights = lens.cell_weights(torch.cartesian_prod(rows, rows))[:, cell].reshape(SIDE, SIDE)
        views += weights * blur_by_loop(truth, kernels)
    y, x = 20, 45
    own = lens.interpolate([(float(rows[y]), float(rows[x]))], [scale])[0]
    around = truth[HALO + y - reach : HALO + y + reach + 1, HALO + x - reach : HALO + x + reach + 1]
    torch.testing.assert_close((own.flip(-1, -2) * around).sum((-1, -2)), views[:, y, x], atol=1e-5, rtol=0)
    blended = fit_blur(window(truth, views), MeasuredFamily(lens))
    center = lens.interpolate([(0.5, 0.5)], [1.0])[:, :, 18:-18, 18:-18].numpy()
    single = fit_blur(window(truth, views), MeasuredFamily(MeasuredKernels(*center.swapaxes(0, 1))))
    assert blended.scale == pytest.approx(scale, abs=0.01)
    assert blended.error < 1e-6 < single.error / 3
