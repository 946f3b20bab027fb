import csv
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from cli.conftest import Run, listing

import dpanet.extras
from dpanet.checkpoints.model_file import load_model
from dpanet.datasets.photographs import check_photographs
from dpanet.training import simulated_data
from dpanet.training.config_file import shipped_configs

SMALL = ["--set", "steps=4", "batch=2", "log_every=2", "stages=[{until=1.0, patch=32}]", "validation.patch=32",
         "validation.scenes=1", "data.scenes.pages=1"]  # fmt: skip


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(3):
        codes = np.random.default_rng(seed).integers(0, 256, (80, 100, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.GaussianBlur(codes, (0, 0), 2))
    return folder


def test_tiny_is_trained_from_one_end_to_the_other_and_its_loss_falls(run: Run, tmp_path: Path) -> None:
    began = time.process_time()
    result = run("train", "tiny", "-o", tmp_path / "run")
    assert (result.code, result.err) == (0, "")
    assert time.process_time() - began < 100, "seconds of processor; under a minute on two free cores"
    with (tmp_path / "run" / "log.csv").open() as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert len(losses) == 6 and losses[-1] < 0.6 * losses[0]
    lines = result.out.splitlines()
    assert ": compact with changes, of 103,400 parameters, " in lines[0]
    assert len(lines) == 8 and lines[1].startswith("step 25  loss 0.") and " dB (" in lines[-2]
    assert lines[-1] == str(tmp_path / "run" / "model.safetensors")
    network = load_model(lines[-1])
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    again = run("train", "--resume", tmp_path / "run")
    assert again.code == 0 and "step 150 of 150" in again.out
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    refused = run("train", "tiny", "-o", tmp_path / "run")
    assert refused.code == 1 and "holds a run; go on with it by --resume" in refused.sentence


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tiny"], "give the folder of the new run by -o"),
        (["-o", "out"], "give either a config to start with"),
        ([], "give either a config to start with"),
        (["tiny", "--resume", "out"], "give either a config to start with"),
        (["teeny", "-o", "out"], "there is no config 'teeny'"),
        (["compact", "-o", "out"], "data.photographs and data.kernels are missing"),
        (["compact", "-o", "out", "--set", "data.photographs=scikit-image"], "data.kernels is missing"),
        (["compact", "-o", "out", "--set", "data.scenes.measured=0"], "data.photographs is missing"),
        (["tiny", "-o", "out", "--set", "data.photographs=nowhere"], "data.photographs is nowhere"),
        (["dpdd_mse", "-o", "out"], "data.pairs is missing"),
        (["tiny", "-o", "out", "--set", "optimiser.clip=1"], "optimiser is unknown; did you mean optimizer"),
        (["tiny", "-o", "out", "--set", "batch=0", "--set", "seed=3"], "batch is 0"),
        (["tiny", "-o", "out", "--set", "network.preset=huge"], "there is no preset 'huge'"),
        (["tiny", "-o", "out", "--set", "network.changes.width=[8]"], "network.changes.width is unknown"),
        (["tiny", "-o", "out", "--set", "stages=[{until=1.0, patch=50}]"], "stages[0].patch is 50"),
        (["tiny", "-o", "out", "--set", "device=tpu"], "device is 'tpu'"),
        (["--resume", "out"], "out holds no run"),
    ],
)
def test_misuse_is_told_before_anything_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train", *arguments)
    assert result.code == 2 and says in result.sentence
    assert listing(tmp_path) == []


def test_a_loss_that_is_no_number_is_a_failure_and_no_misuse(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dpanet.training.loop as loop

    monkeypatch.setattr(
        loop, "compute_loss", lambda outputs, truth, config: (outputs[0].sum() * torch.nan,) * 2
    )
    result = run("train", "tiny", "-o", tmp_path / "run", *SMALL)
    assert result.code == 1 and "the loss became nan at step 0" in result.sentence


@pytest.mark.parametrize(("command", "says"), [("train", "--set accumulate=N"), ("simulate", "--size")])
def test_memory_that_runs_out_is_told_with_what_helps_this_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, says: str
) -> None:
    def exhaust(*given: object, **named: object) -> None:
        raise MemoryError

    monkeypatch.setattr("dpanet.training.state.State.__init__", exhaust)
    monkeypatch.setattr("dpanet.datasets.photographs.find_photographs", exhaust)
    arguments = ["tiny", "-o", tmp_path / "run"] if command == "train" else [tmp_path, "-o", tmp_path / "out",
                 "--count", 1, "--seed", 1]  # fmt: skip
    result = run(command, *arguments)
    assert result.code == 1 and "not enough memory" in result.sentence and says in result.sentence


def test_the_shipped_configs_are_listed(run: Run) -> None:
    result = run("train", "--list")
    assert result.code == 0 and [line.split()[0] for line in result.out.splitlines()] == list(
        shipped_configs()
    )


def flip_a_byte(path: Path) -> None:
    """Damage a picture so that it is found only when it is decoded: its header and its end are whole."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def test_a_damaged_photograph_is_named_before_anything_is_written(
    run: Run, tmp_path: Path, photographs: Path
) -> None:
    flip_a_byte(photographs / "1.png")
    result = run("train", "tiny", "-o", tmp_path / "run", *SMALL, f"data.photographs={photographs}")
    assert result.code == 1 and "1.png is a damaged PNG" in result.sentence
    assert result.sentence.startswith("1 of the 3 photographs") and not (tmp_path / "run").exists()


def test_damage_in_the_middle_of_a_run_keeps_what_was_reached(
    run: Run, tmp_path: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (photographs / "1.png").read_bytes()

    def check_then_damage(files: Sequence[Path]) -> None:
        check_photographs(files)
        flip_a_byte(photographs / "1.png")

    arguments = [*SMALL, f"data.photographs={photographs}", "steps=30", "data.scenes.print_share=0.0"]
    with monkeypatch.context() as patch:
        patch.setattr(simulated_data, "check_photographs", check_then_damage)
        result = run("train", "tiny", "-o", tmp_path / "run", *arguments)
    assert result.code == 1 and "1.png is a damaged PNG" in result.sentence
    assert (tmp_path / "run" / "checkpoint.pt").exists()
    (photographs / "1.png").write_bytes(whole)
    assert run("train", "--resume", tmp_path / "run", "--set", "steps=4").code == 0


def test_without_the_extra_a_sentence_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = dpanet.extras.find_spec
    monkeypatch.setattr(
        "dpanet.extras.find_spec", lambda name: None if name == "tensorboard" else found(name)
    )
    result = run("train", "tiny", "-o", tmp_path / "run")
    assert result.code == 1
    assert result.sentence == (
        "dpanet train needs packages of the extra train (tensorboard is missing); "
        "install them in the repository's folder: pip install -c constraints.txt '.[train]'"
    )


def test_a_stray_variable_of_torchrun_is_said_and_ignored(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = run("train", "tiny", "-o", tmp_path / "run", *SMALL, "steps=1")
    assert result.code == 0 and (tmp_path / "run" / "model.safetensors").exists()
    assert result.err.startswith(
        "dpanet: note: WORLD_SIZE of the environment is ignored, and one process trains"
    )
    assert len(result.err.splitlines()) == 1
