import numpy as np
import pytest
import torch
from deconvolution.planted_blur import SIDE, slanted_lens, texture
from fidelity.synthetic_capture import synthetic_capture

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import MeasuredFamily, NoBlur
from dpanet.errors import ConfigError
from dpanet.fidelity.check import CellGrid, check_scene
from dpanet.fidelity.exposure import linear_planes
from dpanet.fidelity.free_kernels import draw_free_kernels
from dpanet.fidelity.results import summarize
from dpanet.images.encoding import linear_to_srgb
from dpanet.pair import DualPixelPair, Picture

GRID = CellGrid(SIDE, 16)


@pytest.mark.parametrize("registered", [True, False])
def test_a_magnified_truth_is_registered_and_explains_every_cell(
    monkeypatch: pytest.MonkeyPatch, registered: bool
) -> None:
    """The map comes from the whole picture and from the cells; the cells' shifts alone must do too."""
    if not registered:
        monkeypatch.setattr("dpanet.fidelity.exposure.find_affine", lambda truth, output: None)
    capture = synthetic_capture(0.75, magnification=0.02)
    seen: list[tuple[int, int]] = []
    families = (NoBlur(), MeasuredFamily(slanted_lens()))
    result = check_scene(capture, families, GRID, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 9 * 3) for done in range(9 * 3 + 1)], (
        "one to register each cell, two to explain it"
    )
    assert [(c.row, c.column) for c in result.cells] == [(r, c) for r in range(3) for c in range(3)]
    assert result.warp[[0, 1], [0, 1]] == pytest.approx([1.02, 1.02], abs=0.003)
    inner = result.cells[4].fits["measured"]
    assert inner.scale == pytest.approx(0.75, abs=0.02) and inner.error < 1e-5
    psnr = summarize(result.cells)["psnr"]
    assert psnr["measured"]["50"] > psnr["no blur"]["50"] + 10


def test_a_capture_that_cannot_be_checked_is_refused() -> None:
    capture = synthetic_capture(0.5, cells=1)
    with pytest.raises(ConfigError, match="64 x 64 px"):
        check_scene(capture, (NoBlur(),))
    with pytest.raises(ConfigError, match="33 px"):
        CellGrid(33, 8)
    with pytest.raises(ConfigError, match="every is 0"):
        CellGrid(every=0)


def test_as_many_cells_are_counted_as_are_fitted() -> None:
    grid = CellGrid(SIDE, 16, every=4)
    capture = synthetic_capture(0.75)
    assert grid.count_cells(*capture.truth.pixels.shape[:2]) == 3
    assert len(check_scene(capture, (NoBlur(),), grid).cells) == 3


def test_a_truth_of_another_exposure_in_srgb_is_explained_with_a_constant() -> None:
    linear = synthetic_capture(0.75, cells=1, white=0.5)
    exposed = 0.8 * linear.truth.pixels + np.float32(0.15)
    left, right, sharp = (linear_to_srgb(p) for p in (linear.pair.left, linear.pair.right, exposed))
    pair, truth = DualPixelPair(left, right, "srgb"), Picture(sharp, "srgb")
    family = MeasuredFamily(slanted_lens())
    fits = [
        check_scene(Capture("001", pair, truth, 1.0, match), (family,), GRID).cells[0].fits["measured"]
        for match in (True, False)
    ]
    assert fits[0].scale == pytest.approx(0.75, abs=0.02)
    assert fits[0].error < 1e-5 < fits[1].error


def test_the_truth_gets_the_color_of_the_views() -> None:
    """Each channel has a picture, a gain and an offset of its own."""
    truth = np.stack([texture(160 + i, 160)[:160].numpy() for i in range(3)], axis=2)
    view = truth * np.float32([0.8, 1.3, 1.1]) + np.float32([0.02, 0.0, 0.01])
    pair, sharp = DualPixelPair(view, view, "linear"), Picture(truth, "linear")
    for match in (True, False):
        matched, views, _ = linear_planes(Capture("001", pair, sharp, 1.0, match))
        assert bool(np.abs(matched - views[0]).max() < 2e-3) is match


def test_every_third_cell_is_taken_and_free_kernels_are_those_of_the_lens() -> None:
    lens = slanted_lens()
    result = check_scene(
        synthetic_capture(0.9), (NoBlur(), MeasuredFamily(lens)), CellGrid(SIDE, 16, every=3), free_kernels=1
    )
    assert [(c.row, c.column) for c in result.cells] == [(0, 0), (1, 0), (2, 0)]
    (free,) = result.free
    truth = lens.at([0], [0.9])[0, :, 24:-24, 24:-24]
    torch.testing.assert_close(free.fitted, truth, atol=3e-3, rtol=0)
    for one, other in zip(free.kernels, truth, strict=True):
        correlation = float((one * other).sum() / (one.norm() * other.norm()))
        assert correlation > 0.9
    drawn = draw_free_kernels(result.free)
    assert drawn.shape == (2 * 51 * 4, 2 * 51 * 4, 3) and 0 <= drawn.min() < drawn.max() <= 1


def test_a_clipped_cell_has_no_meaning() -> None:
    capture = synthetic_capture(0.5, cells=1, white=0.7)
    bright = Capture("001", capture.pair, capture.truth, white=0.3)
    assert check_scene(capture, (NoBlur(),), GRID).cells[0].has_texture
    assert not check_scene(bright, (NoBlur(),), GRID).cells[0].has_texture


def test_errors_are_relative_to_the_white_of_the_capture() -> None:
    dim, bright = (
        check_scene(synthetic_capture(0.5, cells=1, white=white), (NoBlur(),), GRID).cells[0]
        for white in (0.1, 2.0)
    )
    assert dim.fits["no blur"].error == pytest.approx(bright.fits["no blur"].error, rel=0.02)
    assert dim.contrast == pytest.approx(bright.contrast, rel=0.02)
