from collections.abc import Callable

import numpy as np
import pytest
import torch

from dpanet.pair import DualPixelPair
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, blur

Blurred = Callable[..., tuple[DualPixelPair, np.ndarray]]


@pytest.fixture(scope="session")
def blurred() -> Blurred:
    """`blurred(kernels, height, width)`: a linear pair seen through kernels (1, 2, K, K), and its truth.

    Blocks and dots of random light, with the noise of a good sensor. `radius=` instead of kernels: a ramped disc.
    """

    def make(
        kernels: torch.Tensor | None = None,
        height: int = 112,
        width: int = 128,
        *,
        radius: float = 0.0,
        seed: int = 1,
    ) -> tuple[DualPixelPair, np.ndarray]:
        rng = np.random.default_rng(seed)
        if kernels is None:
            kernels = ramped_disc([RampedDisc(radius, softness=0.8, edge=1.2)])
        size = (height + SIZE - 1, width + SIZE - 1)
        scene = np.zeros(size)
        for step in (3, 8, 21):
            cells = rng.random((size[0] // step + 1, size[1] // step + 1))
            scene += np.kron(cells, np.ones((step, step)))[: size[0], : size[1]] * step**0.5
        scene = 0.05 + 0.9 * (scene - scene.min()) / (scene.max() - scene.min())
        planes = torch.from_numpy(scene.astype(np.float32))[None, None]
        views = blur(planes, kernels, torch.zeros(1, dtype=torch.long))[:, 0, 0].numpy()
        views = views + rng.normal(0, 1e-3, views.shape)
        left, right = (np.repeat(v[..., None].astype(np.float32), 3, 2) for v in views)
        truth = np.repeat(scene[MARGIN:-MARGIN, MARGIN:-MARGIN, None].astype(np.float32), 3, 2)
        return DualPixelPair(left, right, "linear"), truth

    return make
