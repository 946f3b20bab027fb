"""The blur radius of a lens: that of a disc is its own, and its sign tells on which side the left kernel lies."""

from __future__ import annotations

import numpy as np
import pytest

from dpanet.lenses.lens import blur_radius
from dpanet.lenses.measured_grid import MeasuredGrid


def half_discs(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Kernels (1, 49, 49) that fill the left and the right half of a disc."""
    y, x = np.mgrid[-24:25, -24:25]
    disc = (np.hypot(x, y) <= radius).astype(np.float64)
    left, right = disc * (x < 0.5), disc * (x > -0.5)
    return left[None] / left.sum(), right[None] / right.sum()


@pytest.mark.parametrize("radius", [8.0, 15.0])
def test_both_halves_of_a_disc_have_its_radius(radius: float) -> None:
    left, right = half_discs(radius)
    assert blur_radius(MeasuredGrid(left, right)) == pytest.approx(radius, abs=0.5)
    assert blur_radius(MeasuredGrid(right, left)) == pytest.approx(-radius, abs=0.5)
