import json
import multiprocessing
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cli.conftest import Run, listing

from dpanet.datasets import open_dataset
from dpanet.errors import DatasetError
from dpanet.files.lock import lock_folder
from dpanet.files.store import digest
from dpanet.simulation.replay import replay
from dpanet.simulation.scene_config import LENSES
from dpanet.simulation.scene_folder import SceneFolder, encode_scene, scene_files


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(2):
        codes = np.random.default_rng(seed).integers(0, 256, (80, 100, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.GaussianBlur(codes, (0, 0), 2))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def half_written(folder: Path) -> list[str]:
    return [name for name in listing(folder) if "/." in f"/{name}" and name != ".lock"]


@pytest.fixture
def lens(tmp_path: Path) -> Path:
    """A calibration of one cell."""
    folder = tmp_path / "lens"
    folder.mkdir()
    x = np.exp(-((np.arange(61) - 28) ** 2) / 60)
    np.save(folder / "blur_kernels_left.npy", (x * x[:, None])[None])
    np.save(folder / "blur_kernels_right.npy", (x[::-1] * x[:, None])[None])
    return folder


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """Depth maps of both photographs: all in focus at 2 m, and a step from there to 4 m."""
    folder = tmp_path / "depth"
    folder.mkdir()
    np.save(folder / "0.npy", np.full((80, 100), 2.0))
    cv2.imwrite(str(folder / "1.png"), np.repeat(np.uint16([[2000, 4000]]), 50, 1).repeat(80, 0))
    return folder


def test_folders_and_commands_with_the_former_word_half_disc_go_on(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    """A folder of the time when the disc with a ramp was called half-disc: same scenes, more, and replayed."""
    out = tmp_path / "out"
    command = ["simulate", photographs, "-o", out, "--seed", 1, "--size", 32, "--count"]
    assert run(*command, 1).code == 0
    settings = json.loads((out / "settings.json").read_text())
    assert settings["psf"] == {"family": "ramped-disc"}
    assert settings["scenes"]["mild_ramp"] == LENSES["mild_ramp"] > 0.5
    settings["psf"] = {"family": "half-disc"}
    log = json.loads((out / "scenes.jsonl").read_text())
    log["key"] = digest({"config": digest(settings), "index": 0, "files": []})
    (out / "settings.json").write_text(json.dumps(settings))
    (out / "scenes.jsonl").write_text(json.dumps(log) + "\n")
    assert "0 scenes made, 1 in all" in run(*command, 1, "--psf", "half-disc").out
    assert "1 scene made, 2 in all" in run(*command, 2).out
    for part, data in encode_scene(replay(out, "000001", photographs)).items():
        assert scene_files(out, "000001")[part].read_bytes() == data


@pytest.mark.parametrize("psf", ["ramped-disc", "butterworth", "measured:lens"])
def test_pairs_that_can_be_evaluated_as_they_are(
    run: Run, photographs: Path, lens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, psf: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("simulate", photographs, "-o", "out", "--count", 3, "--seed", 1, "--size", 48, "--psf", psf)
    assert (result.code, result.err) == (0, "") and "3 scenes made, 3 in all" in result.out
    dataset = open_dataset(tmp_path / "out", "pairs")
    assert [scene.name for scene in dataset.scenes] == ["000000", "000001", "000002"]
    assert dataset.bits == 16
    for scene in dataset.scenes:
        capture = scene.load()
        assert capture.truth.pixels.shape == capture.pair.left.shape == (48, 48, 3)


def test_the_same_command_goes_on_and_a_larger_count_adds(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    command = ["simulate", photographs, "-o", tmp_path / "out", "--seed", 1, "--size", 32, "--count"]
    assert "2 scenes made, 2 in all" in run(*command, 2).out
    before = files(tmp_path / "out")
    assert "0 scenes made, 2 in all" in run(*command, 2).out
    assert files(tmp_path / "out") == before
    assert "1 scene made, 3 in all" in run(*command, 3).out
    other = run(*command, 2, "--psf", "butterworth")
    assert other.code == 1 and "made with psf.family ramped-disc, not butterworth;" in other.sentence
    assert run(*command, 1, "--psf", "butterworth", "--overwrite").code == 0
    assert len(listing(tmp_path / "out")) == 8


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--count", "0"], 2, "--count is 0"),
        (["--workers", "0"], 2, "--workers is 0"),
        (["--seed", "-1"], 2, "seed is -1"),
        (["--size", "8"], 2, "size is 8"),
        (["--psf", "gauss"], 2, "'gauss'"),
        (["--psf", "measured:"], 2, "measured:FOLDER"),
        (["--psf", "measured:nowhere"], 2, "nowhere"),
    ],
)
def test_misuse_is_refused_before_anything_is_written(
    run: Run, photographs: Path, tmp_path: Path, options: list[str], code: int, says: str
) -> None:
    values = {
        "--count": "1",
        "--seed": "1",
        "--size": "32",
        **dict(zip(options[::2], options[1::2], strict=True)),
    }
    result = run(
        "simulate", photographs, "-o", tmp_path / "out", *(part for pair in values.items() for part in pair)
    )
    assert result.code == code and says in result.sentence
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "missing"),
    [([], "PHOTOS"), (["photos", "-o", "out", "--count", 1], "--seed"), (["photos"], "--output")],
)
def test_what_is_needed_is_named(run: Run, words: list[object], missing: str) -> None:
    result = run("simulate", *words)
    assert result.code == 2 and missing in result.sentence


def test_a_folder_without_photographs(run: Run, tmp_path: Path) -> None:
    result = run("simulate", tmp_path, "-o", tmp_path / "out", "--count", 1, "--seed", 1)
    assert result.code == 1 and "holds no photographs" in result.sentence


def test_a_corrupt_photograph_is_named_before_anything_is_written(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    """Its header and its end are whole, so the fault shows only when it is decoded."""
    data = bytearray((photographs / "1.png").read_bytes())
    data[len(data) // 2] ^= 255
    (photographs / "1.png").write_bytes(data)
    result = run("simulate", photographs, "-o", tmp_path / "out", "--count", 12, "--seed", 1, "--size", 32)
    assert result.code == 1 and "1.png is a damaged PNG" in result.sentence
    assert result.sentence.startswith("1 of the 2 photographs") and not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_damage_in_the_middle_of_a_run_keeps_what_is_finished(
    run: Run, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """All photographs but the first are cut after the check at the start, as by a copy that goes on meanwhile."""
    command = ["simulate", photographs, "-o", tmp_path / "out", "--count", 40, "--seed", 1, "--size", 32]
    first = photographs / "0.png"
    whole = {photographs / f"{number}.png": first.read_bytes() for number in range(1, 12)}
    for path, data in whole.items():
        path.write_bytes(data)
    add = SceneFolder.add

    def add_then_cut(folder: SceneFolder, scene: dict[str, Any]) -> None:
        add(folder, scene)
        for path in whole:
            path.write_bytes(whole[path][: len(whole[path]) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(SceneFolder, "add", add_then_cut)
        result = run(*command, "--workers", workers)
    assert result.code == 1 and re.search(r"\d+\.png is a (truncated|damaged) PNG", result.sentence)
    finished = (tmp_path / "out" / "scenes.jsonl").read_text().count("\n")
    assert 0 < finished < 40 and half_written(tmp_path / "out") == []
    for path, data in whole.items():
        path.write_bytes(data)
    assert f"{40 - finished} scenes made, 40 in all" in run(*command, "--workers", 1).out
    assert half_written(tmp_path / "out") == []


def test_a_worker_that_dies_is_one_sentence(
    run: Run, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["simulate", photographs, "-o", tmp_path / "out", "--count", 40, "--seed", 1, "--size", 32]
    add = SceneFolder.add

    def add_then_kill_a_worker(folder: SceneFolder, scene: dict[str, Any]) -> None:
        add(folder, scene)
        for worker in multiprocessing.active_children()[:1]:
            worker.kill()

    with monkeypatch.context() as patch:
        patch.setattr(SceneFolder, "add", add_then_kill_a_worker)
        result = run(*command, "--workers", 2)
    assert result.code == 1 and "worker process ended" in result.sentence
    assert 0 < (tmp_path / "out" / "scenes.jsonl").read_text().count("\n") < 40
    assert run(*command, "--workers", 1).code == 0
    assert len(open_dataset(tmp_path / "out", "pairs").scenes) == 40
    assert half_written(tmp_path / "out") == []


KILLED_AT_THE_FOURTH = """
import os, signal, sys
from dpanet.cli import main
from dpanet.simulation.scene_folder import SceneFolder

add = SceneFolder.add

def add_three(folder, scene):
    if len(folder) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    add(folder, scene)

SceneFolder.add = add_three
sys.exit(main(sys.argv[1:]))
"""
"""A program that is killed between the files of the fourth scene and its line in the log."""


def test_killed_and_started_again_it_ends_with_the_same_bytes(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    def command(out: str) -> list[str]:
        return [
            "simulate",
            str(photographs),
            "-o",
            str(tmp_path / out),
            "--count",
            "30",
            "--seed",
            "2",
            "--size",
            "32",
        ]

    process = subprocess.run(
        [sys.executable, "-c", KILLED_AT_THE_FOURTH, *command("killed"), "--workers", "1"]
    )
    assert process.returncode == -signal.SIGKILL
    assert (tmp_path / "killed" / "scenes.jsonl").read_bytes().count(b"\n") == 3
    assert (tmp_path / "killed" / "000003_left.png").exists(), "written, but not in the log"
    assert run(*command("killed")).code == 0
    assert run(*command("whole")).code == 0
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_photographs_with_depth_maps_through_a_lens(run: Run, photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "depth").mkdir()
    np.save(tmp_path / "depth" / "0.npy", np.full((80, 100), 2.0))
    cv2.imwrite(str(tmp_path / "depth" / "1.png"), np.full((80, 100), 4000, np.uint16))
    command = ["simulate", photographs, "-o", tmp_path / "out", "--count", 2, "--seed", 1, "--depth",
               tmp_path / "depth"]  # fmt: skip
    result = run(*command)
    assert result.code == 2 and "--lens" in result.sentence
    command[-1] = tmp_path / "deep"
    result = run(*command, "--lens", "f=50,N=2,focus=2,pitch=25")
    assert result.code == 1 and "deep is no folder; name one with a depth map" in result.sentence
    command[-1] = tmp_path / "depth"
    result = run(*command, "--lens", "f=500,N=1,focus=1,pitch=1")
    assert result.code != 0 and "blur" in result.sentence, "too strong, and no reason to begin elsewhere"
    assert run(*command, "--lens", "f=50,N=2,focus=2,pitch=25").code == 0
    sharp, blurred = (scene.load() for scene in open_dataset(tmp_path / "out", "pairs").scenes)
    assert sharp.truth.pixels.shape == (80, 100, 3)
    error = [np.abs(c.pair.combined.pixels - c.truth.pixels).mean() for c in (sharp, blurred)]
    assert error[0] < 0.02 and error[1] > 2 * error[0]
    stored = {part: path.read_bytes() for part, path in scene_files(tmp_path / "out", "000001").items()}
    assert encode_scene(replay(tmp_path / "out", "000001", photographs, depth=tmp_path / "depth")) == stored
    with pytest.raises(DatasetError, match="depth maps"):
        replay(tmp_path / "out", "000001", photographs)


def test_a_folder_without_kernels_is_refused_by_the_name_of_the_missing_file(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    result = run("simulate", photographs, "-o", tmp_path / "out", "--count", 1, "--seed", 1, "--psf",
                 f"measured:{photographs}")  # fmt: skip
    assert result.code == 2 and "blur_kernels_left.npy is missing; name a folder with" in result.sentence
    assert "Errno" not in result.sentence and not (tmp_path / "out").exists()


@pytest.mark.parametrize("psf", ["butterworth", "measured:lens"])
def test_depth_maps_through_either_lens_alike_by_one_worker_and_two(
    run: Run,
    photographs: Path,
    lens: Path,
    maps: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    psf: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for workers in (1, 2):
        result = run("simulate", photographs, "-o", f"out{workers}", "--count", 2, "--seed", 2, "--depth", maps,
                     "--lens", "f=50,N=2,focus=2,pitch=25", "--psf", psf, "--workers", workers)  # fmt: skip
        assert (result.code, result.err) == (0, "")
    assert files(tmp_path / "out1") == files(tmp_path / "out2")
    flat, step = (scene.load() for scene in open_dataset(tmp_path / "out1", "pairs").scenes)
    assert np.abs(flat.pair.left - flat.truth.pixels).mean() < 0.02, "in focus"
    error = np.abs(step.pair.left - step.truth.pixels).mean((0, 2))
    assert error[60:].mean() > 2 * error[:40].mean()
    apart = np.abs(step.pair.left - step.pair.right).mean((0, 2))
    assert apart[60:].mean() > 2 * apart[:40].mean()


@pytest.mark.parametrize("psf", ["butterworth", "measured:lens"])
def test_random_scenes_through_either_lens_alike_by_one_worker_and_two(
    run: Run, photographs: Path, lens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, psf: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for workers in (1, 2):
        result = run("simulate", photographs, "-o", f"out{workers}", "--count", 3, "--seed", 1, "--size", 32,
                     "--psf", psf, "--workers", workers)  # fmt: skip
        assert result.code == 0
    assert files(tmp_path / "out1") == files(tmp_path / "out2")


def test_a_lens_or_map_that_does_not_fit_is_refused_before_anything_is_written(
    run: Run, photographs: Path, maps: Path, tmp_path: Path
) -> None:
    """The first photograph is in focus and could be simulated; the second cannot."""
    command = ["simulate", photographs, "-o", tmp_path / "out", "--seed", 1, "--depth", maps, "--lens"]
    for lens in ("f=50,N=2,focus=2,pitch=1", "f=50,N=2,focus=2,pitch=25,curvature=60"):
        result = run(*command, lens, "--count", 2)
        assert result.code == 2 and "px are simulated" in result.sentence
        assert not (tmp_path / "out").exists()
    result = run(*command, "f=50,N=2,focus=2,pitch=25", "--count", 2, "--size", 90)
    assert result.code == 2 and "size is 90 px" in result.sentence
    cv2.imwrite(str(maps / "1.png"), np.full((80, 99), 4000, np.uint16))
    result = run(*command, "f=50,N=2,focus=2,pitch=25", "--count", 2)
    assert result.code == 1 and "1.png is 99 x 80 px, its photograph 100 x 80" in result.sentence
    assert not (tmp_path / "out").exists()
    assert run(*command, "f=50,N=2,focus=2,pitch=25", "--count", 1).code == 0, "it is not needed"


def test_another_process_that_writes_there_is_one_sentence(
    run: Run, photographs: Path, tmp_path: Path
) -> None:
    command = ["simulate", photographs, "-o", tmp_path / "out", "--count", 1, "--seed", 1, "--size", 32]
    lock = lock_folder(tmp_path / "out")
    for extra in ([], ["--overwrite"]):
        result = run(*command, *extra)
        assert result.code == 1 and "another process writes to" in result.sentence
    assert listing(tmp_path / "out") == [".lock"]
    lock.release()
    assert run(*command).code == 0


def test_wide_kernels_are_scaled_as_far_as_they_fit(run: Run, photographs: Path, tmp_path: Path) -> None:
    for side in ("left", "right"):
        np.save(tmp_path / f"blur_kernels_{side}.npy", np.ones((1, 81, 81)))
    result = run("simulate", photographs, "-o", tmp_path / "out", "--count", 1, "--seed", 1, "--size", 32,
                 "--psf", f"measured:{tmp_path}")  # fmt: skip
    assert result.code == 0
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["scenes"]["scale"] == 98 / 81
