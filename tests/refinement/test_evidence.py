"""What the evidence says of a scale, on views that are made by SciPy's convolution."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from dpanet.lenses.pixel4 import Pixel4
from dpanet.refinement.evidence import Evidence, EvidenceMeter
from dpanet.refinement.spectra import WindowSpectra

SIDE = 168
SCALES = np.array([-0.8, -0.4, 0.0, 0.4, 0.8, 1.2], np.float32)


def texture() -> NDArray[np.float32]:
    random = np.random.default_rng(7)
    layers = [gaussian_filter(random.standard_normal((SIDE, SIDE)), sigma) for sigma in (1, 3)]
    return np.float32(0.4 + 0.05 * sum(layer / layer.std() for layer in layers))


def blurred(picture: NDArray[np.float32], scale: float, noise: float = 0.0) -> NDArray[np.float32]:
    kernels = Pixel4().kernels(0.5, 0.5, [scale])[0]
    padded = np.pad(picture, 48, "reflect")
    views = np.stack([fftconvolve(padded, kernel, "valid") for kernel in kernels])
    return np.float32(views + noise * np.random.default_rng(3).standard_normal(views.shape))


def measure(views: NDArray[np.float32], picture: NDArray[np.float32]) -> Evidence:
    meter = EvidenceMeter(views[0], views[1], picture, Pixel4(), SCALES)
    (part,) = meter.parts
    assert part == (slice(0, 21), slice(0, 21))
    return meter(part)


@pytest.mark.parametrize("number", [0, 1, 3, 5])
def test_the_true_scale_leaves_the_least(number: int) -> None:
    picture = texture()
    evidence = measure(blurred(picture, float(SCALES[number])), gaussian_filter(picture, 1.5))
    for squares in (evidence.between_views, evidence.with_picture):
        means = squares[:, 6:-6, 6:-6].mean((1, 2))
        assert means.argmin() == number
        assert means[number] < 0.35 * np.delete(means, number).min()


def test_views_alone_do_not_know_the_picture() -> None:
    picture = texture()
    views = blurred(picture, 0.8)
    one, other = measure(views, picture), measure(views, np.zeros_like(picture))
    np.testing.assert_array_equal(one.between_views, other.between_views)
    assert one.with_picture[4].mean() < 0.01 * other.with_picture[4].mean()


def test_noise_is_in_both_nearly_alike_and_as_strong_as_said() -> None:
    picture = texture()
    meter = EvidenceMeter(picture, picture, picture, Pixel4(), SCALES)
    evidence = measure(blurred(picture, 0.8, noise=0.02), picture)
    between, with_picture = (
        squares[4, 4:-4, 4:-4].mean() for squares in (evidence.between_views, evidence.with_picture)
    )
    assert with_picture == pytest.approx(0.02**2 * meter.passed, rel=0.15)
    assert 0.5 * with_picture < between < 1.1 * with_picture


def test_kernel_spectra_are_those_of_the_padded_kernels() -> None:
    spectra = WindowSpectra(192, reduction=2)
    found = spectra.kernels(Pixel4(), 0.3, 0.7, [-0.7, 0.0, 0.7])
    kernels = np.zeros((3, 2, 192, 192))
    kernels[..., :97, :97] = Pixel4().kernels(0.3, 0.7, [-0.7, 0.0, 0.7])
    wanted = np.fft.fft2(np.roll(kernels, (-48, -48), (2, 3)))[..., np.r_[:48, 144:192], :49]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_halving_keeps_what_is_coarse() -> None:
    y, x = np.mgrid[:192, :192] * (2 * np.pi / 192)
    picture = np.float32(0.5 + 0.2 * np.sin(6 * x) + 0.1 * np.cos(9 * y))
    spectra = WindowSpectra(192, reduction=2)
    halved = spectra.inverse(spectra.transform(picture))
    np.testing.assert_allclose(halved, picture[::2, ::2], atol=1e-4)
