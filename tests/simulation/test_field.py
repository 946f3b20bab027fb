"""What a lens does off its axis: views lose different parts of their light, and the focus bends."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dpanet.recording.display import to_linear
from dpanet.recording.sensor import Sensor
from dpanet.simulation.kernels import RampedDisc, ramped_disc, view_brightness
from dpanet.simulation.optics import FIELD, Optics, barrel_clip
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig

CLIPPED = [
    RampedDisc(r, 0.5, 0.3, clip=(cx, 0.2)) for r in (-9.0, -1.3, 0.6, 6.0, 12.0) for cx in (-0.6, 0.35)
]


def mirrored(lens: RampedDisc) -> RampedDisc:
    return replace(lens, clip=(-lens.clip[0], lens.clip[1]))


def test_clipped_kernels_sum_to_one_and_are_one_pixel_in_focus() -> None:
    torch.testing.assert_close(ramped_disc(CLIPPED).sum((-1, -2)), torch.ones(len(CLIPPED), 2))
    point = ramped_disc([RampedDisc(0.0, clip=(0.5, 0.3))])[0]
    torch.testing.assert_close(point, ramped_disc([RampedDisc(0.0)])[0], atol=1e-6, rtol=0)


def test_the_right_view_is_the_left_of_the_other_side_of_the_field() -> None:
    pairs, other = ramped_disc(CLIPPED), ramped_disc([mirrored(lens) for lens in CLIPPED])
    torch.testing.assert_close(pairs[:, 1], other[:, 0].flip(-1), atol=1e-7, rtol=1e-4)
    torch.testing.assert_close(
        view_brightness(CLIPPED)[:, 1], view_brightness([mirrored(e) for e in CLIPPED])[:, 0]
    )


def test_crossing_focus_turns_clipped_kernels_by_half_a_circle() -> None:
    crossed = ramped_disc([replace(lens, radius=-lens.radius) for lens in CLIPPED])
    torch.testing.assert_close(ramped_disc(CLIPPED), crossed.flip(-1, -2), atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("clip", [(0.4, 0.0), (-0.5, 0.3)])
def test_both_views_by_their_brightness_make_the_unsplit_clipped_lens(clip: tuple[float, float]) -> None:
    lens = RampedDisc(11.0, softness=0.4, clip=clip)
    undivided = ramped_disc([replace(lens, softness=1e6)])[0]
    left, right = ramped_disc([lens])[0]
    bright = view_brightness([lens])[0]
    whole = (left * bright[0] + right * bright[1]) / bright.sum()
    torch.testing.assert_close(whole, undivided[0], atol=2e-6, rtol=1e-3)
    assert float(((left + right) / 2 - undivided[0]).abs().sum()) > 0.02, "by halves it is another lens"


def test_the_overlap_has_the_area_of_two_circles() -> None:
    """Closed form: 2 acos(d / 2) - d sqrt(1 - d**2 / 4), of pi."""
    for d in (0.25, 0.7):
        result = float(
            view_brightness([RampedDisc(30.0, softness=1e6, edge=0.1, clip=(0.6 * d, 0.8 * d))])[0].mean()
        )
        assert result == pytest.approx((2 * np.arccos(d / 2) - d * (1 - d * d / 4) ** 0.5) / np.pi, rel=2e-3)


def optics(seed: int, **config: float) -> Optics:
    return Optics(np.random.default_rng(seed), None, SceneConfig(measured=0.0, **config), 1.0)


def test_right_of_the_axis_the_right_view_is_darker() -> None:
    for seed in range(12):
        lens = optics(seed, vignetted=1.0)
        left, right = lens.view_gains
        assert left + right == pytest.approx(2)
        if abs(lens.position[1] - 0.5) > 0.1:
            assert (left > right) == (lens.position[1] > 0.5)
    assert barrel_clip((0.5, 0.5), 0.7) == (0, 0) and optics(3, vignetted=0.0).view_gains == (1, 1)
    assert np.hypot(*barrel_clip((1.0, 0.0), 0.7)) == pytest.approx(0.7)


def test_views_of_an_even_scene_have_the_gains_of_their_lens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpanet.simulation.scene.draw_sensor", lambda *_: Sensor(shot=0, read=0))
    even = torch.full((3, 200, 200), 120, dtype=torch.uint8)
    config = SceneConfig(vignetted=1.0, layers=(1.0, 0.0, 0.0), print_share=0.0, sparkling=0.0, gray=1.0)
    scenes = Simulator([even], None, config, pages=[even]).scenes([[1, i] for i in range(6)], 32)
    linear = [to_linear(part).mean((1, 2, 3)) for part in (scenes.left, scenes.right, scenes.truth)]
    torch.testing.assert_close((linear[0] + linear[1]) / 2, linear[2], rtol=1e-3, atol=0)
    assert float(((linear[0] - linear[1]) / linear[2]).abs().max()) > 0.05


def test_the_blur_of_a_plane_bends_with_the_distance_from_the_axis() -> None:
    size = 64
    bent = 0
    for seed in range(8):
        lens = optics(seed, curved=1.0, slanted=0.0, vignetted=0.0, one_sided=0.0)
        blurs, share = lens.draw_blurs(np.random.default_rng(seed), size)
        levels = (share * torch.tensor(blurs).reshape(-1, 1, 1, 1)).sum((0, 1))
        if len(blurs) < 2 or float(levels.abs().max()) > 0.999:
            continue
        at = (np.arange(size) / (size - 1) - 0.5) * size / FIELD
        y, x = at[:, None] + lens.position[0] - 0.5, at + lens.position[1] - 0.5
        law = lens.curvature * 2 * (y**2 + x**2)
        result = levels.double().numpy()
        np.testing.assert_allclose(result - result[0, 0], law - law[0, 0], atol=2e-6)
        bent += 1
    assert bent > 2


def test_the_shares_of_a_layer_sum_to_one() -> None:
    for seed in range(20):
        blurs, share = optics(seed, curved=0.7, slanted=0.7).draw_blurs(np.random.default_rng(seed), 24)
        assert len(share) == len(blurs) and max(map(abs, blurs)) <= 1
        torch.testing.assert_close(share.sum(0), torch.ones(1, *share.shape[-2:]).expand_as(share.sum(0)))
