"""What of a truth is in pictures, by frequency: laws of the measure."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.coherence import compare, cross_spectra, joint_coherence, match, pair_spectra, read_gray
from dpanet.images.encoding import srgb_to_linear
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

NOISE = np.random.default_rng(1).normal(0.5, 0.1, (3, 640, 640))


def test_a_fainter_copy_is_coherent_and_noise_is_not() -> None:
    truth, noise = NOISE[0], NOISE[1] - 0.5
    band = cross_spectra([truth, truth, noise, 0.5 * truth, truth + noise])[:, :, 10:40, 10:40].reshape(
        5, 5, -1
    )
    assert joint_coherence(band) == pytest.approx(1)
    amplitude, coherence, error, least = compare(band, 3)
    assert (amplitude, coherence) == pytest.approx((0.5, 1))
    assert error == pytest.approx(10 * np.log10(0.25)) and least < -60
    amplitude, coherence, error, least = compare(band, 4)
    assert amplitude == pytest.approx(1, abs=0.1) and coherence == pytest.approx(0.5, abs=0.1)
    assert error == pytest.approx(0, abs=0.6) and least == pytest.approx(-3, abs=0.7)


def test_gain_and_offset_are_matched() -> None:
    np.testing.assert_allclose(match((3 * NOISE[2] - 1).astype(np.float32), NOISE[2]), NOISE[2], atol=1e-5)


def test_a_truth_is_laid_on_the_picture() -> None:
    smooth = cv2.GaussianBlur(NOISE[2], (0, 0), 3)
    display = (0.5 + 3 * (smooth - 0.5)).clip(0.05, 0.95)
    truth = np.asarray(srgb_to_linear(display.astype(np.float32)), np.float32)
    shift = np.array([[1, 0, 2.5], [0, 1, -1.5]])  # as wide as half a period of the band
    moved = cv2.warpAffine(
        display, shift, display.shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None])
    band = (frequency > 0.06) & (frequency < 0.1)
    amplitude, coherence, _, _ = compare(pair_spectra(truth, moved)[:, :, band], 1)
    assert amplitude == pytest.approx(1, abs=0.03) and coherence > 0.99
    still = compare(cross_spectra([display, moved])[:, :, band], 1)
    assert still[0] < 0.7, "what it would be without"


def test_a_linear_picture_is_read_as_display_values(tmp_path: Path) -> None:
    display = NOISE[0, :64, :64, None].repeat(3, 2).clip(0, 1).astype(np.float32)
    for encoding, white in (("srgb", 1.0), ("linear", 1.0), ("linear", 0.5)):
        pixels = display if encoding == "srgb" else np.asarray(srgb_to_linear(display) * white, np.float32)
        path = tmp_path / f"{encoding}.tif"
        write_picture(Picture(pixels, encoding, {"bits": 16}), path, overwrite=True)
        np.testing.assert_allclose(read_gray(path, white), display[..., 0], atol=2e-3)
