"""The lens that is found from a pair, against the one that made it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from refinement.blurred_texture import blur_views, draw_texture, make_soft
from scipy.ndimage import gaussian_filter

from dpanet.lenses.adjusted_lens import AdjustedLens
from dpanet.lenses.lens import SIZE, blur_radius
from dpanet.lenses.ramped_lens import RADIUS, RampedLens
from dpanet.pair import Pixels
from dpanet.refinement.evidence import EvidenceMeter
from dpanet.refinement.find_lens import find_lens
from dpanet.refinement.fit_lens import fit_lens
from dpanet.refinement.refine import refine, spread_scales
from dpanet.simulation.kernels import RampedDisc, ramped_disc

SIDE = 336


@pytest.fixture(scope="module")
def truth() -> Pixels:
    return draw_texture(SIDE)


def slanted(radius: float) -> np.ndarray:
    """An ellipse under a slanted ramp, steeper in the left view: no lens that the simulator has."""
    line = np.arange(SIZE) - SIZE // 2
    center = np.zeros(2)
    for _ in range(2):  # the second time without the centroid that both views share
        y, x = np.meshgrid(line + center[0], line + center[1], indexing="ij")
        disc = (radius - np.hypot(x, 1.2 * y) + 0.5).clip(0, 1)
        along = (0.9 * x + 0.45 * y) / radius
        pair = np.stack([disc * (1 - 0.8 * along).clip(0), disc * (1 + 0.4 * along).clip(0)])
        pair /= pair.sum((1, 2), keepdims=True)
        both = pair.mean(0)
        center = np.array([both.sum(1) @ line, both.sum(0) @ line])
    return np.asarray(pair, np.float32)


@pytest.mark.parametrize(("slope", "radius"), [(0.54, 9.0), (0.78, -7.0), (1.15, 11.0)])
def test_the_slope_of_the_ramp_is_found(truth: Pixels, slope: float, radius: float) -> None:
    views = blur_views(truth, ramped_disc([RampedDisc(radius, softness=1 / slope)]).numpy()[0], noise=1e-3)
    calls: list[tuple[int, int]] = []
    lens = find_lens(*views, truth, progress=lambda *call: calls.append(call))
    assert calls == [(done + 1, calls[-1][1]) for done in range(calls[-1][1])]
    base = lens.base
    assert isinstance(base, RampedLens) and base.slope == pytest.approx(
        slope, rel=0.1
    )  # the tried ones: 0.17
    refined = refine(*views, make_soft(truth), lens)
    assert np.median(refined.scale[60:-60, 60:-60]) * blur_radius(lens) == pytest.approx(radius, rel=0.1)
    assert refined.explained > 16


def test_kernels_become_those_of_a_lens_that_no_ramp_is(truth: Pixels) -> None:
    radius = 10.0
    views = blur_views(truth, slanted(radius), noise=1e-3)
    found = find_lens(*views, make_soft(truth))

    def distance(lens: AdjustedLens) -> float:
        """Of the kernels in the middle of the field from the true ones, 0..1."""
        scales = np.linspace(0.5, 0.9, 41)
        return float(np.abs(lens.kernels(0.5, 0.5, scales) - slanted(radius)).sum((1, 2, 3)).min() / 4)

    assert distance(found) < 0.7 * distance(AdjustedLens(found.base))
    soft = make_soft(truth)
    before, after = (refine(*views, soft, lens) for lens in (found.base, found))
    # What is finer than 3 px is lost in both.
    differences = [gaussian_filter(one - truth, (3, 3, 0)) for one in (soft, before.picture, after.picture)]
    errors = [np.sqrt(np.mean(np.square(one)[48:-48, 48:-48])) for one in differences]
    assert after.explained > before.explained + 3
    assert errors[2] < 0.75 * errors[1] < 0.75 * errors[0]


def test_the_views_alone_change_kernels_so_that_each_blurred_as_the_other_is_the_same(truth: Pixels) -> None:
    views = blur_views(truth, slanted(10.0))
    base, scales = AdjustedLens(RampedLens(0.7)), np.array([0.0, 10.0 / RADIUS], np.float32)

    def measure(lens: AdjustedLens) -> EvidenceMeter:
        return EvidenceMeter(
            views[0].mean(2), views[1].mean(2), np.zeros((SIDE, SIDE), np.float32), lens, scales
        )

    blocks = np.full(measure(base).blocks, scales[1])
    with ThreadPoolExecutor(1) as pool:
        fitted = fit_lens(base, measure(base), blocks, pool)
        before, after = (measure(lens).measure_all(pool).between_views[1].mean() for lens in (base, fitted))
    assert after < 0.6 * before


def test_small_blur_says_nothing_of_the_shape(truth: Pixels) -> None:
    lens = RampedLens(0.7)
    views = blur_views(truth, slanted(4.0))
    gray = [plane.mean(2) for plane in (*views, truth)]
    meter = EvidenceMeter(gray[0], gray[1], gray[2], lens, spread_scales(lens))
    blocks = np.full(meter.blocks, 4.0 / RADIUS, np.float32)
    with ThreadPoolExecutor(1) as pool:
        assert not fit_lens(AdjustedLens(lens), meter, blocks, pool).coefficients.any()
        assert fit_lens(AdjustedLens(lens), meter, 2 * blocks, pool).coefficients.any()


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (40, 17)])
def test_pairs_that_say_nothing_give_some_lens(shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), 0.5, np.float32)
    noise = np.random.default_rng(1).random((3, *shape, 3)).astype(np.float32)
    for views in ((flat, flat, flat), tuple(noise)):
        lens = find_lens(*views)
        assert np.isfinite(lens.coefficients).all()
        assert np.isfinite(refine(*views, lens).picture).all()
