"""The list of the pairs that failed is true of the last run."""

import json
from pathlib import Path

import numpy as np
import pytest

import dpanet.jobs.job
from dpanet.cli import main
from dpanet.images.writing import write_picture
from dpanet.jobs.failure_list import FAILURES, FailureList
from dpanet.pair import Picture


def names(file: Path) -> list[str]:
    return [json.loads(line)["name"] for line in file.read_text().splitlines()]


def write_pairs(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        for side in ("left", "right"):
            pixels = np.random.default_rng(len(side)).random((16, 24, 3), np.float32)
            write_picture(Picture(pixels, "srgb", {}), folder / f"{name}_{side}.png", overwrite=True)


def test_a_run_that_stops_keeps_what_it_did_not_reach(tmp_path: Path) -> None:
    file = tmp_path / FAILURES
    first = FailureList.of_file(file)
    first.begin("abcd")
    for name in "abcd":
        first.note(name, f"{name} is damaged\nsays caf\udce9")
    first.write()
    assert names(file) == [*"abcd"]

    second = FailureList.of_file(file)
    second.begin("abc")
    assert names(file) == [*"abc"], "at once, also if the run is killed"
    second.note("a", None)
    second.note("b", "still")
    second.write()  # c was not reached
    assert names(file) == ["c", "b"]
    assert json.loads(file.read_text().splitlines()[0])["error"].endswith("caf\udce9")

    third = FailureList.of_file(file)
    third.begin("bc")
    third.note("b", None)
    third.note("c", None)
    third.write()
    assert not file.exists()


def test_lines_that_are_none_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / FAILURES
    file.write_bytes(b'{"name": "a", "error": "x"}\nnonsense\n[]\n{"name": "b", "error": "y"}\n{"na')
    failures = FailureList.of_file(file)
    failures.begin(["b"])
    assert names(file) == ["b"]


def test_a_folder_lists_what_failed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    views, out = tmp_path / "in", tmp_path / "out"
    command = ["deblur", str(views), "-o", str(out), "--model", "nano", "--passes", "1"]
    write_pairs(views, "1", "2", "3", "4")
    sound = (views / "2_left.png").read_bytes()
    for name in (2, 3, 4):
        (views / f"{name}_left.png").write_bytes(b"no picture")
    assert main(command) == 1
    assert names(out / FAILURES) == ["2", "3", "4"]
    sentences = [json.loads(line)["error"] for line in (out / FAILURES).read_text().splitlines()]
    assert [f"dpanet: error: {text}" for text in sentences] == capsys.readouterr().err.splitlines()

    (views / "2_left.png").write_bytes(sound)
    for side in ("left", "right"):
        (views / f"4_{side}.png").unlink()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dpanet.jobs.job.Task, "deblur", stop)
        assert main(command) == 130
    assert names(out / FAILURES) == ["2", "3"], "4 is gone, and the others were not tried"
    assert main(command) == 1
    assert names(out / FAILURES) == ["3"]
    (views / "3_left.png").write_bytes(sound)
    assert main(command) == 0
    assert not (out / FAILURES).exists()
