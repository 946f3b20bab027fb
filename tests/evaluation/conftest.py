"""Scenes from a formula, so that moving one needs no interpolation."""

from collections.abc import Callable

import numpy as np
import pytest

Scene = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A gray texture, 0.1..0.9: `scene(warp, width, height, damp)` is drawn at the points warp @ (x, y, 1).

    `damp` in px blurs it: each wave is damped as a Gaussian of that sigma would.
    """
    rng = np.random.default_rng(7)
    waves = rng.normal(size=(60, 2)) * 0.25  # radians per px
    phases, heights = rng.uniform(0, 2 * np.pi, 60), rng.uniform(0.5, 1, 60)

    def draw(
        warp: np.ndarray | None = None, width: int = 200, height: int = 160, damp: float = 0.0
    ) -> np.ndarray:
        warp = np.eye(2, 3) if warp is None else warp
        y, x = np.mgrid[:height, :width].astype(float)
        u, v = (row[0] * x + row[1] * y + row[2] for row in warp)
        total = np.zeros((height, width))
        for (a, b), phase, strength in zip(waves, phases, heights, strict=True):
            total += strength * np.exp(-(a * a + b * b) * damp**2 / 2) * np.cos(a * u + b * v + phase)
        gray = 0.5 + 0.4 * np.tanh(total / 6)
        return np.repeat(gray.astype(np.float32)[..., None], 3, axis=2)

    return draw
