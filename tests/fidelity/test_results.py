import json
import math
from pathlib import Path

import pytest
import torch
from deconvolution.planted_blur import SIDE
from fidelity.synthetic_capture import synthetic_capture

from dpanet.deconvolution.blur_families import NoBlur, RampedDiscFamily
from dpanet.deconvolution.blur_fit import BlurFit
from dpanet.errors import OutputError
from dpanet.fidelity.check import CellFidelity, CellGrid, check_scene
from dpanet.fidelity.results import build_fidelity_document, describe_lens, summarize, write_fidelity

GRID = CellGrid(SIDE, 16)


def cell(psnr: float, scale: float, contrast: float = 0.1) -> CellFidelity:
    fit = BlurFit(scale, 0, torch.tensor([0.5, -0.25]), torch.ones(2), 10 ** (-psnr / 10), torch.eye(2))
    return CellFidelity(0, 0, contrast, {"no blur": fit})


def test_quantiles_of_psnr_are_of_all_cells_and_of_scales_of_those_with_texture() -> None:
    cells = [cell(30 + i, (-1) ** i * i / 10) for i in range(11)]
    summary = summarize([*cells, *(cell(20, 9.0, contrast=0.001) for _ in range(3))])
    assert (summary["cells"], summary["textured"]) == (14, 11)
    assert summary["scale"]["no blur"] == {"10": 0.1, "25": 0.25, "50": 0.5, "75": 0.75, "90": 0.9}
    assert summary["psnr"]["no blur"]["50"] == pytest.approx(33.5)
    assert summary["before_focus"]["no blur"] == pytest.approx(5 / 11, abs=1e-4)


def test_a_lens_is_described_by_the_cells_that_are_blurred_weighted_by_texture() -> None:
    family = RampedDiscFamily()
    mild, steep = (family.shapes.index({"slope": slope, "rim": 0.0}) for slope in (0.5, 2.0))

    def seen(radius: float, shape: int, contrast: float, clipped: float = 0.0) -> CellFidelity:
        none, ramped = (
            BlurFit(scale, form, torch.zeros(2), torch.ones(2), error, torch.eye(2))
            for scale, form, error in ((0.0, 0, 1e-3), (radius, shape, 1e-4))
        )
        return CellFidelity(0, 0, contrast, {"no blur": none, "ramped disc": ramped}, clipped)

    heavy = [seen(-8.0, mild, 0.2), seen(8.0, mild, 0.2), seen(8.0, steep, 0.02)]
    sharp, clipped = seen(0.5, steep, 0.9), seen(20.0, steep, 0.9, clipped=0.5)
    lens = describe_lens([*heavy, sharp, clipped], (NoBlur(), family))["ramped disc"]
    assert lens["scale"] == {"10": 8.0, "50": 8.0, "90": 8.0}
    assert lens["slope"] is not None and lens["slope"]["50"] == 0.5 and lens["explained"] is not None
    assert lens["explained"]["50"] == pytest.approx(10)
    assert describe_lens([clipped], (NoBlur(), family))["ramped disc"]["slope"] is None


def test_without_texture_there_is_no_scale() -> None:
    summary = summarize([cell(20, 9.0, contrast=0.0)])
    assert (summary["scale"]["no blur"], summary["before_focus"]["no blur"]) == (None, None)


def test_the_file_has_every_cell_and_is_replaced_only_if_asked(tmp_path: Path) -> None:
    result = check_scene(synthetic_capture(0.5, cells=1), (NoBlur(),), GRID)
    document = build_fidelity_document([result], (NoBlur(),), GRID)
    path = write_fidelity(document, tmp_path)
    saved = json.loads(path.read_text())
    assert saved["grid"] == {"cell": SIDE, "border": 16, "every": 1} and saved["summary"]["cells"] == 1
    psnr = saved["scenes"][0]["cells"][0]["fits"]["no blur"]["psnr"]
    assert psnr == pytest.approx(-10 * math.log10(result.cells[0].fits["no blur"].error), abs=1e-3)
    with pytest.raises(OutputError, match="exists already"):
        write_fidelity(document, tmp_path)
    write_fidelity(document | {"plain": 7}, tmp_path, overwrite=True)
    assert json.loads(path.read_text())["plain"] == 7
