"""With a known lens the defocus map is that of the lens, for any network."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from dpanet import Deblurrer
from dpanet.errors import ConfigError
from dpanet.lenses.lens import blur_radius
from dpanet.lenses.measured_grid import MeasuredGrid
from dpanet.lenses.pixel4 import Pixel4
from dpanet.pair import DualPixelPair

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
