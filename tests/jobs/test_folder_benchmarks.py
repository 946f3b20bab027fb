"""The measurements of folders run, and add up."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(name: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / f"benchmarks/{name}.py", *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_process_against_several() -> None:
    options = ("--pairs", "3", "--size", "96x64", "--model", "nano", "--cores", "2", "--runs", "1")
    found = json.loads(run("folder_time", *options))
    for kind in ("1 x 2", "2 x 1"):
        one = found[kind]
        stages = one["of which in each stage"]
        assert 0 < one["share of the network"] < 1 and one["seconds"] < one["with the start"]
        assert (
            min(stages["network"], stages["deblur"]) > 0
        )  # passes in threads of their own are not in "deblur"
        assert 0 < stages["encode"] <= stages["write"]
    assert found["ratio"] > 0


def test_the_start_of_a_large_folder() -> None:
    for line in run("large_folder", "--pairs", "3", "--compared-with", "2").splitlines():
        found = json.loads(line)
        assert found["first"]["seconds"] > 0 and found["again"]["megabytes"] > 10
