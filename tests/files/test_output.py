"""One file, whole or not at all, under any name and through links."""

import errno
import os
from pathlib import Path

import pytest

from dpanet.errors import OutputError
from dpanet.files.output import atomic_output, prepare_output


def write(path: Path, text: str, overwrite: bool = False) -> None:
    prepare_output(path, overwrite)
    with atomic_output(path, overwrite) as unfinished:
        unfinished.write_text(text)


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    for name in ("there", "here"):
        (tmp_path / name).mkdir()
    target, link = tmp_path / "there" / "a.png", tmp_path / "here" / "b.png"
    link.symlink_to("../there/a.png")
    write(link, "one")
    with pytest.raises(OutputError, match=r"b\.png exists already"):
        write(link, "two")
    write(link, "three", overwrite=True)
    assert link.is_symlink() and target.read_text() == "three"
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a.png"]
    target.parent.joinpath("a.png").unlink()
    target.parent.rmdir()
    with pytest.raises(OutputError, match="there does not exist; create it first"):
        write(link, "four")


def test_a_hard_link_keeps_what_it_had(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    write(tmp_path / "b", "new", overwrite=True)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("old", "new")


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".png", "é" * 125 + ".tiff", os.fsdecode(b"\xff" * 255), "a\nb.png"]
)
def test_names_that_are_as_long_as_can_be(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_names_that_are_too_long(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        prepare_output(tmp_path / ("x" * 252 + ".png"))


def test_a_pipe_is_no_output(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(OutputError, match="is not a regular file"):
        prepare_output(tmp_path / "a.png", overwrite=True)


def test_a_name_in_an_error_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\n\xff.png")
    path.touch()
    with pytest.raises(OutputError) as caught:
        prepare_output(path)
    assert r"a\n\xff.png exists already" in str(caught.value)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a", "old")

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=r"a cannot be written \(No space left on device\); free space"):
        write(tmp_path / "a", "new", overwrite=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
