"""Views of one simulated scene for all tests here; its rendering takes seconds."""

import numpy as np
import pytest

from dpanet.images.encoding import srgb_to_linear
from tools.demo_pair import demo_pair


@pytest.fixture(scope="session")
def scene() -> tuple[np.ndarray, np.ndarray]:
    """The left and the right view, linear, of normal exposure: nothing is clipped."""
    pair, _ = demo_pair()
    left, right = (srgb_to_linear(view) * np.float32(0.7) for view in (pair.left, pair.right))
    return left, right
