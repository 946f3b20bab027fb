"""What of a truth is in pictures, by frequency: laws of the measure."""

import numpy as np
import pytest

from benchmarks.coherence import compare, cross_spectra, joint_coherence, match

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
