"""File names of any bytes: evaluations, simulations and trainings end, and their files can be read again."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from cli.conftest import Result, Run

from dpanet.checkpoints.model_file import save_model
from dpanet.evaluation.scores_file import read_scores
from dpanet.network import DPANet, preset

NAMES = [
    b"caf\xe9",
    "café 🙂".encode(),
    b'a "q", <script>alert(1)</script>'.replace(b"/", b"|"),
    b"new\nline\r; x",
    b"x..",
    b"a\\b'c",
    b"=1+1",
    b"\xe2\x80\xa8sep\x01",
]
PLAIN = {
    "LANG": "C",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "OMP_NUM_THREADS": "1",
}
ASCII_ONLY = {**{k: v for k, v in os.environ.items() if not k.startswith(("LC_", "PYTHON"))}, **PLAIN}


def text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def write(path: Path, codes: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", codes)[1].tobytes())


def ascii_only(*arguments: object) -> Result:
    """Run `dpanet` in a process whose locale knows ASCII alone."""
    words = [os.fsencode(str(argument)) for argument in arguments]
    done = subprocess.run([sys.executable, "-m", "dpanet", *words], env=ASCII_ONLY, capture_output=True)
    return Result(done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii"))


@pytest.fixture(params=["utf8", "ascii"])
def dpanet(request: pytest.FixtureRequest, run: Run) -> Run:
    """Run `dpanet` here, or where everything is ASCII."""
    return run if request.param == "utf8" else ascii_only


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    for name in NAMES:
        sharp = cv2.GaussianBlur(np.random.default_rng(6).random((64, 80, 3)), (0, 0), 1.0)
        left, right = np.roll(sharp, 1, axis=1), np.roll(sharp, -1, axis=1)
        for part, pixels in (("left", left), ("right", right), ("sharp", sharp), (text(b"m\xff'"), sharp)):
            write(folder / f"{text(name)}_{part}.png", np.rint(pixels.clip(0, 1) * 255).astype(np.uint8))
    return folder


def test_an_evaluation_of_names_of_any_bytes(dpanet: Run, captures: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    narrow = preset("compact", widths=(8,) * 4, decoder_widths=(), bottleneck_width=8, cost_width=4)
    model = tmp_path / text(b"mod\xe8l\n.safetensors")
    save_model(DPANet(narrow), model)
    outputs = tmp_path / text(b"out\xe9puts <b>")
    outputs.mkdir()
    for name in NAMES:
        write(outputs / f"{text(name)}.png", np.zeros((64, 80, 3), np.uint8))
    out = tmp_path / text(b"r\xe9sult")
    command = ("evaluate", captures, "--layout", "pairs", "--bits", 8, "--model", model, "--outputs", outputs,
               "--save-images", "-o", out)  # fmt: skip
    for _ in range(2):  # the second one takes all scores from the first
        done = dpanet(*command)
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
    scores = read_scores(out / "scores.json")
    if dpanet is not ascii_only:
        assert {scene.name for scene in scores.scenes} == {text(name) for name in NAMES}
        assert {method.name for method in scores.methods} >= {text(b"m\xff'"), text(b"out\xe9puts <b>")}
    rows = list(csv.DictReader((out / "scores.csv").read_text("utf-8").splitlines(keepends=True)))
    assert len({row["scene"] for row in rows if row["row"] == "scene"}) == len(NAMES)
    page = (out / "report.html").read_text("utf-8")
    assert "<script>alert" not in page and "caf\\xe9" in page
    for name in NAMES:
        for method in (b"none", b"m\xff'", b"out\xe9puts <b>", b"mod\xe8l\n"):
            assert (out / "images" / text(method) / f"{text(name)}.png").is_file()


def test_a_simulation_of_photographs_with_names_of_any_bytes(dpanet: Run, tmp_path: Path) -> None:
    photographs = tmp_path / text(b"ph\xf6tos\n")
    photographs.mkdir()
    for name in NAMES:
        write(
            photographs / f"{text(name)}.png",
            np.random.default_rng(1).integers(0, 255, (80, 90, 3), np.uint8),
        )
    out = tmp_path / text(b"o\xfct")
    for _ in range(2):
        done = dpanet("simulate", photographs, "--count", 3, "--seed", 1, "--size", 32, "--workers", 1,
                      "-o", out)  # fmt: skip
        assert done.code == 0, done.err
    assert "0 scenes made, 3 in all" in done.out
    identity = json.loads((out / "settings.json").read_text("utf-8"))
    if dpanet is not ascii_only:
        assert {one["name"] for one in identity["photographs"]} == {f"{text(name)}.png" for name in NAMES}


def test_a_training_with_names_of_any_bytes(dpanet: Run, tmp_path: Path) -> None:
    photographs = tmp_path / text(b"ph\xf6tos\n\"'")
    photographs.mkdir()
    for name in NAMES:
        write(
            photographs / f"{text(name)}.png",
            np.random.default_rng(1).integers(0, 255, (80, 90, 3), np.uint8),
        )
    run = tmp_path / text(b"r\xfcn")
    changes = [
        "steps=2",
        "batch=1",
        "validation.scenes=1",
        "validation.samples=1",
        f"data.photographs={photographs}",
    ]
    done = dpanet("train", "tiny", "-o", run, "--set", *changes)
    assert done.code == 0, done.err
    again = dpanet("train", "--resume", run, "--set", "steps=3")
    assert again.code == 0, again.err
    assert {"model.safetensors", "checkpoint.pt", "curves.png"} <= {file.name for file in run.iterdir()}


def test_names_that_cannot_name_files_are_refused_before_the_work(
    run: Run, captures: Path, tmp_path: Path
) -> None:
    long = tmp_path / ("n" * 250)
    long.mkdir()
    for name in NAMES:
        write(long / f"{text(name)}.png", np.zeros((64, 80, 3), np.uint8))
    done = run(
        "evaluate", captures, "--layout", "pairs", "--bits", 8, "--outputs", long, "-o", tmp_path / "o"
    )
    assert done.code == 2 and "cannot name its pictures" in done.err, done.err
    assert not (tmp_path / "o").exists()
