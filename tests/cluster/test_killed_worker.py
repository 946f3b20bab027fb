"""A folder on a Ray of two workers, one of which is killed while it writes: nothing is lost or done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cluster.conftest import OPTIONS, PROCESSES, write_pairs

from dpanet.cli import main

COMMAND = (sys.executable, "-m", "dpanet", "deblur")


def read_lines(log: Path) -> list[dict[str, Any]]:
    """Return the lines of a log, without the times of change of the outputs."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        line["value"] = {name: value[:2] for name, value in line["value"].items()}
    return lines


def wait_for(file: Path, running: subprocess.Popen[str]) -> str:
    """Return the text of a file as soon as it has any."""
    end = time.monotonic() + 250
    while not (file.exists() and file.read_text()):
        assert running.poll() is None and time.monotonic() < end, running.communicate()
        time.sleep(0.05)
    return file.read_text()


def remaining(folder: Path) -> list[str]:
    """Return the processes whose command line or environment names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text:
            found.append(process.name)
    return found


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_is_killed_loses_nothing_and_repeats_nothing(
    tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    views, plain, output, gate = (tmp_path / name for name in ("in", "plain", "out", "gate"))
    write_pairs(views, range(6))
    assert main(["deblur", str(views), "-o", str(plain), *OPTIONS]) == 0
    environment = {**os.environ, "PYTHONPATH": str(PROCESSES), "GATE": str(gate), "TMPDIR": str(temporary)}
    environment["HOME"] = str(temporary)  # where Ray would leave a token
    running = subprocess.Popen(
        [*COMMAND, str(views), "-o", str(output), *OPTIONS, "--cluster", "ray", "--workers", "2"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        os.kill(int(wait_for(gate, running)), signal.SIGKILL)
        out, err = running.communicate(timeout=250)
    finally:
        running.kill()
    assert running.returncode == 0, err
    (note,) = [line for line in err.splitlines() if "no worker is ready yet" not in line]  # on a busy machine
    assert note.startswith("dpanet: note: a worker ended (its process died); ")
    *lines, last = out.splitlines()
    assert last == f"{output}: 6 pairs deblurred, 0 skipped"
    assert sorted(line.partition(":")[0] for line in lines) == [f"{output}/{name}.png" for name in range(6)]

    for name in range(6):
        assert (output / f"{name}.png").read_bytes() == (plain / f"{name}.png").read_bytes()
    assert read_lines(output / ".dpanet.jsonl") == read_lines(plain / ".dpanet.jsonl")
    assert sorted(file.name for file in output.iterdir()) == sorted(file.name for file in plain.iterdir())
    assert (list(temporary.iterdir()), remaining(temporary)) == ([], [])

    capsys.readouterr()
    before = {file: file.stat().st_mtime_ns for file in output.iterdir()}
    for cluster in (
        [],
        ["--cluster", "ray"],
    ):  # either command skips what the other did, and starts no worker
        assert main(["deblur", str(views), "-o", str(output), *OPTIONS, *cluster]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"{output}: 0 pairs deblurred, 6 skipped"
    assert {file: file.stat().st_mtime_ns for file in output.iterdir()} == before
