from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from dpanet.containers.header import Header
from dpanet.datasets.depth_map import find_depth_maps, read_depth
from dpanet.errors import ConfigError, DatasetError, UnreadableImageError
from dpanet.simulation.config import SimulationConfig
from dpanet.simulation.depth_scene import (
    layer_radii,
    read_blur_radius,
    simulate_depth_scene,
    split_into_layers,
)
from dpanet.simulation.optics import Optics
from dpanet.simulation.render import MARGIN, blur, render
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.thin_lens import ThinLens

SIZE = 48
CANVAS = SIZE + 2 * MARGIN
LENS = ThinLens(50, 2, 2, pitch=25)  # a fifth of the blur that pixels of 5 micrometres see


def inner(canvas: Tensor) -> Tensor:
    return canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def optics(butterworth: float = 0.0) -> Optics:
    config = SceneConfig(measured=0.0, butterworth=butterworth)
    return Optics(np.random.default_rng(0), None, config, 1.0)


def picture(seed: int = 0) -> Tensor:
    return torch.rand(3, CANVAS, CANVAS, generator=torch.Generator().manual_seed(seed))


def seen(color: Tensor, radius: np.ndarray, lens: Optics | None = None) -> tuple[Tensor, Tensor, Tensor]:
    left, right, truth = render(split_into_layers(color, radius, lens or optics()))
    return left[0], right[0], truth[0]


def flat(radius: float) -> np.ndarray:
    return np.full((CANVAS, CANVAS), radius)


@pytest.mark.parametrize("butterworth", [0.0, 1.0])
def test_a_plane_at_focus_is_left_alone(butterworth: float) -> None:
    for result in seen(picture(), flat(float(LENS.radius(2.0, 99))), optics(butterworth)):
        torch.testing.assert_close(result, inner(picture()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("depth", [1.5, 7.0])
def test_a_plane_is_blurred_by_its_own_kernel(depth: float) -> None:
    lens, radius = optics(), float(LENS.radius(depth, 99))
    left, right, truth = seen(picture(), flat(radius), lens)
    expected = blur(picture()[None], lens.kernels_at_radii([radius]), torch.tensor([0]))
    torch.testing.assert_close(torch.stack((left, right)), expected[:, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(truth, inner(picture()))


def test_near_and_far_planes_move_the_views_to_opposite_sides() -> None:
    """A bright line: behind the focal plane the left view has it on the left, before it on the right."""
    line = torch.zeros(3, CANVAS, CANVAS)
    line[..., CANVAS // 2] = 1
    at = torch.arange(SIZE) - SIZE // 2
    for depth, sign in ((1.4, -1), (9.0, 1)):
        left, right, _ = seen(line, flat(float(LENS.radius(depth, 99))))
        moved = [float((view[0] * at).sum() / view[0].sum()) for view in (left, right)]
        assert sign * moved[1] > 0.3 and sign * moved[0] < -0.3


def test_an_even_scene_stays_even_whatever_covers_what() -> None:
    """Brightness is conserved under occlusion, on slopes and at steps, on both sides of the focus."""
    rng = np.random.default_rng(1)
    radius = np.linspace(-6, 9, CANVAS) * np.ones((CANVAS, 1))
    for _ in range(5):
        y, x = rng.integers(20, CANVAS - 50, 2)
        radius[y : y + 40, x : x + 30] = rng.uniform(-12, 12)
    gray = torch.full((3, CANVAS, CANVAS), 0.4)
    for result in seen(gray, radius):
        torch.testing.assert_close(result, inner(gray), atol=1e-5, rtol=0)


def test_the_unblurred_stack_is_the_photograph() -> None:
    radius = np.random.default_rng(2).uniform(-8, 8, (CANVAS, CANVAS))
    torch.testing.assert_close(seen(picture(), radius)[2], inner(picture()), atol=1e-5, rtol=0)


def test_a_sharp_card_in_front_keeps_its_colour_and_its_border() -> None:
    """In front and in focus: not a trace of the blurred background comes over it."""
    radius = flat(10.0)
    radius[:, : CANVAS // 2] = 0.0
    color = torch.zeros(3, CANVAS, CANVAS)
    color[..., CANVAS // 2 :] = 1.0
    left, right, _ = seen(color, radius)
    for view in (left, right):
        torch.testing.assert_close(view[..., : SIZE // 2], torch.zeros(3, SIZE, SIZE // 2), atol=1e-5, rtol=0)
        torch.testing.assert_close(view[..., SIZE // 2 :], torch.ones(3, SIZE, SIZE // 2), atol=1e-5, rtol=0)


def test_a_blurred_card_in_front_lets_what_is_behind_shine_through_its_border() -> None:
    """The unsplit lens halves it at the very border; the color behind it goes on unmixed."""
    radius = flat(0.0)
    radius[:, : CANVAS // 2] = -8.0
    color = torch.zeros(3, CANVAS, CANVAS)
    color[..., CANVAS // 2 :] = 1.0
    left, right, _ = seen(color, radius)
    row = ((left + right) / 2)[0, SIZE // 2]
    at = SIZE // 2
    assert float(row[at - 1 : at + 1].mean()) == pytest.approx(0.5, abs=0.03)
    assert (row.diff() > -1e-4).all() and float(row[at - 12]) < 1e-4 and float(row[at + 12]) > 1 - 1e-4


def test_on_a_slope_the_blur_is_that_of_the_place() -> None:
    """A row is far more like the plane of its own radius than like that of a row elsewhere."""
    radius = np.linspace(2, 7, CANVAS)[:, None] * np.ones(CANVAS)
    lens = optics()
    left, _, _ = seen(picture(), radius, lens)
    for row in (5, 20, 40):
        errors = []
        for place in (row, (row + SIZE // 2) % SIZE):
            kernel = lens.kernels_at_radii([float(radius[place + MARGIN, 0])])
            plane = blur(picture()[None], kernel, torch.tensor([0]))[0, 0]
            errors.append(float((left - plane)[:, row].abs().mean()))
        assert errors[0] < 0.4 * errors[1]


def test_nodes_hold_both_ends_and_the_focus() -> None:
    result = layer_radii(np.array([-3.3, 20.2]))
    assert result[0] == 20.2 and result[-1] == -3.3 and 0 in result
    assert (np.diff(result) < 0).all() and len(result) < 40
    assert layer_radii(np.array([2.2, 2.2])).tolist() == [2.2]


def write_depth(path: Path, metres: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, metres)
    else:
        cv2.imwrite(str(path), np.rint(metres * 1000).astype(np.uint16))
    return path


def test_both_kinds_of_maps_are_in_metres_and_holes_are_filled(tmp_path: Path) -> None:
    metres = np.full((6, 8), 1.5)
    metres[:, 4:] = 3.25
    holes = metres.copy()
    holes[2, 1] = holes[3, 6] = 0
    np.testing.assert_allclose(read_depth(write_depth(tmp_path / "a.png", holes))[0], metres)
    holes[2, 1], holes[0, 7] = np.nan, np.inf
    metres[0, 7] = np.inf
    np.testing.assert_allclose(read_depth(write_depth(tmp_path / "b.npy", holes))[0], metres)


def test_what_is_no_depth_map_is_named(tmp_path: Path) -> None:
    for name, save in (
        ("gray8.png", lambda p: cv2.imwrite(str(p), np.ones((8, 8), np.uint8))),
        ("unknown.png", lambda p: cv2.imwrite(str(p), np.zeros((8, 8), np.uint16))),
        ("three.npy", lambda p: np.save(p, np.ones((2, 3, 4)))),
        ("words.npy", lambda p: p.write_text("words")),
        ("pickle.npy", lambda p: np.save(p, np.array([{}], dtype=object))),
    ):
        save(tmp_path / name)
        with pytest.raises(UnreadableImageError, match=name):
            read_depth(tmp_path / name)


def test_every_photograph_needs_its_map(tmp_path: Path) -> None:
    write_depth(tmp_path / "a.npy", np.ones((4, 4)))
    assert find_depth_maps(tmp_path, [Path("x/a.jpg")]) == (tmp_path / "a.npy",)
    with pytest.raises(DatasetError, match=r"neither of b\.png"):
        find_depth_maps(tmp_path, [Path("a.jpg"), Path("b.jpg")])


def scene(tmp_path: Path, lens: ThinLens = LENS, size: int | None = None, shape: tuple[int, int] = (40, 60)):
    metres = np.full((40, 60), 2.0)
    metres[:, 30:] = 4.0
    photograph = (torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    depth = write_depth(tmp_path / "d.png", metres)
    radius = read_blur_radius(Header(shape[1], shape[0], 8, 3), depth, lens, optics().max_radius, size)
    return photograph, simulate_depth_scene(np.random.default_rng(0), photograph, radius, optics(), size)


def test_a_whole_photograph_with_its_map(tmp_path: Path) -> None:
    _, (left, right, sharp, radius) = scene(tmp_path)
    assert left.shape == right.shape == sharp.shape == (3, 40, 60)
    expected = float(LENS.radius(4.0, 60))
    assert radius[:, :30].abs().max() == 0 and float(radius[0, -1]) == pytest.approx(expected)
    error = (left - sharp).abs().mean((0, 1))
    assert float(error[:28].mean()) < 0.2 * float(error[36:].mean())


def test_a_curved_field_blurs_the_corners_of_what_is_in_focus(tmp_path: Path) -> None:
    _, (left, _, sharp, radius) = scene(tmp_path, replace(LENS, curvature=4.0))
    assert float(radius[0, 0]) == float(radius[-1, 0]) == pytest.approx(4) and float(radius[20, 29]) < 0.01
    error = (left - sharp).abs().mean(0)
    assert float(error[:6, :6].mean()) > 3 * float(error[18:22, 24:29].mean())


def test_a_part_of_it(tmp_path: Path) -> None:
    _, (left, _, _, radius) = scene(tmp_path, size=24)
    assert left.shape == (3, 24, 24) and radius.shape == (24, 24)


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"d\.png is 60 x 40 px, its photograph 70 x 40"):
        scene(tmp_path, shape=(40, 70))
    with pytest.raises(ConfigError, match="size is 50"):
        scene(tmp_path, size=50)
    with pytest.raises(ConfigError, match=r"up to 160\.3 px"):
        scene(tmp_path, lens=ThinLens(50, 2, 2, pitch=1))
    with pytest.raises(ConfigError, match="belong together"):
        SimulationConfig((tmp_path / "a.png",), 1, 64, lens=LENS)
