"""The raw reading: whole steps of linear light above a black level."""

from math import erf

import numpy as np
import pytest
import torch
from torch import Tensor

from dpanet.recording.display import to_linear
from dpanet.recording.sensor import BITS, BLACKS, Sensor, draw_sensor, record


def read(light: Tensor, *sensors: Sensor) -> Tensor:
    """The left view, linear again, of (B, 1, H, W) linear light."""
    noise = [torch.Generator().manual_seed(i) for i in range(len(sensors))]
    return to_linear(record(light, light, light, sensors, noise)[0])


RAMP = torch.linspace(0, 1, 40_000).reshape(1, 1, 200, 200)


@pytest.mark.parametrize(("bits", "black", "dark"), [(10, 1 / 16, 64), (10, 0.0, 0), (8, 1 / 32, 8)])
def test_a_reading_has_whole_steps_above_its_black_level(bits: int, black: float, dark: int) -> None:
    steps = 2**bits - 1 - dark
    result = read(RAMP, Sensor(shot=0, read=0, bits=bits, black=black))
    codes = result.double() * steps
    assert float((codes - codes.round()).abs().max()) < 0.02
    assert len(codes.round().unique()) == steps + 1
    assert float((result - RAMP).abs().max()) < 0.51 / steps
    assert float(result[0, 0, 0, 0]) == 0 and float(result[0, 0, -1, -1]) == pytest.approx(1, abs=1e-6)


def test_noise_is_relative_to_white_above_the_black_level() -> None:
    light = torch.full((1, 1, 400, 400), 0.25)
    result = read(light, Sensor(shot=4e-4, read=0.003, bits=14, black=0.25))
    assert float(result.std()) == pytest.approx((4e-4 * 0.25 + 0.003**2) ** 0.5, rel=0.02)
    assert float(result.mean()) == pytest.approx(0.25, abs=1e-4)


def test_in_the_dark_half_of_the_noise_is_below_the_black_level_and_cut_off() -> None:
    """What is left has the mean of a Gaussian's positive half, and what rounds to the dark code is zero."""
    spread, black, steps = 0.004, 16 / 255, 255
    result = read(torch.zeros(1, 1, 400, 400), Sensor(shot=0, read=spread, bits=8, black=black))
    below = 0.5 * (1 + erf(0.5 / steps / (1 - black) / spread / 2**0.5))
    assert float((result == 0).float().mean()) == pytest.approx(below, abs=0.005)
    fine = read(torch.zeros(1, 1, 400, 400), Sensor(shot=0, read=spread, bits=14, black=1 / 16))
    assert float(fine.mean()) == pytest.approx(spread / (2 * np.pi) ** 0.5, rel=0.01)


def test_without_bits_and_black_level_nothing_is_rounded() -> None:
    """Not in a batch with readings that are, either; and a black level alone costs nothing."""
    plain = Sensor(shot=1e-4, read=1e-3)
    alone = read(RAMP, plain)
    assert len(alone.unique()) > 30_000
    both = read(RAMP.expand(2, -1, -1, -1), plain, Sensor(bits=10, black=1 / 16))
    assert torch.equal(both[:1], alone)
    torch.testing.assert_close(read(RAMP, Sensor(shot=1e-4, read=1e-3, black=0.1)), alone, atol=1e-6, rtol=0)


def test_clean_raw_readings_are_in_steps_by_their_share() -> None:
    def draw_sensors(raw: bool, quantized: float) -> list[Sensor]:
        return [draw_sensor(np.random.default_rng(seed), raw, 0.5, quantized) for seed in range(200)]

    plain, all_of_them = draw_sensors(True, 0.0), draw_sensors(True, 1.0)
    clean = [s.contrast == 0 and s.grain == 0 and s.levels == 0 for s in plain]
    assert not any(s.bits for s in plain) and sum(clean) > 120
    for before, after in zip(plain, all_of_them, strict=True):
        if after.bits:
            assert BITS[0] <= after.bits <= BITS[1] and after.black in BLACKS
        assert Sensor(**{**after.__dict__, "bits": 0, "black": 0.0}) == before, "nothing else is drawn anew"
    assert {s.bits for s in all_of_them} == {0, *range(BITS[0], BITS[1] + 1)}
    assert 0.3 < sum(s.bits > 0 for s in draw_sensors(True, 0.5)) / sum(s.bits > 0 for s in all_of_them) < 0.7
    assert not any(s.bits for s in draw_sensors(False, 1.0)), "a rendered file has none"


def test_without_the_share_the_generator_goes_on_as_before() -> None:
    """Where it stood after fifty sensors before there was such a share (commit 8cd2cf8)."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        draw_sensor(rng, True, 0.5, 0.0)
    assert rng.random() == 0.9315433980706416


def test_shaded_views_differ_as_those_of_a_camera_without_its_white_sheets() -> None:
    light = torch.full((1, 1, 8, 400), 0.25)
    ratios = []
    for seed in range(300):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        plain, shaded = draw_sensor(one, True), draw_sensor(other, True, shaded=1.0)
        assert (plain.shot, plain.read) == (shaded.shot, shaded.read)
        noise = [torch.Generator().manual_seed(0)]
        sensor = Sensor(shot=0, read=0, tilt=shaded.tilt, balance=shaded.balance)
        left, right = record(light, light, light, [sensor], noise)[:2]
        ratios.append(np.log((to_linear(left) / to_linear(right)).numpy()).mean())
    assert float(np.std(ratios)) == pytest.approx(0.12, rel=0.15)  # a Pixel 4: 0.11 over its field
    assert draw_sensor(np.random.default_rng(1), True, shaded=0.0) == draw_sensor(
        np.random.default_rng(1), True
    )
