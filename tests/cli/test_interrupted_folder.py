"""A folder with bad pairs of all kinds, killed and resumed: nothing is lost, and nothing is done twice.

The full size, 1,000 pairs with 20 bad ones: DPANET_FULL=1 pytest tests/cli/test_interrupted_folder.py
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cli.conftest import write_view

from dpanet.images.reading import read_codes

PROGRAM = """
import os, sys
import dpanet.cli, dpanet.jobs.job, dpanet.deblurrer.deblurrer
from dpanet.engines.torch_engine import TorchEngine
from dpanet.network.description import Description

class Left:
    description = Description(multiple_of=8, halo=8)
    def __call__(self, left, right):
        return left

def note(word, job):
    with open(os.environ["NOTES"], "ab") as file:
        file.write(os.fsencode(f"{word} {job.name}") + b"\\0")

def deblur(task, job, *arguments, deblur=dpanet.jobs.job.Task.deblur):
    note("begin", job)
    return deblur(task, job, *arguments)

def write(task, job, *arguments, write=dpanet.jobs.job.Task.write):
    line = write(task, job, *arguments)
    note("end", job)
    return line

dpanet.jobs.job.Task.deblur, dpanet.jobs.job.Task.write = deblur, write
dpanet.deblurrer.deblurrer.load_engine = lambda model, engine, passes, callers, **rest: TorchEngine(Left(), **rest)
sys.exit(dpanet.cli.main())
"""
"""The command line with a network that returns the left view, and notes of what it does."""

SHAPE = (16, 24, 3)


def make_bad(folder: Path, kind: str, name: str) -> None:
    """Write a pair that cannot be deblurred."""
    left, right = (
        write_view(folder / f"{name}_{side}.png", 7, np.uint8, SHAPE) for side in ("left", "right")
    )
    spoil: dict[str, Callable[[], object]] = {
        "truncated": lambda: left.write_bytes(left.read_bytes()[:200]),
        "damaged": lambda: left.write_bytes(left.read_bytes()[:80] + b"x" * 40 + left.read_bytes()[120:]),
        "empty": lambda: right.write_bytes(b""),
        "text": lambda: right.write_text("hello"),
        "size": lambda: write_view(right, 7, np.uint8, (16, 25, 3)),
        "depth": lambda: write_view(right, 7, np.uint16, SHAPE),
        "small": lambda: [write_view(view, 7, np.uint8, (9, 24, 3)) for view in (left, right)],
        "no right view": right.unlink,
        "no left view": left.unlink,
        "two left views": lambda: left.with_suffix(".tif").write_bytes(left.read_bytes()),
        "suffix": lambda: [view.rename(view.with_suffix(".bmp")) for view in (left, right)],
        "link": lambda: (right.unlink(), right.symlink_to("gone.png")),
        "loop": lambda: (right.unlink(), right.symlink_to(right.name)),
        "pipe": lambda: (right.unlink(), os.mkfifo(right)),
        "NaN": lambda: make_nan(left, right),
    }  # fmt: skip
    spoil[kind]()


BAD = (
    *("truncated", "damaged", "empty", "text", "size", "depth", "small", "no right view", "no left view"),
    *("two left views", "suffix", "link", "loop", "pipe", "NaN"),
)


def make_nan(*views: Path) -> None:
    for view in views:
        view.unlink()
        tifffile.imwrite(view.with_suffix(".tif"), np.full(SHAPE, np.nan, np.float32), photometric="rgb")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such names and no such kills")
@pytest.mark.timeout(1800)
def test_a_folder_that_is_killed_twice(tmp_path: Path) -> None:
    good, bad = (980, 20) if os.environ.get("DPANET_FULL") else (40, len(BAD))
    folder, out, notes = tmp_path / "in", tmp_path / "out", tmp_path / "notes"
    names = [f"day {index % 3}/IMG_{index}" for index in range(good - 2)]
    names += [os.fsdecode(b"day 1/caf\xe9"), "day 2/two\u2028lines"]
    folder.mkdir()
    for index, name in enumerate(names):
        for side in ("left", "right"):
            view = write_view(folder / name.split("/")[0] / "view.png", index, np.uint8, SHAPE)
            view.rename(folder / f"{name}_{side}.png")
    for index in range(bad):
        make_bad(folder / f"day {index % 3}", BAD[index % len(BAD)], f"bad_{index}")

    command = [sys.executable, "-c", PROGRAM, "deblur", str(folder), "-o", str(out), "--recursive"]
    environment = os.environ | {"NOTES": str(notes)}
    for part, killing in ((1, signal.SIGKILL), (2, signal.SIGKILL)):
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as run:
            while run.poll() is None and read_notes(notes)["end"] < part * good // 3:
                time.sleep(0.001)
            run.send_signal(killing)
        assert run.returncode == -killing
    last = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert last.returncode == 1, "some pairs are bad"
    lines = last.stderr.splitlines()
    assert len(lines) == bad and all(
        line.startswith(("dpanet: error: ", "dpanet: left out: ")) and line.isprintable() for line in lines
    )
    for index in range(bad):
        assert sum(f"bad_{index}_" in line for line in lines) == 1, "each bad pair has one sentence"
    assert not list(out.rglob(".dpanet-*.partial*"))
    pictures = {path.relative_to(out).with_suffix("").as_posix() for path in out.rglob("*.png")}
    assert pictures == {*names}
    for name in names:
        assert (read_codes(out / f"{name}.png") == read_codes(folder / f"{name}_left.png")).all()
    ended = Counter(text.removeprefix("end ") for text in notes_of(notes) if text.startswith("end "))
    begun = Counter(text.removeprefix("begin ") for text in notes_of(notes) if text.startswith("begin "))
    assert max(ended.values()) == 1, "nothing is done twice"
    twice = [name for name in names if begun[name] > 1]
    assert len(twice) <= 4, "but what each kill stopped: in the network, and before it is written"

    again = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert f"0 pairs deblurred, {good} skipped" in again.stdout


def notes_of(notes: Path) -> list[str]:
    return [os.fsdecode(text) for text in notes.read_bytes().split(b"\0")[:-1]] if notes.exists() else []


def read_notes(notes: Path) -> Counter[str]:
    return Counter(text.split(" ")[0] for text in notes_of(notes))
