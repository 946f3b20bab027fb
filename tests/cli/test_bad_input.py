"""Bad input: one sentence that names the file and the remedy, an exit code, nothing written."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from cli.conftest import Run, listing, write_view
from safetensors.torch import save_file

LOG = (".dpanet.jsonl", ".lock")
"""Hidden files in an output folder."""

FAILED = ".dpanet-failed.jsonl"
"""One more, if a pair failed."""

Spoil = Callable[[Path, Path], object]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def make_float(path: Path, one_value: float) -> None:
    values = np.ones((40, 56, 3), np.float32)
    values[1, 2, 0] = one_value
    tifffile.imwrite(path, values, photometric="rgb")


def make_small(left: Path, right: Path) -> None:
    for path in (left, right):
        write_view(path, 1, shape=(15, 40, 3))


def put_nan(left: Path, right: Path) -> None:
    make_float(left, 1.0)
    make_float(right, np.nan)


def put_infinity(left: Path, right: Path) -> None:
    make_float(left, np.inf)
    make_float(right, 1.0)


def make_one(left: Path, right: Path) -> None:
    right.unlink()
    right.symlink_to(left)


VIEWS: dict[str, tuple[Spoil, str]] = {
    "sizes": (
        lambda left, right: write_view(right, 1, shape=(40, 57, 3)),
        r"l\.png is 56 x 40 .*r\.png is 57 x 40 px; give",
    ),
    "depths": (
        lambda left, right: write_view(right, 1, np.uint8),
        r"l\.png is 16-bit and .*r\.png .*8-bit; export both",
    ),
    "missing": (lambda left, right: right.unlink(), r"r\.png does not exist; check"),
    "empty": (lambda left, right: right.write_bytes(b""), r"r\.png is empty; export"),
    "truncated": (
        lambda left, right: truncate(right),
        r"r\.png is a (truncated|damaged) PNG.*; export or copy",
    ),
    "no picture": (
        lambda left, right: right.write_text("hello, world"),
        r"r\.png is .*text.*; (export|name)",
    ),
    "small": (make_small, r"l\.png is 40 x 15 px; at least 16 px .* so give a larger"),
    "nan": (put_nan, r"r\.png contains NaN or infinity; .* repair"),
    "infinity": (put_infinity, r"l\.png contains NaN or infinity; .* repair"),
    "one twice": (make_one, r"l\.png was given for both views; name"),
}


@pytest.mark.parametrize(("spoil", "says"), VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.usefixtures("small_model")
def test_views(run: Run, views: tuple[Path, Path], tmp_path: Path, spoil: Spoil, says: str) -> None:
    spoil(*views)
    before = listing(tmp_path)
    result = run("deblur", *views, "-o", tmp_path / "out.png")
    assert result.code == 1
    assert re.search(says, result.sentence), result.sentence
    assert listing(tmp_path) == before


@pytest.mark.parametrize("kind", ["jpg", "tif"])
@pytest.mark.usefixtures("small_model")
def test_other_truncated_formats(run: Run, tmp_path: Path, kind: str) -> None:
    views = [write_view(tmp_path / f"{side}.{kind}", 1, np.uint8) for side in "lr"]
    truncate(views[1])
    result = run("deblur", *views, "-o", tmp_path / "out.png")
    assert result.code == 1
    assert f"r.{kind} is a truncated" in result.sentence and "copy it again" in result.sentence
    assert listing(tmp_path) == [f"l.{kind}", f"r.{kind}"]


@pytest.mark.usefixtures("small_model")
def test_raw_views_of_another_size_or_kind(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--camera", "pixel4")
    assert result.code == 1
    assert "l.png" in result.sentence and "1512 rows x 2016 columns" in result.sentence
    assert listing(tmp_path) == ["l.png", "r.png"]


class Runs:
    """A pickle of this one makes a file when it is opened carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_checkpoints(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.ones(300)}, other)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(other.read_bytes()[:-200])
    evil = tmp_path / "evil.pth"
    torch.save({"G_state_dict": Runs(tmp_path / "trap")}, evil)
    bare = tmp_path / "bare.pth"
    bare.write_bytes(pickle.dumps(Runs(tmp_path / "trap")))
    strange = tmp_path / "strange.pth"
    torch.save({"G_state_dict": {"module.conv.weight": torch.ones(3)}}, strange)
    half = tmp_path / "half.pth"
    half.write_bytes(strange.read_bytes()[:-300])
    before = listing(tmp_path)
    for path in (other, cut, evil, bare, strange, half, tmp_path / "gone.safetensors"):
        result = run("deblur", *views, "-o", tmp_path / "out.png", "--model", path)
        assert (result.code, path.name in result.sentence) == (1, True), result.err
        if path.suffix == ".pth":
            result = run("convert", path, tmp_path / "out.safetensors")
            assert (result.code, path.name in result.sentence) == (1, True), result.err
    assert listing(tmp_path) == before, "nothing written, and no code run"


@pytest.mark.usefixtures("small_model")
def test_an_output_that_exists(run: Run, views: tuple[Path, Path], folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_text("mine")
    result = run("deblur", *views, "-o", out)
    assert (result.code, out.read_text()) == (1, "mine")
    assert "out.png exists already" in result.sentence and "--overwrite" in result.sentence
    foreign = write_view(tmp_path / "out" / "10.png", 1)
    before = foreign.read_bytes()
    result = run("deblur", folder, "-o", tmp_path / "out")
    assert (result.code, foreign.read_bytes()) == (1, before) and "10.png; move it elsewhere" in result.err
    (tmp_path / "w.safetensors").touch()
    result = run("convert", "a.pth", tmp_path / "w.safetensors")
    assert result.code == 1 and "w.safetensors exists already" in result.sentence


@pytest.mark.usefixtures("small_model")
def test_an_output_over_a_view(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    before = views[0].read_bytes()
    result = run("deblur", *views, "-o", tmp_path / "." / "l.png", "--overwrite")
    assert result.code == 1 and "l.png is one of the views; write" in result.sentence
    assert views[0].read_bytes() == before


@pytest.mark.usefixtures("small_model")
def test_an_unwritable_folder(
    run: Run, views: tuple[Path, Path], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    usual = os.open

    def guarded(path: str | Path, *more: int, **options: int) -> int:
        if str(path).startswith(str(closed)):
            raise PermissionError(13, "Permission denied")  # chmod would not stop the administrator
        return usual(path, *more, **options)

    monkeypatch.setattr(os, "open", guarded)
    before = listing(tmp_path)
    for arguments in (
        (*views, "-o", closed / "out.png"),
        (folder, "-o", closed),
        (folder, "-o", closed / "new"),
    ):
        result = run("deblur", *arguments)
        assert result.code == 1
        assert "closed" in result.sentence and "choose a folder that may be written to" in result.sentence
    result = run("deblur", *views, "-o", tmp_path / "nowhere" / "out.png")
    assert result.code == 1 and "nowhere does not exist; create it first" in result.sentence
    assert listing(tmp_path) == before


@pytest.mark.usefixtures("small_model")
def test_a_folder_with_unpaired_files(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "2_right.png").unlink()
    write_view(folder / "7_right.png", 7)
    result = run("deblur", folder, "-o", tmp_path / "out")
    assert (result.code, result.summary) == (
        1,
        f"{tmp_path / 'out'}: 2 pairs deblurred, 0 skipped, 2 left out\n",
    )
    assert [line.split("/in/")[1].split(";")[0] for line in result.err.splitlines()] == [
        "2_left.png has no right view",
        "7_right.png has no left view",
    ]
    assert listing(tmp_path / "out") == [*LOG, "1.png", "10.png"]


@pytest.mark.usefixtures("small_model")
def test_one_bad_pair_does_not_stop_the_others(run: Run, folder: Path, tmp_path: Path) -> None:
    truncate(folder / "1_left.png")
    result = run("deblur", folder, "-o", tmp_path / "out")
    assert result.code == 1 and "1_left.png is a truncated" in result.sentence
    assert listing(tmp_path / "out") == [FAILED, *LOG, "10.png", "2.png"]


@pytest.mark.usefixtures("small_model")
def test_a_setting_impossible_for_one_size_does_not_stop_the_others(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    for side in ("left", "right"):
        write_view(folder / f"1_{side}.png", 1, shape=(16, 16, 3))
        write_view(folder / f"2_{side}.png", 1, shape=(40, 16, 3))
    result = run("deblur", folder, "-o", tmp_path / "out", "--tile", "18")
    assert (result.code, listing(tmp_path / "out")) == (1, [FAILED, *LOG, "1.png"])
    lines = result.err.splitlines()
    assert len(lines) == 2, "one sentence for each of the pairs 2 and 10"
    for name, line in zip(("2", "10"), lines, strict=True):
        assert (
            f"{name}_left.png: tile is 18 px; for a picture of this size the network needs at least 32"
            in line
        )


@pytest.mark.usefixtures("small_model")
def test_a_folder_without_any_pair(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "photo.png"), np.zeros((20, 20), np.uint8))
    result = run("deblur", tmp_path / "in", "-o", tmp_path / "out")
    assert result.code == 1 and "contains no views" in result.sentence
    result = run("deblur", tmp_path / "gone", "-o", tmp_path / "out")
    assert result.code == 1 and "gone does not exist; check" in result.sentence
    assert listing(tmp_path) == ["in", "in/photo.png"]


MISUSES = {
    "tile": (["--tile", "big"], "--tile is 'big'; give auto"),
    "small tile": (
        ["--tile", "17"],
        "tile is 17 px; for a picture of this size the network needs at least 32",
    ),
    "suffix": (["-o", "OUT.jpg"], "choose one of these"),
    "camera and levels": (["--camera", "pixel4", "--black-level", "1", "--white-level", "9"], "leave out"),
    "camera and encoding": (["--camera", "pixel4", "--encoding", "linear"], "leave out"),
    "half the levels": (["--white-level", "1023"], "give both"),
    "levels turned round": (["--white-level", "5", "--black-level", "9"], "white above it"),
    "levels of display values": (
        ["--white-level", "9", "--black-level", "5", "--encoding", "srgb"],
        "leave out",
    ),
    "flat field": (["--flat-field", "a.png", "b.png"], "add --camera"),
    "device": (["--device", "mps"], "choose one of these"),
    "numbered device": (["--device", "cuda:7"], "device is 'cuda:7', but torch finds only"),
    "unknown device": (["--device", "tpu"], "device is 'tpu'; it must be one of auto, cpu"),
}


@pytest.mark.parametrize(("options", "says"), MISUSES.values(), ids=MISUSES.keys())
@pytest.mark.usefixtures("small_model")
def test_misuse(run: Run, views: tuple[Path, Path], tmp_path: Path, options: list[str], says: str) -> None:
    if "-o" not in options:
        options = [*options, "-o", "OUT.png"]
    result = run("deblur", *views, *(option.replace("OUT", str(tmp_path / "out")) for option in options))
    assert result.code == 2 and says in result.sentence
    assert listing(tmp_path) == ["l.png", "r.png"]


@pytest.mark.usefixtures("small_model")
def test_files_and_folders_mixed_up(run: Run, views: tuple[Path, Path], folder: Path, tmp_path: Path) -> None:
    before = listing(tmp_path)
    for arguments, says in (
        ((views[0], "-o", tmp_path / "out.png"), "is only one view; give"),
        ((folder, "-o", tmp_path / "out.png"), "names a picture"),
        ((folder, views[0], "-o", tmp_path / "out.png"), "are not two files"),
    ):
        result = run("deblur", *arguments)
        assert result.code == 2 and says in result.sentence
    result = run("deblur", *views, "-o", folder)
    assert result.code == 2 and "choose one of these" in result.sentence
    assert listing(tmp_path) == before
