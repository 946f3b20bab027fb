import numpy as np
import pytest

from dpanet.datasets.captures import Capture
from dpanet.errors import ConfigError
from dpanet.evaluation.bit_depth import BitDepth
from dpanet.pair import DualPixelPair, Picture, Pixels


def flat(value: float) -> Pixels:
    return np.full((16, 16, 3), value, np.float32)


def test_sixteen_bits_leave_both_as_they_are() -> None:
    output, truth = BitDepth().quantize(flat(1.25), flat(0.1234567))
    assert (output[0, 0, 0], truth[0, 0, 0]) == (np.float32(1.25), np.float32(0.1234567))


def test_eight_bits_round_and_clip_both() -> None:
    output, truth = BitDepth(bits=8).quantize(flat(100.6 / 255), flat(1.2))
    np.testing.assert_allclose(output, 101 / 255, rtol=1e-6)
    np.testing.assert_allclose(truth, 1.0)


def test_official_drops_low_bytes_and_truncates_the_output() -> None:
    depth = BitDepth(official=True)
    white = 0.5
    codes = np.array([0, 255, 256, 65279, 65280, 65535])
    views = np.resize(codes / 65535 * white, (16, 18, 3)).astype(np.float32)
    capture = Capture("a", DualPixelPair(views, views, "linear"), Picture(views, "linear"), white)
    seen = depth.read(capture)
    expected = np.resize(np.array([0, 0, 1, 254, 255, 255]) / 255 * white, views.shape)
    np.testing.assert_allclose(seen.pair.left, expected, atol=1e-7)
    np.testing.assert_allclose(seen.truth.pixels, expected, atol=1e-7)
    output, truth = depth.quantize(flat(100.9 / 255), flat(0.3))
    np.testing.assert_allclose(output, 100 / 255, rtol=1e-6)
    np.testing.assert_array_equal(truth, flat(0.3))
    assert BitDepth().read(capture) is capture


def test_other_depths_are_refused() -> None:
    with pytest.raises(ConfigError, match="bits is 12"):
        BitDepth(bits=12)
