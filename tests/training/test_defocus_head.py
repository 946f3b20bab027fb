import numpy as np
import torch

from dpanet.network import DPANet, preset
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, blur
from dpanet.simulation.scene import Scenes
from dpanet.training.defocus_head import train_defocus_head


class TwoBlurs:
    """Random blocks through the disc of one radius, on either side of the focal plane."""

    def scenes(self, seeds: list[list[int]], size: int) -> Scenes:
        rng, count = np.random.default_rng(seeds[0]), len(seeds)
        cells = (size + 2 * MARGIN) // 4
        canvas = torch.from_numpy(rng.random((count, 1, cells, cells), dtype=np.float32))
        canvas = canvas.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
        radii = rng.choice((-4.0, 4.0), count)
        left, right = blur(canvas, ramped_disc([RampedDisc(float(r)) for r in radii]), torch.arange(count))
        radius = torch.tensor(radii, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, size, size)
        return Scenes(left, right, canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN], radius)


def test_a_head_learns_the_side_and_the_picture_stays() -> None:
    torch.manual_seed(0)
    network = DPANet(
        preset("compact", widths=(8,) * 4, decoder_widths=(), bottleneck_width=8, cost_width=4)
    ).eval()
    scenes = TwoBlurs()
    taught = train_defocus_head(network, scenes, steps=300, batch=4, patch=32, learning_rate=1e-2)  # type: ignore[arg-type]
    left, right, _, radius = scenes.scenes([[99, scene] for scene in range(8)], 64)
    assert radius is not None
    with torch.no_grad():
        picture, told = taught.with_defocus(left, right)
        assert torch.equal(picture, network(left, right))
    error = float((told - radius).abs().mean())
    assert error < 3.7, "whoever cannot tell the sides apart errs by 4 px"
