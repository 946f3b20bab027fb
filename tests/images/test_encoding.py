import numpy as np
import pytest

from dpanet.errors import ConfigError, PairError
from dpanet.images.encoding import convert_in_strips, dequantize, linear_to_srgb, quantize, srgb_to_linear


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_hand_worked_points_of_the_standard() -> None:
    # ((0.5 + 0.055) / 1.055) ** 2.4 = 0.2140411; 0.02 / 12.92 = 0.001547988; middle grey 0.18 is 0.4613561
    np.testing.assert_allclose(
        srgb_to_linear(floats(0, 0.02, 0.5, 1)), floats(0, 0.001547988, 0.2140411, 1), rtol=1e-6
    )
    np.testing.assert_allclose(
        linear_to_srgb(floats(0, 0.001, 0.18, 1)), floats(0, 0.01292, 0.4613561, 1), rtol=1e-6
    )


def test_against_the_standard_in_float64() -> None:
    x = np.linspace(0, 1, 4097)
    expected = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(srgb_to_linear(x.astype(np.float32)), expected, atol=2e-7)
    assert (
        srgb_to_linear(x.astype(np.float32)).dtype == linear_to_srgb(x.astype(np.float32)).dtype == np.float32
    )


def test_values_outside_stay_finite_and_in_order() -> None:
    x = np.concatenate([-np.logspace(8, -6, 99), [0], np.logspace(-6, 8, 99)]).astype(np.float32)
    for curve in (srgb_to_linear, linear_to_srgb):
        y = curve(x)
        assert np.isfinite(y).all()
        assert (np.diff(y) > 0).all()
    np.testing.assert_allclose(srgb_to_linear(floats(-0.1292)), -0.01, rtol=1e-6)
    np.testing.assert_allclose(linear_to_srgb(floats(-0.01)), -0.1292, rtol=1e-6)
    np.testing.assert_allclose(srgb_to_linear(floats(2)), ((2 + 0.055) / 1.055) ** 2.4, rtol=1e-6)


@pytest.mark.parametrize(("curve", "knee"), [(srgb_to_linear, 0.04045), (linear_to_srgb, 0.0031308)])
def test_no_step_back_at_the_knee(curve, knee) -> None:
    x = np.linspace(knee * (1 - 1e-4), knee * (1 + 1e-4), 2001).astype(np.float32)
    assert (np.diff(curve(x)) >= -1e-8).all()
    assert curve(x[x > knee]).min() >= curve(x[x <= knee]).max()


def test_every_16_bit_code_survives_both_curves_and_the_files() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    pixels = dequantize(codes)
    np.testing.assert_array_equal(quantize(pixels, 16), codes)
    np.testing.assert_array_equal(quantize(linear_to_srgb(srgb_to_linear(pixels)), 16), codes)
    assert (np.diff(linear_to_srgb(pixels)) > 0).all()
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(quantize(dequantize(bytes_), 8), bytes_)


def test_quantize_clips_and_then_rounds() -> None:
    np.testing.assert_array_equal(
        quantize(floats(-0.3, 0, 0.5, 1, 1.01, np.inf), 8), [0, 0, 128, 255, 255, 255]
    )
    # 100.4 / 65535 rounds down, 100.6 / 65535 rounds up; truncation would give 100 for both
    np.testing.assert_array_equal(quantize(floats(100.4 / 65535, 100.6 / 65535, 1.01), 16), [100, 101, 65535])
    assert quantize(floats(0), 8).dtype == np.uint8
    assert quantize(floats(0), 16).dtype == np.uint16


def test_what_has_no_code_is_refused() -> None:
    with pytest.raises(ConfigError, match="bits is 12"):
        quantize(floats(0), 12)
    with pytest.raises(PairError, match="NaN"):
        quantize(floats(np.nan), 8)
    with pytest.raises(PairError, match="float32"):
        dequantize(floats(0))


def test_strips_are_converted_as_the_whole() -> None:
    pixels = np.random.default_rng(0).random((150, 4, 3)).astype(np.float32)
    expected = linear_to_srgb(pixels)
    np.testing.assert_array_equal(convert_in_strips(pixels, linear_to_srgb), expected)
    assert convert_in_strips(pixels, linear_to_srgb, out=pixels) is pixels
    np.testing.assert_array_equal(pixels, expected)
