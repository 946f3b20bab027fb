"""The simulator's own blur map: the truth that a defocus head is trained on."""

import numpy as np
import pytest
import torch

from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.render import MARGIN, Layer, defocus_map
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig

SIZE = 32


def layer(radius: list[float], share: torch.Tensor, opacity: torch.Tensor | None = None) -> Layer:
    canvas = SIZE + 2 * MARGIN
    return Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=torch.zeros(1, 1, canvas, canvas),
        opacity=opacity,
        kernels=ramped_disc([RampedDisc(r) for r in radius]),
        owner=torch.zeros(len(radius), dtype=torch.long),
        share=share,
        radius=torch.tensor(radius),
    )


def test_a_slanted_background_behind_a_flat_card() -> None:
    ramp = torch.linspace(0, 1, SIZE).expand(SIZE, -1)
    background = layer([2.0, -4.0], torch.stack((1 - ramp, ramp))[:, None])
    opacity = torch.zeros(1, 1, SIZE + 2 * MARGIN, SIZE + 2 * MARGIN)
    opacity[..., : MARGIN + 10, :] = 1
    card = layer([7.0], torch.ones(1, 1, SIZE, SIZE), opacity)
    result = defocus_map([background, card])[0, 0]
    assert torch.equal(result[:10], torch.full((10, SIZE), 7.0))
    torch.testing.assert_close(result[10:], (2 - 6 * ramp)[10:])


@pytest.mark.parametrize("radius", [5.0, 11.0])
def test_measured_kernels_know_the_radius_of_their_disc(radius: float) -> None:
    left, right = ramped_disc([RampedDisc(radius, edge=0.1)])[0, :, 18:-18, 18:-18].double().numpy()
    # A lens that also moves the whole picture: the shift is no blur.
    moved = [np.roll(kernel, 2, axis=-1)[None] for kernel in (left, right)]
    assert MeasuredKernels(*moved).radius == pytest.approx(radius, rel=0.15)


def test_the_sign_tells_which_view_lies_where() -> None:
    """Mirrored or not: where the map is positive, the right view lies to the right of the left one."""
    blocks = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8))
    picture = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    config = SceneConfig(pages=1, layers=(1.0, 0.0, 0.0), slanted=0.0, gray=1.0, print_share=0.0)
    simulator = Simulator([picture], None, config)
    left, right, _, radius = simulator.scenes([[3, i] for i in range(12)], 64)
    assert radius is not None
    checked = 0
    for scene in range(12):
        blur = float(radius[scene].mean())
        if abs(blur) < 2:
            continue
        # The shift d at which right[x + d] is most like left[x].
        inner = left[scene, 0, :, 12:-12]
        unlike = [float(((right[scene, 0, :, 12 + d : 52 + d] - inner) ** 2).mean()) for d in range(-12, 13)]
        assert np.sign(np.argmin(unlike) - 12) == np.sign(blur), (scene, blur)
        checked += 1
    assert checked > 5
