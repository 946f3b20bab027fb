import cv2
import numpy as np
import pytest
import torch

from dpanet.errors import ConfigError
from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.optics import Optics
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig

LINE = torch.arange(SIZE) - SIZE // 2
RINGS = [
    Ring(radius, order, cutoff, floor)
    for radius in (-30.0, -4.0, 1.0, 7.5, 20.0)
    for order in ORDERS
    for cutoff in CUTOFFS
    for floor in FLOORS
]


def test_rings_sum_to_one_and_mirror_each_other() -> None:
    pairs = butterworth(RINGS)
    assert pairs.shape == (len(RINGS), 2, SIZE, SIZE) and (pairs >= 0).all()
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(len(RINGS), 2))
    torch.testing.assert_close(pairs[:, 1], pairs[:, 0].flip(-1))


def test_crossing_focus_swaps_the_views() -> None:
    far, near = butterworth([Ring(9.0), Ring(-9.0)])
    torch.testing.assert_close(far, near.flip(0))
    assert float((far[0].sum(-2) * LINE).sum()) < -2 < 2 < float((far[1].sum(-2) * LINE).sum())


def test_both_halves_make_the_whole_ring() -> None:
    """Of the unsplit lens nothing is left of the ramp: it looks alike from all sides."""
    whole = butterworth([Ring(12.0, 6)])[0].mean(0)
    for turned in (whole.flip(-1), whole.flip(-2), whole.T):
        torch.testing.assert_close(whole, turned, atol=1e-8, rtol=1e-4)


@pytest.mark.parametrize("floor", FLOORS)
def test_the_middle_is_dark_and_the_rim_bright(floor: float) -> None:
    """At a large radius the Gaussian hardly matters: center against rim is what the formula says."""
    radius, order, cutoff = 38.0, 6, 2.5
    whole = butterworth([Ring(radius, order, cutoff, floor)])[0].mean(0)
    middle = SIZE // 2

    def high(distance: float) -> float:
        term = (distance / (2 * radius / cutoff)) ** (2 * order)
        return term / (1 + term)

    corner = high(radius * 2**0.5)
    for distance in (15, 31):
        expected = floor + (1 - floor) * high(distance) / corner
        result = float(whole[middle, middle + distance] / whole[middle, middle]) * floor
        assert result == pytest.approx(expected, rel=0.05), distance


@pytest.mark.parametrize(("radius", "order", "cutoff", "floor"), [(10, 3, 2.5, 0.1), (20, 9, 2.0, 0.2)])
def test_equals_the_papers_recipe_at_whole_radii(
    radius: int, order: int, cutoff: float, floor: float
) -> None:
    """Pixel by pixel with OpenCV, as the paper's authors build theirs; only the disc's border is rougher there."""
    k = 2 * radius + 1
    window = round(k / 7) + 1
    window += 1 - window % 2
    pad = window // 2
    y, x = np.mgrid[:k, :k] - radius
    term = ((x**2 + y**2) / ((k - 1) / cutoff) ** 2) ** order
    high = term / (1 + term)
    inside = floor + (1 - floor) * high / high.max()
    ring = np.pad(inside * cv2.circle(np.zeros((k, k)), (radius, radius), radius, 1.0, -1), pad)
    blurred = cv2.GaussianBlur(ring, (window, window), 0.3 * ((window - 1) * 0.5 - 1) + 0.8)
    rising = blurred * np.linspace(0, 1, k + 2 * pad)
    rising = np.pad(rising / rising.sum(), (SIZE - k) // 2 - pad)
    left, right = butterworth([Ring(float(radius), order, cutoff, floor)])[0].double().numpy()
    assert np.abs(right - rising).sum() < 0.08
    assert np.abs(left - rising).sum() > 0.3, "a planted wrong kernel, the other view's, is far off"


def test_no_blur_is_one_pixel_alike_in_both_views() -> None:
    for ring in butterworth([Ring(0.0, order, cutoff) for order in ORDERS for cutoff in CUTOFFS]):
        point = torch.zeros(SIZE, SIZE)
        point[SIZE // 2, SIZE // 2] = 1
        torch.testing.assert_close(ring, point.expand(2, -1, -1), atol=1e-6, rtol=0)


def test_the_spread_grows_with_the_radius_without_a_jump() -> None:
    pairs = butterworth([Ring(r / 10) for r in range(200)])
    torch.testing.assert_close(pairs.sum((-1, -2)), torch.ones(200, 2))
    spread = (pairs.mean(1).sum(-2) * LINE**2).sum(-1).sqrt()
    steps = spread.diff()
    assert (steps > -1e-3).all() and (steps < 0.3).all()


def test_a_ring_too_large_is_refused() -> None:
    with pytest.raises(ConfigError, match="radius is -45"):
        butterworth([Ring(-45.0)])


def test_scenes_choose_it_by_its_share() -> None:
    def families(**shares: float) -> set[str]:
        rng = np.random.default_rng(0)
        config = SceneConfig(measured=0.0, **shares)
        return {Optics(rng, None, config, 1.0).family for _ in range(40)}

    assert families() == {"ramped-disc"}
    assert families(butterworth=0.5) == {"ramped-disc", "butterworth"}
    assert families(butterworth=1.0) == {"butterworth"}


def test_scenes_through_a_ring_differ_and_can_be_sharp() -> None:
    ramp = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, 90, 90), dtype=np.uint8))
    scenes = {
        share: Simulator([ramp], None, SceneConfig(pages=1, butterworth=share)).scenes([[2, 0], [2, 1]], 32)
        for share in (0.0, 1.0)
    }
    assert not torch.equal(scenes[0.0][0], scenes[1.0][0])


def test_the_largest_radius_of_scenes_fits() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        optics = Optics(rng, None, SceneConfig(measured=0.0, butterworth=1.0), 1.0)
        assert torch.isfinite(optics.kernels_at_blurs([-1.0, 1.0], torch.device("cpu"))).all()
