"""What holds for every family of kernels, and what a wrong kernel breaks."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from dpanet.simulation.butterworth import Ring, butterworth
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.render import MARGIN, Layer, render

RADII = [-9.0, -2.5, 0.7, 4.0, 12.0]

Family = Callable[[list[float]], Tensor]


def _measured() -> MeasuredKernels:
    y, x = np.mgrid[:61, :61] - 30.0
    left = np.exp(-(((x + 4) / 5) ** 2) - (y / 8) ** 2)[None]
    return MeasuredKernels(left, left[..., ::-1].copy())


MEASURED = _measured()

FAMILIES: dict[str, Family] = {
    "ramped-disc": lambda radii: ramped_disc([RampedDisc(r, softness=0.5, rim=0.3) for r in radii]),
    "butterworth": lambda radii: butterworth([Ring(r, 6, 2.0, 0.2) for r in radii]),
    "measured": lambda radii: MEASURED.at([0] * len(radii), [r / MEASURED.radius for r in radii]),
}


def unity(pairs: Tensor) -> None:
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(len(pairs), 2))


def mirror(pairs: Tensor) -> None:
    torch.testing.assert_close(pairs[:, 1], pairs[:, 0].flip(-1), atol=1e-6, rtol=1e-3)


def crossing(pairs: Tensor, crossed: Tensor) -> None:
    torch.testing.assert_close(pairs, crossed.flip(1), atol=1e-6, rtol=1e-3)


def in_focus(pairs: Tensor) -> None:
    point = torch.zeros(SIZE, SIZE)
    point[SIZE // 2, SIZE // 2] = 1
    torch.testing.assert_close(pairs, point.expand_as(pairs), atol=1e-6, rtol=0)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


def test_the_laws_of_kernels(family: Family) -> None:
    pairs = family(RADII)
    unity(pairs)
    mirror(pairs)
    crossing(pairs, family([-r for r in RADII]))
    in_focus(family([0.0]))


def test_a_planted_wrong_kernel_breaks_each_law(family: Family) -> None:
    pairs, crossed = family(RADII), family([-r for r in RADII])
    with pytest.raises(AssertionError):
        unity(pairs * 1.01)
    with pytest.raises(AssertionError):
        mirror(pairs.roll(1, -1))
    with pytest.raises(AssertionError):
        mirror(torch.stack((pairs[:, 0], pairs[:, 0]), dim=1))
    with pytest.raises(AssertionError):
        crossing(pairs, pairs)
    with pytest.raises(AssertionError):
        crossing(pairs, crossed.roll(1, 0))
    with pytest.raises(AssertionError):
        in_focus(family([0.0]).roll(1, -2))


def seen(kernels: Tensor, color: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    size = color.shape[-1] - 2 * MARGIN
    layer = Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=color,
        opacity=None,
        kernels=kernels,
        owner=torch.zeros(1, dtype=torch.long),
        share=torch.ones(1, 1, size, size),
    )
    return render([layer])


PICTURE = torch.rand(1, 3, 32 + 2 * MARGIN, 32 + 2 * MARGIN, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("radius", [-6.0, 8.0])
def test_left_and_right_together_are_the_picture_of_the_unsplit_lens(radius: float) -> None:
    """A ramp too soft to divide anything gives the lens as a whole."""
    lens = RampedDisc(radius, softness=0.4)
    undivided = ramped_disc([replace(lens, softness=1e6)])
    torch.testing.assert_close(undivided[:, 0], undivided[:, 1], atol=1e-8, rtol=1e-4)
    left, right, _ = seen(ramped_disc([lens]), PICTURE)
    whole, _, _ = seen(undivided, PICTURE)
    torch.testing.assert_close((left + right) / 2, whole, atol=2e-5, rtol=0)
    assert float((left - whole).abs().mean()) > 0.005, "one view alone is not"


def _halves_and_whole(left: np.ndarray, right: np.ndarray, scale: float) -> tuple[Tensor, Tensor]:
    whole = (left + right) / 2
    return MeasuredKernels(left, right).at([0], [scale]), MeasuredKernels(whole, whole).at([0], [scale])


@pytest.mark.parametrize("scale", [-1.3, 0.6])
def test_views_through_measured_halves_make_the_picture_of_the_measured_whole(scale: float) -> None:
    """Of a lens that also moves the whole picture, whose halves are no mirror images and equally bright."""
    y, x = np.mgrid[:61, :61] - 30.0
    left = np.exp(-(((x + 2) / 5) ** 2) - ((y - 2) / 8) ** 2)[None]
    right = np.exp(-(((x - 7) / 4) ** 2) - ((y - 2) / 6) ** 2 - 0.01 * x * y / 30)[None]
    halves, whole = _halves_and_whole(left / left.sum(), right / right.sum(), scale)
    left_view, right_view, _ = seen(halves, PICTURE)
    unsplit, _, _ = seen(whole, PICTURE)
    torch.testing.assert_close((left_view + right_view) / 2, unsplit, atol=2e-5, rtol=0)
    assert float((left_view - unsplit).abs().mean()) > 0.005, "one view alone is not"
    shifted = halves.clone()
    shifted[:, 1] = shifted[:, 1].roll(1, -1)  # a planted fault: one view loses a shift of its own
    moved = seen(shifted, PICTURE)
    assert float(((moved[0] + moved[1]) / 2 - unsplit).abs().max()) > 1e-3


def _undivided_ring(ring: Ring, fine: int = 10) -> Tensor:
    """The ring before the ramp divides it, by sums over `fine` points a pixel and axis in float64."""
    line = (np.arange(SIZE * fine) - (SIZE * fine - 1) / 2) / fine
    squared = line[:, None] ** 2 + line**2
    radius = abs(ring.radius)
    ratio = squared / (2 * radius / ring.cutoff) ** 2
    corner = 2 * radius**2 / (2 * radius / ring.cutoff) ** 2
    high = ratio**ring.order / (1 + ratio**ring.order) / (corner**ring.order / (1 + corner**ring.order))
    disc = np.clip(radius - np.sqrt(squared) + 0.5, 0, 1) * (ring.floor + (1 - ring.floor) * high)
    soft = gaussian_filter(disc, ring.sigma * fine, mode="constant", truncate=6)
    pixels = soft.reshape(SIZE, fine, SIZE, fine).sum((1, 3))
    return torch.from_numpy((pixels / pixels.sum()).astype(np.float32)).expand(1, 2, -1, -1)


@pytest.mark.parametrize("radius", [-6.0, 9.0])
def test_views_through_the_halves_of_a_ring_make_the_picture_of_the_ring(radius: float) -> None:
    ring = Ring(radius, 6, 2.0, 0.2)
    left, right, _ = seen(butterworth([ring]), PICTURE)
    whole, _, _ = seen(_undivided_ring(ring), PICTURE)
    torch.testing.assert_close((left + right) / 2, whole, atol=5e-4, rtol=0)
    assert float((left - whole).abs().mean()) > 0.005, "one view alone is not"
    other, _, _ = seen(_undivided_ring(replace(ring, floor=0.1)), PICTURE)
    assert float(((left + right) / 2 - other).abs().max()) > 5e-4, "nor is another ring"


def test_zero_blur_gives_the_photograph_back(family: Family) -> None:
    for result in seen(family([0.0]), PICTURE):
        torch.testing.assert_close(result, PICTURE[..., MARGIN:-MARGIN, MARGIN:-MARGIN], atol=1e-5, rtol=0)
