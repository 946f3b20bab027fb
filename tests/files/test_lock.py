"""The lock of a folder, and what is removed from a folder when it is locked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dpanet.errors import OutputError
from dpanet.files.lock import LOCK, contains_files, lock_folder
from dpanet.files.output import atomic_output, delete_abandoned, unfinished_outputs

USERS = [
    ".backup-20240101",
    ".backup-20240101.png",
    ".notes-deadbeef",
    ".a-0123abcd.safetensors",
    "..a-0123abcd.png",
    ".dpanet-0123abcd",
    ".dpanet-partial",
    ".dpanet-20240101.partial.png",
    ".dpanet-0123456789abcdef.png",
    ".dpanet-0123456789ABCDEF.partial",
    "a.dpanet-0123456789abcdef.partial.png",
    "dpanet-0123456789abcdef.partial",
]
"""Names that a user's own files can have; each differs from the program's in at least one place."""


class KilledError(Exception):
    """Stands for the end of a process in the middle of its work."""


def leave_unfinished(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave behind what a process that is killed while it writes `path` leaves; return the file."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KilledError), atomic_output(path, overwrite=True) as unfinished:
            unfinished.write_text("half")
            raise KilledError
    assert unfinished.read_text() == "half"
    return unfinished


@pytest.mark.parametrize("name", USERS)
def test_a_users_own_file_is_never_removed(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / "inner"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    assert contains_files(tmp_path / "inner")
    lock_folder(tmp_path, "inner").release()
    assert (tmp_path / name).read_text() == (tmp_path / "inner" / name).read_text() == "mine"


def test_a_folder_with_an_unfinished_name_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = leave_unfinished(tmp_path / "a.png", monkeypatch)
    unfinished.unlink()
    unfinished.mkdir()
    lock_folder(tmp_path).release()
    assert unfinished.is_dir()


@pytest.mark.parametrize("name", ["scores.json", "a.png", "a.b.tiff", "log", f"{'x' * 240}.png"])
def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "inner").mkdir()
    left = [leave_unfinished(folder / name, monkeypatch) for folder in (tmp_path, tmp_path / "inner")]
    left.append(leave_unfinished(left[0], monkeypatch))  # written by a writer that is atomic itself
    assert all(Path(name).suffix in ("", file.suffix) for file in left)  # encoders choose by it
    assert unfinished_outputs(tmp_path / "inner") == left[1:2]
    assert not contains_files(tmp_path / "inner")
    lock_folder(tmp_path, "inner").release()
    assert not any(file.exists() for file in left)


def test_a_lock_is_no_file_of_the_folders_content(tmp_path: Path) -> None:
    assert not contains_files(tmp_path / "gone")
    lock_folder(tmp_path).release()
    assert (tmp_path / LOCK).exists()
    assert not contains_files(tmp_path)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    with pytest.raises(OutputError, match="another process writes to"):
        lock_folder(tmp_path)
    lock.release()
    lock_folder(tmp_path).release()


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot be locked there while they are renamed")
def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    code = (
        "import sys; from dpanet.files.output import atomic_output\n"
        "with atomic_output(sys.argv[1]) as unfinished: print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline()
        lock_folder(tmp_path).release()
        (unfinished,) = tmp_path.glob(".dpanet-*")
        os.utime(unfinished, (0, 0))
        delete_abandoned(tmp_path)
        assert unfinished.exists() and unfinished_outputs(tmp_path) == []
        writer.kill()
    delete_abandoned(tmp_path)
    assert not unfinished.exists()


def test_what_was_just_left_is_not_deleted_without_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = leave_unfinished(tmp_path / "a.png", monkeypatch)
    delete_abandoned(tmp_path)
    assert unfinished.exists()
    os.utime(unfinished, (0, 0))
    delete_abandoned(tmp_path)
    assert not unfinished.exists()
