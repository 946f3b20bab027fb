"""Runs as the user starts them: in processes of their own, killed, and several at once."""

import os
import random
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training.conftest import PLAIN, OneBlur, Use, equal, small, trained, weights
from training.test_loop import rows

from dpanet.training.config import TrainingConfig
from dpanet.training.config_file import to_toml
from dpanet.training.loop import train
from dpanet.training.run_folder import RunFolder
from dpanet.training.state import create_network

QUIET = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": str(torch.get_num_threads())}


def written(path: Path, config: TrainingConfig) -> str:
    path.write_text(to_toml(config), "utf-8")
    return str(path)


def test_a_run_killed_at_any_moment_ends_with_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    """Twice, at random moments, with dropout in the network; then it goes on for three steps in this process.

    Its learning rate does not depend on its length, so that no delay can let it end before it is killed.
    """
    optimizer = {"learning_rate": 1e-2, "schedule": "constant"}
    config = small(steps=10**6, checkpoint_minutes=0.0, optimizer=optimizer)
    path, moments = tmp_path / "killed", random.Random()
    seed = moments.randrange(10**6)
    moments.seed(seed)
    command = [sys.executable, "-m", "dpanet", "train"]
    reached = [0]
    for arguments in ([written(tmp_path / "own.toml", config), "-o", str(path)], ["--resume", str(path)]):
        process = subprocess.Popen([*command, *arguments], env=QUIET, stdout=subprocess.PIPE)
        assert process.stdout is not None
        wanted = reached[-1] + moments.randint(2, 8)
        while not process.stdout.readline().startswith(b"step %d " % wanted):
            assert process.poll() is None, "it ended by itself"
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.wait()
        process.stdout.close()
        reached.append(torch.load(path / "checkpoint.pt", weights_only=True)["step"])
    assert 0 < reached[1] < reached[2], f"{reached}, seed {seed}: resumed from where it was killed"
    steps = reached[2] + 3
    assert train(RunFolder.open(path, [f"steps={steps}"]), lambda line: None) == "finished"
    whole = trained(tmp_path / "whole", replace(config, steps=steps))
    assert {file.name for file in path.rglob(".*")} <= {".lock"}, "unfinished files are deleted"
    assert equal(weights(whole), weights(path)), f"killed at {reached}, seed {seed}"
    for one, other in zip(rows(whole), rows(path), strict=True):
        assert {**one, "seconds": ""} == {**other, "seconds": ""}


def by_two(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`dpanet train` in two processes."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "dpanet", "train", *arguments]
    return subprocess.run(command, env=QUIET, capture_output=True, text=True)


def test_two_processes_that_fail_keep_what_they_reached_and_go_on(tmp_path: Path) -> None:
    """A view that turns out damaged; with Muon, bfloat16 and dropout, as by default."""
    import cv2
    import numpy as np

    for number in range(2):
        codes = np.random.default_rng(number).integers(0, 255, (300, 300, 3), dtype=np.uint8)
        for part in ("left", "right", "sharp"):
            assert cv2.imwrite(str(tmp_path / f"{number}_{part}.png"), codes)
    view = tmp_path / "1_right.png"
    whole = view.read_bytes()
    config = small(kind="pairs", steps=30, precision="bfloat16", data={"pairs": str(tmp_path)})
    file, path = written(tmp_path / "own.toml", config), tmp_path / "run"
    view.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    failed = by_two(file, "-o", str(path))
    assert failed.returncode != 0 and re.search(r"1_right\.png is a .*damaged PNG", failed.stderr), (
        failed.stderr
    )
    view.write_bytes(whole)
    step = torch.load(path / "checkpoint.pt", weights_only=True)["step"]
    done = by_two("--resume", str(path), "--set", f"steps={step + 2}")
    assert done.returncode == 0, done.stderr
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == step + 2
    assert all(bool(tensor.isfinite().all()) for tensor in weights(path).values())


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    """By torchrun, on gloo, each with its half of the global batch, in two parts; one process takes it as a whole."""
    config = small(steps=4, batch=4, network=PLAIN, optimizer={"kind": "adamw", "warmup": 0})
    file, path = written(tmp_path / "own.toml", config), tmp_path / "two"
    done = by_two(file, "-o", str(path), "--set", "accumulate=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 4 ") == 1 and "2 x cpu" in done.stdout, "one of them tells"
    two, one = weights(path), weights(trained(tmp_path / "one", config))
    start = create_network(config).state_dict()
    for name, tensor in one.items():
        moved = float((tensor - start[name]).abs().max())
        assert float((tensor - two[name]).abs().max()) < 1e-3 * moved, name
    for alone, together in zip(rows(tmp_path / "one"), rows(path), strict=True):
        for key in ("loss", "psnr", "nothing"):
            assert alone[key] == together[key] or abs(float(alone[key]) / float(together[key]) - 1) < 1e-4


@pytest.mark.parametrize(
    "environment",
    [
        {"WORLD_SIZE": "2"},
        {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"},
        {"SLURM_NTASKS": "2", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "7", "SLURM_NODEID": "0",
         "SLURM_JOB_NAME": "train", "SLURM_NODELIST": "a[1-2]"},
    ],
)  # fmt: skip
def test_an_environment_that_is_not_torchruns_starts_one_process(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    use(OneBlur())
    lines: list[str] = []
    run = RunFolder.create(tmp_path / "run", small(steps=1))
    assert train(run, lines.append) == "finished"
    assert " x cpu" not in lines[0] and run.model.exists()
