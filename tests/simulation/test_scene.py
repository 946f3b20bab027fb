import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from dpanet.errors import ConfigError
from dpanet.recording.display import to_display, to_linear
from dpanet.recording.sensor import Sensor, record
from dpanet.simulation.content import (
    draw_bright_points,
    draw_mask,
    draw_printed_page,
    draw_strands,
    random_crop,
)
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig
from tools.demo_pair import demo_pair


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    generator = torch.Generator().manual_seed(1)
    photographs = [torch.randint(0, 256, (3, 300, 400), generator=generator, dtype=torch.uint8)]
    return Simulator(photographs, None, SceneConfig(pages=2))


def test_batches_are_display_encoded_pairs(simulator: Simulator) -> None:
    scenes = simulator.scenes([[1, i] for i in range(5)], 64)
    for tensor in scenes[:3]:
        assert tensor.shape == (5, 3, 64, 64)
        assert tensor.dtype == torch.float32
        assert float(tensor.min()) >= 0 and float(tensor.max()) <= 1


def test_the_same_seed_gives_the_same_scenes(simulator: Simulator) -> None:
    one, two, other = (simulator.scenes([[s, i] for i in range(4)], 48) for s in (3, 3, 4))
    for a, b, c in zip(one, two, other, strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_a_scene_is_the_same_alone_and_in_company(simulator: Simulator) -> None:
    """Gray and color are rendered apart, some have grain, some more layers: none of it reaches another scene."""
    seeds = [[8, i] for i in range(12)]
    together = simulator.scenes(seeds, 48)
    backwards = simulator.scenes(seeds[::-1], 48)
    for i, seed in enumerate(seeds):
        alone = simulator.scenes([seed], 48)
        for part in range(4):
            a, b, c = together[part], backwards[part], alone[part]
            assert a is not None and b is not None and c is not None
            torch.testing.assert_close(a[i], c[0], atol=2e-6, rtol=0)
            torch.testing.assert_close(b[11 - i], c[0], atol=2e-6, rtol=0)
    gray = (together.truth[:, 0] == together.truth[:, 1]).all(-1).all(-1)
    assert 0 < int(gray.sum()) < 12


@pytest.mark.parametrize(
    ("measured", "means"),
    [
        (1.0, [[0.4427, 0.47155, 0.39401, 0.33016, 0.46284, 0.4002, 0.35561, 0.50172],
               [0.44635, 0.46717, 0.39187, 0.32928, 0.44666, 0.40474, 0.36866, 0.50053],
               [0.42029, 0.44768, 0.34185, 0.32227, 0.43918, 0.39512, 0.34036, 0.47616],
               [13.93723, 7.68089, 14.82712, -1.5613, 11.11097, -5.95894, -15.83463, 1.33914]]),
        (0.0, [[0.35313, 0.54498, 0.32201, 0.43946, 0.37038, 0.34051, 0.50079, 0.38124],
               [0.36302, 0.55215, 0.3284, 0.43538, 0.37638, 0.34037, 0.51115, 0.38308],
               [0.33799, 0.52643, 0.27915, 0.40085, 0.35146, 0.33339, 0.48948, 0.35604],
               [15.23638, 6.96307, 6.55764, 9.93989, 11.3635, -6.09437, 6.34126, 7.85375]]),
    ],
)  # fmt: skip
def test_the_scenes_of_a_seed_stay_those_they_were(measured: float, means: list[list[float]]) -> None:
    """Means of each part of eight scenes, as commit 8cd2cf8 made them: a draw more or less changes all of them."""
    rng = np.random.default_rng(9)
    blocks = [rng.integers(0, 256, (3, 40, 50)) for _ in range(2)]
    pictures = [torch.from_numpy(np.kron(b, np.ones((1, 6, 6))).astype(np.uint8)) for b in blocks]
    y, x = np.mgrid[:61, :61] - 30.0
    left = np.exp(-(((x + 4) / 5) ** 2) - (y / 8) ** 2)[None]
    config = SceneConfig(measured=measured, butterworth=0.5 * (1 - measured), quantized=0.0)
    lens = MeasuredKernels(left, left[..., ::-1].copy())
    simulator = Simulator(pictures, lens, config, pages=pictures[::-1])
    scenes = simulator.scenes([[11, i] for i in range(8)], 48)
    for part, expected in zip(scenes, means, strict=True):
        assert part is not None
        np.testing.assert_allclose(part.mean((1, 2, 3)), expected, rtol=1e-4, atol=2e-5)


def test_without_blur_the_views_are_the_truth(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpanet.simulation.scene.draw_sensor", lambda *_: Sensor(shot=0, read=0))
    config = SceneConfig(pages=2, slanted=0.5, curved=0.5, vignetted=0.0)
    left, right, truth, radius = Simulator(simulator.photographs, None, config).scenes(
        [[5, i] for i in range(6)], 64, strength=0.0
    )
    assert radius is not None and not radius.any()
    torch.testing.assert_close(left, truth, atol=1e-3, rtol=0)
    torch.testing.assert_close(right, truth, atol=1e-3, rtol=0)


def test_a_share_is_between_none_and_all() -> None:
    with pytest.raises(ConfigError, match=r"^measured is 1.5; a share must be 0 to 1$"):
        SceneConfig(measured=1.5)
    with pytest.raises(ConfigError, match="layers"):
        SceneConfig(layers=(1.5, -0.5, 0.0))


def test_probabilities_must_sum_to_one() -> None:
    with pytest.raises(ConfigError, match="layers"):
        SceneConfig(layers=(0.5, 0.5, 0.5))


def test_display_curve_is_srgb_and_comes_back() -> None:
    linear = torch.tensor([0.0, 0.001, 0.0031308, 0.18, 0.5, 1.0])
    expected = torch.tensor([0.0, 0.01292, 0.04045, 0.46136, 0.73536, 1.0])
    torch.testing.assert_close(to_display(linear), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(to_linear(to_display(linear)), linear, atol=1e-6, rtol=0)


def test_noise_has_the_stated_strength() -> None:
    light = torch.full((1, 1, 400, 400), 0.25)
    generator = torch.Generator().manual_seed(0)
    left, right, truth = record(light, light, light, [Sensor(shot=4e-4, read=0.003)], [generator])
    for view in (left, right):
        spread = float((to_linear(view) - 0.25).std())
        assert spread == pytest.approx((4e-4 * 0.25 + 0.003**2) ** 0.5, rel=0.02)
    torch.testing.assert_close(to_linear(truth), light)
    assert abs(float(torch.corrcoef(torch.stack((left.flatten(), right.flatten())))[0, 1])) < 0.02


def test_tilt_brightens_the_views_towards_opposite_sides() -> None:
    light = torch.full((1, 1, 8, 101), 0.2)
    quiet = Sensor(shot=0, read=0, tilt=0.1)
    left, right, _ = record(light, light, light, [quiet], [torch.Generator()])
    assert float(to_linear(left)[0, 0, 0, -1]) == pytest.approx(0.21, rel=1e-3)
    assert float(to_linear(right)[0, 0, 0, -1]) == pytest.approx(0.19, rel=1e-3)


def test_levels_round_the_file() -> None:
    light = torch.rand(1, 1, 50, 50)
    left, _, _ = record(light, light, light, [Sensor(levels=15)], [torch.Generator()])
    torch.testing.assert_close(left * 15, (left * 15).round())


@pytest.mark.parametrize("size", [64, 500])
def test_crops_have_the_size_asked_for(size: int) -> None:
    picture = torch.randint(0, 256, (3, 300, 200), dtype=torch.uint8)
    for seed in range(5):
        part = random_crop(np.random.default_rng(seed), picture, size)
        assert part.shape == (3, size, size)
        assert float(part.min()) >= 0 and float(part.max()) <= 1


def test_outlines_and_pages_show_something() -> None:
    rng = np.random.default_rng(0)
    shown = [draw_mask(rng, 200) for _ in range(30)]
    assert all(o.shape == (1, 200, 200) and float(o.min()) >= 0 and float(o.max()) <= 1 for o in shown)
    assert sum(0.01 < float(o.mean()) < 0.99 for o in shown) > 20
    page = draw_printed_page(rng)
    assert page.dtype == torch.uint8 and page.shape == (3, 640, 640)
    assert float(page.float().std()) > 10


def test_strands_are_thin() -> None:
    """Hardly any of what they cover is more than 5 px from what they leave free, in a picture twice as large."""
    for seed in range(6):
        image = Image.new("L", (600, 600))
        draw_strands(np.random.default_rng(seed), ImageDraw.Draw(image), 600)
        covered = np.asarray(image) > 0
        assert covered.sum() > 500
        assert binary_erosion(covered, np.ones((11, 11))).sum() < 0.02 * covered.sum()


def test_sparks_are_few_pixels_far_beyond_white() -> None:
    for seed in range(6):
        lit = draw_bright_points(np.random.default_rng(seed), 100)
        assert 0 < int((lit > 0).sum()) <= 24 * 9
        assert float(lit[lit > 0].min()) >= 2 and float(lit.max()) <= 40


def test_out_of_focus_a_spark_is_a_disc_that_outshines_its_surroundings() -> None:
    dark = torch.full((3, 200, 200), 30, dtype=torch.uint8)
    shared = {"layers": (1.0, 0.0, 0.0), "gray": 1.0, "slanted": 0.0, "vignetted": 0.0, "curved": 0.0}
    seeds = [[2, i] for i in range(6)]
    shown = {}
    for share in (0.0, 1.0):
        config = SceneConfig(**shared, sparkling=share)  # type: ignore[arg-type]
        scenes = Simulator([dark], None, config, pages=[dark]).scenes(seeds, 64)
        shown[share] = (
            (((scenes.left + scenes.right) / 2) > 0.4).float().mean(),
            (scenes.truth > 0.4).float().mean(),
        )
    assert shown[0.0] == (0, 0)
    assert shown[1.0][1] > 0 and shown[1.0][0] > 3 * shown[1.0][1], "light spreads over more pixels"


def test_demo_pair_is_blurred_more_on_the_right() -> None:
    pair, truth = demo_pair()
    error = np.abs(pair.combined.pixels - truth.pixels).mean((0, 2))
    assert pair.left.shape == truth.pixels.shape == (512, 512, 3)
    assert error[-128:].mean() > 1.3 * error[:128].mean()
    again, _ = demo_pair()
    assert np.array_equal(pair.left, again.left)


def test_nearly_sharp_scenes_are_nearly_sharp() -> None:
    """The largest blur of all is 0.15 of the usual 18 px; without the share it is far more."""
    photos = [torch.randint(0, 256, (3, 160, 160), dtype=torch.uint8)]
    seeds = [[3, number] for number in range(12)]
    blurs = [
        Simulator(photos, None, SceneConfig(pages=1, nearly_sharp=share)).scenes(seeds, 32).radius
        for share in (0.0, 1.0)
    ]
    assert blurs[0] is not None and blurs[1] is not None
    assert float(blurs[1].abs().max()) <= 0.15 * 18 < float(blurs[0].abs().max())
