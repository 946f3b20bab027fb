import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cli.conftest import run as run  # the command line in this process
from torch import Tensor

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_families import HalfDiscs, Measured, Point, Rings
from dpanet.deconvolution.blur_fit import HALO, Fit, Window, fine_fit, match, rough_fit
from dpanet.errors import ConfigError, OutputError
from dpanet.fidelity.check import CellFidelity, Grid, check_scene, document, summarise, write
from dpanet.fidelity.refine_registration import laid_under, refined
from dpanet.pair import DualPixelPair, Picture
from dpanet.simulation.kernels import SIZE, HalfDisc, MeasuredKernels, half_disc

Draw = Any
SIDE = 64


def lens(grid: tuple[int, int] = (1, 1)) -> MeasuredKernels:
    """Slanted halves of a soft disc, the wider the farther from the top left cell."""
    y, x = np.mgrid[:61, :61] - 30.0
    left = []
    for cell in range(grid[0] * grid[1]):
        wide = 7 + 1.5 * cell
        whole = 1 / (1 + np.exp((np.hypot(x, y) - wide) * 1.5))
        left.append(whole / (1 + np.exp((x + 0.2 * y) / 2)))
    return MeasuredKernels(np.stack(left), np.stack(left)[..., ::-1].copy(), grid)


def texture(height: int, width: int) -> Tensor:
    """Positive, with power at all frequencies up to a third of a cycle a pixel."""
    noise = torch.randn(height, width, generator=torch.Generator().manual_seed(4))
    fy, fx = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)
    shaped = torch.fft.rfft2(noise) / (0.02 + torch.hypot(fy, fx)) * torch.exp(-6 * (fx**2 + fy**2))
    picture: Tensor = torch.fft.irfft2(shaped, s=(height, width))
    return 0.4 + 0.12 * picture / picture.std()


def places(count: int) -> Tensor:
    return (torch.arange(count) + 0.5) / count


def window(truth: Tensor, views: Tensor) -> Window:
    return Window(truth, views, places(views.shape[-2]), places(views.shape[-1]))


@pytest.fixture
def truth() -> Tensor:
    return texture(SIDE + 2 * HALO, SIDE + 2 * HALO)


def seen(truth: Tensor, kernels: Tensor, shift: tuple[float, float], gains: tuple[float, float]) -> Tensor:
    """Views made by a plain loop over the kernel's pixels; the picture is moved by a sum of cosines' phases."""
    turns = torch.fft.fftfreq(len(truth), dtype=torch.float64)
    phase = torch.exp(-2j * torch.pi * (turns * shift[0] + turns[:, None] * shift[1]))
    moved = torch.fft.ifft2(torch.fft.fft2(truth.double()) * phase).real
    views = torch.zeros(2, SIDE, SIDE, dtype=torch.float64)
    for view in range(2):
        for dy, dx in kernels[view].nonzero().tolist():
            top, first = HALO - (dy - SIZE // 2), HALO - (dx - SIZE // 2)
            views[view] += kernels[view, dy, dx] * moved[top : top + SIDE, first : first + SIDE]
        views[view] *= gains[view]
    return views.float()


FAMILIES = [Point(), HalfDiscs(), Rings(), Measured(lens())]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_is_made_of_kernels_and_whole_shares(family: Any) -> None:
    for shape in (0, len(family.shapes) - 1):
        ends = [family.scales[0], 0.0, family.scales[-1]]
        kernels = family.kernels((0.5, 0.5), ends, shape)
        assert kernels.shape == (3, 2, SIZE, SIZE)
        torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(3, 2))
    parts = list(family.parts(places(8), places(12)))
    torch.testing.assert_close(sum(share for _, share in parts), torch.ones(8, 12))


def test_the_truth_is_blurred_and_moved_as_a_loop_would(truth: Tensor) -> None:
    kernels = lens().at([0], [0.6])
    empty = window(truth, torch.zeros(2, SIDE, SIDE))
    found = empty.blurred(kernels, torch.tensor([0.7, -1.3]))[0]
    torch.testing.assert_close(found, seen(truth, kernels[0], (0.7, -1.3), (1, 1)), atol=2e-5, rtol=0)


def test_a_small_move_and_gains_are_found_in_one_step(truth: Tensor) -> None:
    kernels = lens().at([0], [0.8])
    views = seen(truth, kernels[0], (0.1, -0.2), (0.9, 1.05))
    found = match(window(truth, views).blurred(kernels, torch.zeros(2)), views)
    assert found.step[0].tolist() == pytest.approx([0.1, -0.2], abs=0.01)
    assert found.gains[0].tolist() == pytest.approx([0.9, 1.05], abs=0.01)
    assert float(found.expected) < 0.02 * float(found.error)


@pytest.mark.parametrize("scale", [0.63, -0.87, 1.31])
def test_a_planted_blur_is_found_again(truth: Tensor, scale: float) -> None:
    views = seen(truth, lens().at([0], [scale])[0], (0.6, -1.4), (0.92, 1.06))
    fit = fine_fit(window(truth, views), Measured(lens()))
    assert fit.scale == pytest.approx(scale, abs=0.01)
    assert fit.shift.tolist() == pytest.approx([0.6, -1.4], abs=0.03)
    assert fit.gains.tolist() == pytest.approx([0.92, 1.06], abs=0.003)
    assert fit.error < 1e-6


def test_a_planted_shape_is_found_again(truth: Tensor) -> None:
    views = seen(truth, half_disc([HalfDisc(-8.4, softness=0.3, rim=0.5, edge=1.2)])[0], (0, 0), (1, 1))
    family = HalfDiscs()
    fit = fine_fit(window(truth, views), family)
    assert family.shapes[fit.shape] == {"softness": 0.3, "rim": 0.5}
    assert fit.scale == pytest.approx(-8.4, abs=0.05)


def test_the_rough_shift_is_in_pixels_of_the_whole_resolution(truth: Tensor) -> None:
    views = seen(truth, lens().at([0], [0.7])[0], (1.6, -2.4), (1, 1))
    assert rough_fit(window(truth, views), Measured(lens()), 8).shift.tolist() == pytest.approx(
        [1.6, -2.4], abs=0.1
    )


def test_kernels_vary_inside_a_window_as_they_do_from_pixel_to_pixel(truth: Tensor) -> None:
    """Views made one pixel at a time, each through the kernels of its own place, are explained; one kernel is not."""
    field = lens((2, 2))
    scale, rows = 0.8, places(SIDE)
    views = torch.zeros(2, SIDE, SIDE)
    reach = SIZE // 2
    for cell in range(4):  # blurring is linear, so each pixel's kernel is the same blend of four pictures
        kernels = field.at([cell], [scale])[0]
        share = field.cell_weights(torch.cartesian_prod(rows, rows))[:, cell].reshape(SIDE, SIDE)
        views += share * seen(truth, kernels, (0, 0), (1, 1))
    y, x = 20, 45
    own = field.interpolate([(float(rows[y]), float(rows[x]))], [scale])[0]
    around = truth[HALO + y - reach : HALO + y + reach + 1, HALO + x - reach : HALO + x + reach + 1]
    torch.testing.assert_close((own.flip(-1, -2) * around).sum((-1, -2)), views[:, y, x], atol=1e-5, rtol=0)
    blended = fine_fit(window(truth, views), Measured(field))
    middle = MeasuredKernels(*field.interpolate([(0.5, 0.5)], [1.0])[:, :, 18:-18, 18:-18].numpy().swapaxes(0, 1))
    single = fine_fit(window(truth, views), Measured(middle))
    assert blended.scale == pytest.approx(scale, abs=0.01)
    assert blended.error < 1e-6 < single.error / 3


def test_the_common_map_is_found_among_windows_that_lie_elsewhere() -> None:
    rng = np.random.default_rng(1)
    move = np.array([[0.004, -0.001, -2.5], [0.002, 0.003, 1.0]])
    centres = [(x, y) for x in range(80, 1300, 170) for y in range(80, 1000, 170)]
    shifts = [move @ [x, y, 1] + rng.normal(0, 0.02, 2) for x, y in centres]
    for i in range(0, len(shifts), 6):
        shifts[i] = shifts[i] + rng.uniform(2, 6, 2)
    start = np.array([[1.001, 0, 0.5], [0, 0.999, -1]])
    found = refined(start, centres, shifts, [np.eye(2) * (1 + i % 5) for i in range(len(centres))])
    x, y = 700.0, 300.0
    expected = start @ [*(np.array([x, y]) - move @ [x, y, 1]), 1]
    assert found @ [x, y, 1] == pytest.approx(expected, abs=0.1)


def test_few_windows_change_no_map() -> None:
    start = np.eye(2, 3)
    assert refined(start, [(1, 1)] * 5, [(1, 1)] * 5, [np.eye(2)] * 5) is start
    same_place = refined(start, [(1, 1)] * 9, [(1, 1)] * 9, [np.eye(2)] * 9)
    assert same_place is start


def test_the_truth_is_laid_where_the_map_says(scene: Draw) -> None:
    warp = np.array([[1.01, 0.002, 1.5], [-0.001, 0.99, -0.75]])
    laid = laid_under(scene()[..., 0], warp, 8)
    assert np.abs(laid[24:-24, 24:-24] - scene(warp)[16:-16, 16:-16, 0]).max() < 0.01


def capture(scale: float, moved: float = 0.0, cells: int = 3, white: float = 0.7) -> Capture:
    """`cells` by `cells` cells of `SIDE` px, seen through `lens` and magnified by `moved`."""
    side = cells * SIDE
    wide = texture(side + 2 * HALO, side + 2 * HALO).numpy()
    magnified = np.array([[1 + moved, 0, -moved * side / 2], [0, 1 + moved, -moved * side / 2]])
    under = torch.from_numpy(laid_under(wide, magnified, 0))
    empty = window(under, torch.zeros(2, side, side))
    views = empty.blurred(lens().at([0], [scale]), torch.zeros(2))[0].numpy()
    colours = [
        np.repeat(white * v[..., None], 3, 2).astype(np.float32)
        for v in (*views, wide[HALO:-HALO, HALO:-HALO])
    ]
    return Capture(
        "001", DualPixelPair(colours[0], colours[1], "linear"), Picture(colours[2], "linear"), white
    )


GRID = Grid(SIDE, 16)


@pytest.mark.parametrize("registered", [True, False])
def test_a_magnified_truth_is_laid_under_and_explains_every_cell(
    monkeypatch: pytest.MonkeyPatch, registered: bool
) -> None:
    """The map comes from the whole picture and from the cells; the cells' shifts alone must do too."""
    if not registered:
        monkeypatch.setattr("dpanet.fidelity.check.affine", lambda truth, output: None)
    found = check_scene(capture(0.75, moved=0.02), (Point(), Measured(lens())), GRID)
    assert [(c.row, c.column) for c in found.cells] == [(r, c) for r in range(3) for c in range(3)]
    assert found.warp[[0, 1], [0, 1]] == pytest.approx([1.02, 1.02], abs=0.003)
    inner = found.cells[4].fits["measured"]
    assert inner.scale == pytest.approx(0.75, abs=0.02) and inner.error < 1e-5
    summary = summarise(found.cells)
    assert summary["psnr"]["measured"]["50"] > summary["psnr"]["no blur"]["50"] + 10


def test_a_capture_that_cannot_be_checked_is_refused() -> None:
    given = capture(0.5, cells=1)
    with pytest.raises(ConfigError, match="64 x 64 px"):
        check_scene(given, (Point(),))
    shown = Capture(
        "002", DualPixelPair(given.pair.left, given.pair.right, "srgb"), Picture(given.truth.pixels, "srgb")
    )
    with pytest.raises(ConfigError, match="srgb"):
        check_scene(shown, (Point(),), GRID)
    with pytest.raises(ConfigError, match="33 px"):
        Grid(33, 8)


def test_decibels_are_relative_to_the_white_of_the_capture() -> None:
    dim, bright = (
        check_scene(capture(0.5, cells=1, white=white), (Point(),), GRID).cells[0] for white in (0.1, 2.0)
    )
    assert dim.fits["no blur"].error == pytest.approx(bright.fits["no blur"].error, rel=0.02)
    assert dim.contrast == pytest.approx(bright.contrast, rel=0.02)


def fitted(decibels: float, scale: float, contrast: float = 0.1) -> CellFidelity:
    fit = Fit(scale, 0, torch.tensor([0.5, -0.25]), torch.ones(2), 10 ** (-decibels / 10), torch.eye(2))
    return CellFidelity(0, 0, contrast, {"no blur": fit})


def test_quantiles_are_of_the_cells_and_scales_of_those_with_texture() -> None:
    cells = [fitted(30 + i, (-1) ** i * i / 10) for i in range(11)]
    summary = summarise([*cells, *(fitted(20, 9.0, contrast=0.001) for _ in range(3))])
    assert (summary["cells"], summary["textured"]) == (14, 11)
    assert summary["scale"]["no blur"] == {"10": 0.1, "25": 0.25, "50": 0.5, "75": 0.75, "90": 0.9}
    assert summary["psnr"]["no blur"]["50"] == pytest.approx(33.5)
    assert summary["before_focus"]["no blur"] == pytest.approx(5 / 11, abs=1e-4)
    assert summarise([fitted(20, 9.0, contrast=0.0)])["scale"]["no blur"] is None


def test_what_was_found_is_written_whole_and_not_replaced_unasked(tmp_path: Path) -> None:
    found = check_scene(capture(0.5, cells=1), (Point(),), GRID)
    path = write(document([found], (Point(),), GRID), tmp_path)
    held = json.loads(path.read_text())
    cell = held["scenes"][0]["cells"][0]
    assert held["grid"] == {"cell": SIDE, "border": 16} and held["summary"]["cells"] == 1
    assert cell["fits"]["no blur"]["psnr"] == pytest.approx(
        -10 * math.log10(found.cells[0].fits["no blur"].error), abs=1e-3
    )
    with pytest.raises(OutputError, match="exists already"):
        write(held, tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that opens as one small capture, checked with small cells and two families."""
    import dpanet.datasets as datasets
    import dpanet.fidelity.check as fidelity
    from dpanet.datasets.scene import Scene

    class Found:
        path = tmp_path / "001.png"
        scenes = (Scene("001", path, path, path, lambda: capture(0.8, cells=1)),)

    kernels = lens()
    for view, side in enumerate(("left", "right")):
        np.save(tmp_path / f"blur_kernels_{side}.npy", kernels.pairs[:, view].numpy())
    monkeypatch.setattr(datasets, "open_dataset", lambda *args, **kwargs: Found())
    monkeypatch.setattr(fidelity, "families_of", lambda kernels: (Point(), Measured(kernels)))
    monkeypatch.setattr(fidelity.Grid.__init__, "__defaults__", (SIDE, 16))
    return tmp_path


def test_the_command_prints_a_table_and_writes_the_file(run: Any, small: Path) -> None:
    command = ["simulate", "--check-fidelity", small, "--calibration", small]
    result = run(*command, "-o", small / "out")
    assert (result.code, result.err) == (0, "")
    held = json.loads((small / "out" / "fidelity.json").read_text())
    median = held["summary"]["psnr"]["measured"]["50"]
    assert median > 50 and f"{median:.2f}" in result.out and "no blur" in result.out
    assert "exists already" in run(*command, "-o", small / "out").sentence
    assert run(*command).code == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--check-fidelity", "x", "--count", 3], "--count"),
        (["photographs", "--check-fidelity", "x"], "PHOTOS"),
        (["--check-fidelity", "x", "--psf", "butterworth"], "--psf"),
        (["photographs", "-o", "out", "--count", 1, "--seed", 1, "--calibration", "x"], "--calibration"),
        (["photographs", "-o", "out", "--count", 1], "--seed must be given"),
        ([], "PHOTOS, --output, --count, --seed must be given"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(run: Any, arguments: list[Any], named: str) -> None:
    result = run("simulate", *arguments)
    assert result.code == 2 and named in result.sentence


def test_a_folder_without_a_calibration_is_named(run: Any, tmp_path: Path) -> None:
    result = run("simulate", "--check-fidelity", tmp_path)
    assert result.code == 2 and str(tmp_path / "calibration") in result.sentence
