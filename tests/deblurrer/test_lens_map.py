"""With a known lens the defocus map is that of the lens, for any network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from dpanet import Deblurrer
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.refined import deblur_and_refine
from dpanet.errors import ConfigError
from dpanet.lenses.lens import blur_radius
from dpanet.lenses.measured_grid import MeasuredGrid
from dpanet.lenses.pixel4 import Pixel4
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Pixels

LENS = MeasuredGrid(*(kernel[None] for kernel in Pixel4().calibrated_pair(0.5, 0.5)))
"""The middle of the Pixel 4's field, everywhere."""


def pair(scale: float, side: int = 192) -> DualPixelPair:
    """Linear views of a flat texture, blurred as the middle of the field blurs, by SciPy's convolution."""
    random = np.random.default_rng(3)
    layers = [gaussian_filter(random.standard_normal((side, side)), sigma) for sigma in (1, 3)]
    picture = np.pad((0.4 + 0.06 * sum(layer / layer.std() for layer in layers)).clip(0, 1), 48, "reflect")
    views = [fftconvolve(picture, kernel, "valid") for kernel in LENS.kernels(0.5, 0.5, [scale])[0]]
    left, right = (np.repeat(np.float32(view)[..., None], 3, 2) for view in views)
    return DualPixelPair(left, right, "linear")


@pytest.mark.parametrize("scale", [0.6, -0.6])
def test_nano_has_a_map_where_a_lens_is_known(scale: float) -> None:
    with pytest.raises(ConfigError, match="no defocus map"):
        Deblurrer("nano", device="cpu").with_defocus_map(pair(scale))
    deblurrer = Deblurrer("nano", device="cpu", lens=LENS)
    assert deblurrer.has_defocus_map
    picture, radius = deblurrer.with_defocus_map(pair(scale))
    assert radius is not None and radius.shape == picture.pixels.shape[:2]
    inner = radius[32:-32, 32:-32]
    assert np.abs(inner - scale * blur_radius(LENS)).mean() < 0.3
    np.testing.assert_array_equal(deblurrer(pair(scale)).pixels, picture.pixels)


def test_a_background_is_kept_by_the_map_of_the_lens() -> None:
    views = pair(0.6)  # behind the focal plane, 7 px
    kept = Deblurrer("nano", device="cpu", lens=LENS, keep_background=2.0)(views)
    combined = (views.left + views.right) / 2
    assert np.abs(kept.pixels - combined)[32:-32, 32:-32].mean() < 0.003
    front = Deblurrer("nano", device="cpu", lens=LENS, keep_foreground=2.0)(views)
    np.testing.assert_array_equal(front.pixels, Deblurrer("nano", device="cpu", lens=LENS)(views).pixels)


CHECKERS = np.float32(np.indices((192, 192)).sum(0) % 2 * 2 - 1)[..., None]


class Checkered:
    """An engine that adds the finest pattern there is, of which a blurred view holds nothing."""

    name = family = version = "test"
    device, precision, parameters = "cpu", "float32", None
    description = Description(multiple_of=8, halo=8, encoding="srgb", has_defocus=False)

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        assert not defocus
        return (left + right) / 2 + np.float32(0.05) * CHECKERS


def test_a_part_is_kept_of_what_the_network_adds_and_the_lens_does_not_pass() -> None:
    engine: Any = Checkered()
    views = pair(0.6)
    options: dict[str, Any] = {"encoding": "linear", "control": Control(), "tile": 0, "scale": 1}
    alone, _ = deblur_pair(engine, views, mirrors=MIRRORS[:1], **options)
    refined, radius = deblur_and_refine(LENS, engine, views, mirrors=MIRRORS[:1], **options)
    assert radius is None
    added, kept = ((picture * CHECKERS)[48:-48, 48:-48].mean() for picture in (alone, refined))
    assert kept / added == pytest.approx(0.85, abs=0.03)
