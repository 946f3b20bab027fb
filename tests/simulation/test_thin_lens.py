from dataclasses import replace

import numpy as np
import pytest

from dpanet.errors import ConfigError
from dpanet.simulation.thin_lens import ThinLens

LENS = ThinLens(focal_length=50, f_number=2, focus=2, pitch=5)


def test_a_value_by_hand() -> None:
    """An aperture of 25 mm.

    From 2 m the image lies at 50 * 2000 / 1950 = 51.28205 mm, from 4 m at
    50 * 4000 / 3950 = 50.63291 mm: the cone has spread to 25 * 0.64914 / 50.63291 = 0.320513 mm on the sensor, a
    radius of 0.160256 mm, or 32.0513 px of 5 micrometres.
    """
    assert LENS.radius(4.0, 1000) == pytest.approx(32.0513, abs=1e-4)


@pytest.mark.parametrize("depth", [0.3, 1.9, 2.0, 2.5, 30.0])
def test_equals_rays_through_the_rims_of_the_aperture(depth: float) -> None:
    """Traced from a point on the axis to the sensor; the side they arrive on decides the sign."""
    focal, sensor = 50.0, 50.0 * 2000 / 1950
    image = focal * depth * 1000 / (depth * 1000 - focal)
    left_rim = -12.5  # of the lens, seen from the camera; rays go from there to the image point on the axis
    arrives = left_rim * (1 - sensor / image)
    upright = -arrives  # the picture on the sensor stands on its head
    # The left view lies on the left where the radius is positive.
    assert LENS.radius(depth, 1000) == pytest.approx(-upright / 0.005, abs=1e-9)


def test_far_is_positive_near_is_negative_focus_is_nothing() -> None:
    near, sharp, far, sky = LENS.radius(np.array([1.0, 2.0, 3.0, np.inf]), 1000)
    assert near < 0 == sharp < far < sky
    assert sky == pytest.approx(2500 / (2 * 2 * 1950) / 0.005)


def test_stopping_down_halves_and_pixels_of_full_frame_are_the_default() -> None:
    assert replace(LENS, f_number=4).radius(5.0, 10) == pytest.approx(LENS.radius(5.0, 10) / 2)
    full_frame = replace(LENS, pitch=None)
    assert full_frame.radius(5.0, 7200) == pytest.approx(LENS.radius(5.0, 1))  # 36 mm / 7200 = 5 micrometres


def test_what_the_command_line_says() -> None:
    assert ThinLens.parse("f=50,N=2,focus=2,pitch=5") == LENS
    assert ThinLens.parse(" N=2, f=50, focus=2") == replace(LENS, pitch=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("f=50,N=2", "without focus"),
        ("f=50,N=2,focus=x", "focus must be a number"),
        ("f=50,N=0,focus=2", "N=0"),
        ("f=50,N=nan,focus=2", "N=nan"),
        ("f=50,N=2,focus=2,zoom=3", "'zoom=3'"),
        ("f=50,f=60,N=2,focus=2", "'f=60'"),
        ("f=50,N=2,focus=0.05", "within its focal length"),
        ("", "f=MM"),
    ],
)
def test_an_impossible_lens_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        ThinLens.parse(text)


def test_a_curved_field_adds_its_radius_in_the_corners_alone() -> None:
    curvature = ThinLens.parse("f=50,N=2,focus=2,curvature=-3").field_curvature(31, 41)
    assert curvature[0, 0] == curvature[-1, -1] == pytest.approx(-3) and curvature[15, 20] == 0
    assert curvature[15, 0] == pytest.approx(-3 * 40**2 / (40**2 + 30**2), rel=0.03)
    assert curvature[15, 10] == pytest.approx(curvature[15, 0] / 4) and curvature[5, 20] == pytest.approx(
        curvature[0, 20] * 4 / 9
    )
    assert not LENS.field_curvature(5, 5).any()
    with pytest.raises(ConfigError, match="curvature=nan"):
        ThinLens.parse("f=50,N=2,focus=2,curvature=nan")
