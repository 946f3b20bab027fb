"""Folders of which two pairs at a time are deblurred, on two cores."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run, write_view

import dpanet.jobs.job
from dpanet.images.reading import read_codes
from dpanet.jobs.job import Task

NAMES = [*"abcde"]

ON_TWO_CORES = """
import os, signal, sys, time
import dpanet.cli, dpanet.jobs.job
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
os.sched_getaffinity = lambda process: {0, 1}

def deblur(task, job, *arguments, deblur=dpanet.jobs.job.Task.deblur):
    if job.name == "c":
        print("computing", flush=True)
        time.sleep(1)
    return deblur(task, job, *arguments)

dpanet.jobs.job.Task.deblur = deblur
sys.exit(dpanet.cli.main())
"""
"""The command line, which is slow to compute one pair, and says when it begins to."""


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        for side in ("left", "right"):
            write_view(
                tmp_path / "in" / f"{name}_{side}.png", 2 * seed + (side == "right"), np.uint16, (40, 56, 3)
            )
    return tmp_path / "in"


@pytest.fixture
def threads_of(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether each pair was computed in the main thread, on what looks like two cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    threads: dict[str, bool] = {}

    def deblur(task, job, opened, deblur=Task.deblur):  # type: ignore[no-untyped-def]
        threads[job.name] = threading.current_thread() is threading.main_thread()
        return deblur(task, job, opened)

    monkeypatch.setattr(Task, "deblur", deblur)
    return threads


def names_of(lines: str) -> list[str]:
    outputs = [json.loads(line).get("output", "") for line in lines.splitlines()]
    return [output.rpartition("/")[2] if output else "failed" for output in outputs if output != ""]


def test_the_pictures_are_those_of_one_thread(
    run: Run, pairs: Path, tmp_path: Path, threads_of: dict[str, bool]
) -> None:
    command = ("deblur", pairs, "--model", "nano", "--json")
    result = run(*command, "-o", tmp_path / "two")
    assert result.code == 0, result.err
    assert names_of(result.out) == [f"{name}.png" for name in NAMES]
    assert threads_of == dict.fromkeys(NAMES, False)
    assert run(*command, "-o", tmp_path / "one", "--threads", 1).code == 0
    assert threads_of == dict.fromkeys(NAMES, True)
    for name in NAMES:
        one, two = (read_codes(tmp_path / folder / f"{name}.png")[0] for folder in ("one", "two"))
        np.testing.assert_array_equal(one, two)
        assert len(np.unique(one)) > 100, "a picture"


def test_three_pairs_are_deblurred_in_turn(
    run: Run, pairs: Path, tmp_path: Path, threads_of: dict[str, bool]
) -> None:
    for name in "de":
        (pairs / f"{name}_left.png").unlink()
        (pairs / f"{name}_right.png").unlink()
    assert run("deblur", pairs, "--model", "nano", "-o", tmp_path / "out").code == 0
    assert threads_of == dict.fromkeys("abc", True)


def test_damaged_and_large_pairs(
    run: Run, pairs: Path, tmp_path: Path, threads_of: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dpanet.jobs.job, "LARGE", 60 * 56)
    for side in ("left", "right"):
        write_view(pairs / f"c_{side}.png", 3, np.uint16, (64, 56, 3))
    (pairs / "b_left.png").write_bytes((pairs / "b_left.png").read_bytes()[:300])
    command = ("deblur", pairs, "--model", "nano", "--json", "-o", tmp_path / "out")
    result = run(*command)
    assert result.code == 1
    assert threads_of == {"a": False, "c": True, "d": False, "e": False}
    assert names_of(result.out) == ["a.png", "failed", "c.png", "d.png", "e.png"]
    assert result.err.count("\n") == 1 and "b_left.png" in result.err
    threads_of.clear()
    assert run(*command).code == 1
    assert threads_of == {}, "nothing is done twice"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_an_interrupted_folder_goes_on(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", ON_TWO_CORES, "deblur", str(pairs), "--model", "nano", "-o", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if line == "computing\n":
                break
        process.send_signal(signal.SIGINT)
        errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and errors.count("\n") <= 1
    written = sorted(path.name for path in out.glob("*.png"))
    assert written and "c.png" not in written, "what was computed is written, and no more"
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{5 - len(written)} pairs deblurred, {len(written)} skipped" in again.stdout
