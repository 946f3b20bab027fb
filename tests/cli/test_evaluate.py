import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from cli.conftest import Run, listing
from safetensors.torch import save_file

from dpanet.checkpoints.model_file import save_model
from dpanet.evaluation.lpips import _SHAPES
from dpanet.evaluation.scores_file import read_scores
from dpanet.network import DPANet, preset


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(6)
    (tmp_path / "captures").mkdir()
    for name in ("1", "2"):
        sharp = cv2.GaussianBlur(rng.random((64, 80, 3)), (0, 0), 1.0)
        left, right = np.roll(sharp, 1, axis=1), np.roll(sharp, -1, axis=1)
        for part, pixels in (("left", left), ("right", right), ("sharp", sharp)):
            path = tmp_path / "captures" / f"{name}_{part}.png"
            cv2.imwrite(str(path), np.rint(pixels.clip(0, 1) * 65535).astype(np.uint16))
    return tmp_path / "captures"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    narrow = preset("compact", widths=(8,) * 4, decoder_widths=(), bottleneck_width=8, cost_width=4)
    save_model(DPANet(narrow), tmp_path / "small.safetensors")  # untrained, it returns the combined picture
    return tmp_path / "small.safetensors"


def test_a_table_a_file_and_a_page(run: Run, captures: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("evaluate", captures, "--layout", "pairs", "--align", "--model", model, "--baseline", "wiener",
               "single", "--precision", "float32", "-o", out)  # fmt: skip
    first = run(*command)
    assert first.code == 0, first.err
    lines = first.out.splitlines()
    tables = lines[: lines.index("how networks ran")]
    rows = [line.split()[0] for line in tables if line.startswith(("none", "wiener", "single", "small"))]
    assert rows == ["none", "wiener", "single", "small"] * 2, "one table for each protocol"
    assert first.out.count("PSNR  [95 % interval]") == first.out.count("* best PSNR\n") == 2
    assert "LPIPS" not in first.out
    scores = read_scores(out / "scores.json")
    assert scores.summary["small"].protocols["aligned"]["gain"].mean == pytest.approx(0, abs=1e-3)
    assert scores.methods[-1].checkpoint_sha256
    assert {"report.html", "scores.csv", "scores.json"} <= set(listing(out))
    again = run(*command)
    assert again.code == 0
    assert again.out == first.out, "the same scores, and the same seconds, from the stored ones"
    run_by = f"torch {torch.__version__}, float32, cpu; 2 passes; scale auto; not refined"
    assert [line.split(maxsplit=1) for line in lines if "passes" in line] == [
        ["single", run_by],
        ["small", run_by],
    ]
    for change, key in (
        (("--precision", "float32", "--scale", 1), "scale"),
        (("--precision", "bfloat16"), "precision"),
    ):
        other = run(*(word for word in command if word not in ("--precision", "float32")), *change)
        assert other.code == 1 and f"an evaluation with other methods.single.{key};" in other.sentence


def test_one_scene_has_no_interval(run: Run, captures: Path, tmp_path: Path) -> None:
    for part in ("left", "right", "sharp"):
        (captures / f"2_{part}.png").unlink()
    result = run("evaluate", captures, "--layout", "pairs", "--baseline", "single", "-o", tmp_path / "out")
    assert result.code == 0, result.err
    heading, row, *_ = (
        line for line in result.out.splitlines() if line.lstrip().startswith(("PSNR", "none"))
    )
    assert "95 %" not in result.out and "[" not in row
    assert len(heading) == len(row) and heading.split()[-1] == "s"


def test_the_outputs_of_a_folder_are_scored(run: Run, captures: Path, tmp_path: Path) -> None:
    """One scene's output is its truth, so that PSNR and gain are infinite; the other is the left view."""
    (tmp_path / "mine").mkdir()
    for name, part in (("1", "sharp"), ("2", "left")):
        shutil.copy(captures / f"{name}_{part}.png", tmp_path / "mine" / f"{name}.png")
    command = (
        "evaluate",
        captures,
        "--layout",
        "pairs",
        "--outputs",
        tmp_path / "mine",
        "-o",
        tmp_path / "out",
    )
    result = run(*command)
    assert result.code == 0, result.err
    row = next(line for line in result.out.splitlines() if line.startswith("mine")).split()
    assert row[:3] == ["mine", "*", "inf"] and row[-2:] == ["+inf", "-"], row
    assert {method.name for method in read_scores(tmp_path / "out" / "scores.json").methods} == {
        "none",
        "mine",
    }
    shutil.copy(captures / "1_left.png", tmp_path / "mine" / "1.png")
    again = run(*command)
    assert "inf" not in again.out, "the replaced picture is scored anew"
    (tmp_path / "mine" / "2.png").unlink()
    missing = run(*command)
    assert missing.code == 1 and str(tmp_path / "mine" / "2.png") in missing.sentence


def test_a_mean_gain_of_minus_infinity_is_shown_as_such(run: Run, captures: Path, tmp_path: Path) -> None:
    for part in ("left", "right"):
        shutil.copy(captures / "1_sharp.png", captures / f"1_{part}.png")
    (tmp_path / "mine").mkdir()
    for name in ("1", "2"):
        shutil.copy(captures / "2_left.png", tmp_path / "mine" / f"{name}.png")
    result = run(
        "evaluate", captures, "--layout", "pairs", "--outputs", tmp_path / "mine", "-o", tmp_path / "out"
    )
    assert result.code == 0, result.err
    none, mine = (line.split() for line in result.out.splitlines() if line.startswith(("none", "mine")))
    assert none[1] == "*" and mine[1] != "*"
    assert mine[-2] == "-inf"


def test_all_problems_are_listed_before_anything_is_written(run: Run, captures: Path, tmp_path: Path) -> None:
    (captures / "1_right.png").unlink()
    (captures / "2_sharp.png").write_bytes(b"no picture")
    result = run("evaluate", captures, "--layout", "pairs", "-o", tmp_path / "out")
    assert result.code == 1
    assert "1_right" in result.sentence and "2_sharp.png" in result.sentence
    assert not (tmp_path / "out").exists()


def test_an_unknown_baseline_is_named(run: Run, captures: Path, tmp_path: Path) -> None:
    result = run("evaluate", captures, "--layout", "pairs", "--baseline", "magic", "-o", tmp_path / "out")
    assert result.code == 2
    assert "magic" in result.sentence and "wiener" in result.sentence
    assert not (tmp_path / "out").exists()


def test_lpips_with_its_weights(run: Run, captures: Path, model: Path, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    tensors = {name: torch.rand(shape, generator=generator) * 0.05 + 0.01 for name, shape in _SHAPES.items()}
    save_file(tensors, tmp_path / "lpips.safetensors")
    result = run("evaluate", captures, "--layout", "pairs", "--model", model, "--bits", 8,
                 "--lpips-weights", tmp_path / "lpips.safetensors", "-o", tmp_path / "out")  # fmt: skip
    assert result.code == 0, result.err
    scores = read_scores(tmp_path / "out" / "scores.json")
    assert len(scores.lpips) == 64 and "LPIPS" in result.out
    assert scores.summary["none"].protocols["as_published"]["lpips"].mean > 0
