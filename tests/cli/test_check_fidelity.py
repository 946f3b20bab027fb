import json
import sys
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run
from deconvolution.planted_blur import slanted_lens
from fidelity.synthetic_capture import synthetic_capture

import dpanet.datasets as datasets
import dpanet.fidelity.check as check
from dpanet import read_picture
from dpanet.datasets import Dataset, Scene
from dpanet.deconvolution.blur_families import MeasuredFamily, NoBlur


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a calibration that opens as one capture of one cell, checked with two families."""
    kernels = slanted_lens()
    for view, side in enumerate(("left", "right")):
        np.save(tmp_path / f"blur_kernels_{side}.npy", kernels.pairs[:, view].numpy())
    path = tmp_path / "001.png"
    scene = Scene("001", path, path, path, lambda: synthetic_capture(0.8, cells=1, cell=168))
    dataset = Dataset("pixel4", None, (scene,), aligned=True, bits=16)
    monkeypatch.setattr(datasets, "open_dataset", lambda *args, **kwargs: dataset)
    monkeypatch.setattr(
        check, "kernel_families", lambda kernels: (NoBlur(), MeasuredFamily(kernels or slanted_lens()))
    )
    return tmp_path


def test_a_table_is_printed_and_all_fits_are_written(run: Run, captures: Path) -> None:
    command = ["check-fidelity", captures, "--calibration", captures]
    result = run(*command, "-o", captures / "out")
    assert (result.code, result.err) == (0, "")
    saved = json.loads((captures / "out" / "fidelity.json").read_text())
    median = saved["summary"]["psnr"]["measured"]["50"]
    assert median > 50 and f"{median:.2f}" in result.out and "no blur" in result.out
    assert "exists already" in run(*command, "-o", captures / "out").sentence
    assert run(*command, "-o", captures / "out", "--overwrite").code == 0


def test_a_terminal_sees_how_far_it_is(run: Run, captures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets nothing, as the other tests of this file say."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = run("check-fidelity", captures, "--calibration", captures)
    assert result.code == 0
    assert "fits" in result.err and "/3" in result.err and "tiles" not in result.err


def test_without_an_output_folder_nothing_is_written(run: Run, captures: Path) -> None:
    before = sorted(captures.rglob("*"))
    assert run("check-fidelity", captures, "--calibration", captures).code == 0
    assert sorted(captures.rglob("*")) == before


def test_pairs_need_no_calibration_and_free_kernels_are_drawn(run: Run, captures: Path) -> None:
    command = ["check-fidelity", captures, "--layout", "pairs", "--match-colour", "--every", 1]
    result = run(*command, "--free-kernels", captures / "free.png")
    assert (result.code, result.err) == (0, "") and "weighted by texture" in result.out
    assert "001, row 0, column 0" in result.out and read_picture(captures / "free.png").pixels.shape[2] == 3
    assert "exists already" in run(*command, "--free-kernels", captures / "free.png").sentence
    assert ".png" in run(*command, "--free-kernels", captures / "free.jpg").sentence


def test_a_folder_without_a_calibration_is_named(run: Run, tmp_path: Path) -> None:
    result = run("check-fidelity", tmp_path)
    assert result.code == 2 and str(tmp_path / "calibration") in result.sentence
