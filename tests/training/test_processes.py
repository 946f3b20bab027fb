"""Runs as the user starts them: in processes of their own, killed, and several at once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import torch
from training.conftest import PLAIN, equal, small, trained, weights
from training.test_loop import rows

from dpanet.training.config import TrainingConfig
from dpanet.training.config_file import to_toml
from dpanet.training.state import network_to_train

QUIET = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": str(torch.get_num_threads())}


def written(path: Path, settings: TrainingConfig) -> str:
    path.write_text(to_toml(settings), "utf-8")
    return str(path)


def test_a_run_killed_at_any_moment_ends_with_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    """Twice, at random moments, with dropout in the network; then it goes on to its end in this process."""
    settings = small(steps=80, checkpoint_minutes=0.0, optimiser={"learning_rate": 1e-2})
    config = written(tmp_path / "own.toml", settings)
    whole, path = trained(tmp_path / "whole", settings), tmp_path / "killed"
    moments = random.Random()
    seed = moments.randrange(10**6)
    moments.seed(seed)
    command = [sys.executable, "-m", "dpanet", "train"]
    reached = [0]
    for arguments in ([config, "-o", str(path)], ["--resume", str(path)]):
        process = subprocess.Popen([*command, *arguments], env=QUIET, stdout=subprocess.DEVNULL)
        wanted = reached[-1] + moments.randint(1, 15)
        while not (path / "log.csv").exists() or len(rows(path)) < wanted:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.wait()
        reached.append(torch.load(path / "checkpoint.pt", weights_only=True)["step"])
    assert 0 < reached[1] < reached[2] < 80, (
        f"{reached}, seed {seed}: killed on the way, and gone on from there"
    )
    from dpanet.training.loop import train
    from dpanet.training.run_folder import RunFolder

    train(RunFolder.held(path), lambda line: None)
    assert {file.name for file in path.rglob(".*")} <= {".lock"}, "what was half written is gone"
    assert equal(weights(whole), weights(path)), f"killed at {reached}, seed {seed}"
    for one, other in zip(rows(whole), rows(path), strict=True):
        assert {**one, "seconds": ""} == {**other, "seconds": ""}


def by_two(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`dpanet train` in two processes."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "dpanet", "train", *arguments]
    return subprocess.run(command, env=QUIET, capture_output=True, text=True)


def test_two_processes_that_fail_keep_what_they_reached_and_go_on(tmp_path: Path) -> None:
    """A photograph that turns out damaged; with Muon, bfloat16 and dropout, as runs are unless told otherwise."""
    import cv2
    import numpy as np

    for number in range(2):
        codes = np.random.default_rng(number).integers(0, 255, (300, 300, 3), dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), codes)
    whole = (tmp_path / "1.png").read_bytes()
    settings = small(steps=30, precision="bfloat16", data={"photographs": str(tmp_path)})
    config, path = written(tmp_path / "own.toml", settings), tmp_path / "run"
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    failed = by_two(config, "-o", str(path))
    assert failed.returncode != 0 and "1.png is a truncated or damaged PNG" in failed.stderr, failed.stderr
    (tmp_path / "1.png").write_bytes(whole)
    step = torch.load(path / "checkpoint.pt", weights_only=True)["step"]
    done = by_two("--resume", str(path), "--set", f"steps={step + 2}")
    assert done.returncode == 0, done.stderr
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == step + 2
    assert all(bool(tensor.isfinite().all()) for tensor in weights(path).values())


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    """By torchrun, on gloo, each with its half of the global batch, in two parts; one process takes it as a whole."""
    settings = small(steps=4, batch=4, network=PLAIN, optimiser={"kind": "adamw", "warmup": 0})
    config, path = written(tmp_path / "own.toml", settings), tmp_path / "two"
    done = by_two(config, "-o", str(path), "--set", "accumulate=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 4 ") == 1 and "2 x cpu" in done.stdout, "one of them tells"
    two, one = weights(path), weights(trained(tmp_path / "one", settings))
    start = network_to_train(settings).state_dict()
    for name, tensor in one.items():
        moved = float((tensor - start[name]).abs().max())
        assert float((tensor - two[name]).abs().max()) < 1e-3 * moved, name
    for alone, together in zip(rows(tmp_path / "one"), rows(path), strict=True):
        for key in ("loss", "psnr", "nothing"):
            assert alone[key] == together[key] or abs(float(alone[key]) / float(together[key]) - 1) < 1e-4
