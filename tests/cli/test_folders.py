"""`dpanet deblur FOLDER`: folders below, camera files, what is left out."""

import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run, listing, write_view

import dpanet.camera_raw.reading
from dpanet.images.reading import read_codes
from dpanet.pair import DualPixelPair

LOG = (".dpanet.jsonl", ".lock")

pytestmark = pytest.mark.usefixtures("small_model")


def write_pair(folder: Path, name: str, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for side, seed in (("left", 1), ("right", 2)):
        write_view(folder / f"{name}_{side}{suffix}", seed)


@pytest.fixture
def raw_files(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Every raw file is read as two gray views; the list says which files were read, for which camera."""
    read = []

    def read_raw_file(path: Path, maker: str | None = None) -> DualPixelPair:
        read.append((path.name, maker))
        view = np.full((24, 32, 3), 0.5, np.float32)
        return DualPixelPair(view, view, "srgb", {"bits": 16, "gray": False})

    monkeypatch.setattr(dpanet.camera_raw.reading, "read_raw_file", read_raw_file)
    return read


def write_raw(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + bytes(64))
    return path


def test_folders_below(run: Run, tmp_path: Path) -> None:
    write_pair(tmp_path / "in" / "day 1", "a")
    write_pair(tmp_path / "in" / "day 2" / "x", "b", ".tif")
    for side in ("inputL", "inputR"):
        (tmp_path / "in" / "day 3" / side).mkdir(parents=True)
        write_view(tmp_path / "in" / "day 3" / side / "c.png", 1)
    (tmp_path / "in" / "loop").symlink_to("../in")
    out = tmp_path / "in" / "out"
    maps = ("--defocus-map", tmp_path / "in" / "maps")
    for done, skipped in ((3, 0), (0, 3)):
        result = run("deblur", tmp_path / "in", "-o", out, "--recursive", *maps)
        assert result.code == 0, result.err
        assert result.err.splitlines() == [
            f"dpanet: note: {tmp_path}/in/loop leads to a folder that is searched anyway; it is not followed"
        ]
        assert result.summary == f"{out}: {done} pairs deblurred, {skipped} skipped\n"
    pictures = [name for name in listing(out) if "." in name]
    assert pictures == [*LOG, "day 1/a.png", "day 2/x/b.tif", "day 3/c.png"]
    assert "day 2/x/b.png" in listing(tmp_path / "in" / "maps")


def test_without_the_option_folders_below_are_only_noted(run: Run, tmp_path: Path) -> None:
    write_pair(tmp_path / "in", "a")
    write_pair(tmp_path / "in" / "more", "b")
    result = run("deblur", tmp_path / "in", "-o", tmp_path / "in" / "out")
    assert result.code == 0
    assert result.err == (
        f"dpanet: note: 1 folder in {tmp_path}/in is not searched; add --recursive for the pairs there\n"
    )
    assert run("deblur", *(tmp_path / "in").glob("*.png"), "-o", tmp_path / "x.png", "--recursive").code == 2


def test_what_is_left_out_is_counted(run: Run, tmp_path: Path) -> None:
    write_pair(tmp_path / "in", "b")
    for side in ("left", "right"):
        (tmp_path / "in" / f"a_{side}.gif").touch()
        (tmp_path / "in" / f"c_{side}.png").symlink_to("gone.png")
    result = run("deblur", tmp_path / "in", "-o", tmp_path / "out")
    assert (result.code, result.summary) == (1, f"{tmp_path}/out: 1 pair deblurred, 0 skipped, 2 left out\n")
    errors = result.err.splitlines()
    assert all(line.startswith("dpanet: left out: ") for line in errors)
    assert (
        "a_right.gif are .gif, which views are not" in errors[0]
        and "c_right.png lead to no file" in errors[1]
    )
    for view in (tmp_path / "in").glob("b_*"):
        view.unlink()
    result = run("deblur", tmp_path / "in", "-o", tmp_path / "out")
    assert result.code == 1 and "contains no pair that can be deblurred" in result.err


def test_one_camera_file(run: Run, tmp_path: Path, raw_files: list[tuple[str, str | None]]) -> None:
    raw = write_raw(tmp_path / "IMG_1.CR2")
    assert run("deblur", raw, "-o", tmp_path / "sharp.tif").code == 0
    assert run("deblur", raw, "-o", tmp_path / "b.tif", "--camera", "canon").code == 0
    assert raw_files == [("IMG_1.CR2", None), ("IMG_1.CR2", "canon")]
    assert read_codes(tmp_path / "sharp.tif").shape == (24, 32, 3)
    result = run("deblur", raw, "-o", tmp_path / "c.tif", "--encoding", "linear")
    assert result.code == 2 and "--encoding" in result.sentence
    result = run("deblur", write_view(tmp_path / "a.png", 1), "-o", tmp_path / "c.tif")
    assert result.code == 2 and "a.png is only one view" in result.sentence


def test_a_damaged_camera_file_is_not_taken_for_a_view(run: Run, tmp_path: Path) -> None:
    (tmp_path / "IMG_2.CR2").write_bytes(b"what a broken card has left")
    for command in (("deblur",), ("edit", "--edit")):
        result = run(*command, tmp_path / "IMG_2.CR2", "-o", tmp_path / "c.tif")
        assert result.code == 1 and "IMG_2.CR2 cannot be read as a raw file of a camera" in result.sentence


def test_camera_files_in_a_folder(run: Run, tmp_path: Path, raw_files: list[tuple[str, str | None]]) -> None:
    for name in ("a.CR2", "b.dng", "c.CR3", "c.DNG"):
        write_raw(tmp_path / "in" / name)
    write_pair(tmp_path / "in", "d")
    for _ in range(2):
        result = run("deblur", tmp_path / "in", "-o", tmp_path / "out")
        assert result.code == 1 and re.fullmatch(
            "dpanet: left out: .*c.CR3 and .* would all become .*\n", result.err
        )
        assert listing(tmp_path / "out") == [*LOG, "a.tif", "b.tif", "d.png"]
    assert [name for name, _ in raw_files] == ["a.CR2", "b.dng"]


def test_a_hard_link_to_a_view_is_no_output(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "out.png").hardlink_to(views[0])
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--overwrite")
    assert result.code == 1 and "out.png is one of the views; write the picture elsewhere" in result.sentence


def test_transparency_is_noted_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        for side in ("left", "right"):
            write_view(tmp_path / "in" / f"{name}_{side}.png", 1, np.uint8, (24, 32, 4))
    result = run("deblur", tmp_path / "in", "-o", tmp_path / "out")
    assert result.code == 0, result.err
    assert result.err.count("\n") == 1 and "a_left.png has transparent pixels" in result.err
