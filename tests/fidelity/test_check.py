import pytest
from deconvolution.planted_blur import SIDE, slanted_lens
from fidelity.synthetic_capture import synthetic_capture

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import MeasuredFamily, NoBlur
from dpanet.errors import ConfigError
from dpanet.fidelity.check import CellGrid, check_scene
from dpanet.fidelity.results import summarize
from dpanet.pair import DualPixelPair, Picture

GRID = CellGrid(SIDE, 16)


@pytest.mark.parametrize("registered", [True, False])
def test_a_magnified_truth_is_registered_and_explains_every_cell(
    monkeypatch: pytest.MonkeyPatch, registered: bool
) -> None:
    """The map comes from the whole picture and from the cells; the cells' shifts alone must do too."""
    if not registered:
        monkeypatch.setattr("dpanet.fidelity.check.find_affine", lambda truth, output: None)
    capture = synthetic_capture(0.75, magnification=0.02)
    result = check_scene(capture, (NoBlur(), MeasuredFamily(slanted_lens())), GRID)
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
    pair = DualPixelPair(capture.pair.left, capture.pair.right, "srgb")
    with pytest.raises(ConfigError, match="srgb"):
        check_scene(Capture("002", pair, Picture(capture.truth.pixels, "srgb")), (NoBlur(),), GRID)
    with pytest.raises(ConfigError, match="33 px"):
        CellGrid(33, 8)


def test_errors_are_relative_to_the_white_of_the_capture() -> None:
    dim, bright = (
        check_scene(synthetic_capture(0.5, cells=1, white=white), (NoBlur(),), GRID).cells[0]
        for white in (0.1, 2.0)
    )
    assert dim.fits["no blur"].error == pytest.approx(bright.fits["no blur"].error, rel=0.02)
    assert dim.contrast == pytest.approx(bright.contrast, rel=0.02)
