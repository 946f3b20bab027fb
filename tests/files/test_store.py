import json
import os
from pathlib import Path

import pytest

from dpanet.errors import OutputError
from dpanet.files.store import Store, digest, file_identity, first_difference

KEY = {"model": "abc", "options": {"tile": 512}}


def written(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text(name)
    return file


def test_a_result_is_found_again_with_its_key_alone(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add("one", KEY, {"psnr": 30.5}, [written(tmp_path, "one.png")])
    with Store(tmp_path) as store:
        assert store.find("one", {"options": {"tile": 512}, "model": "abc"}) == {"psnr": 30.5}
        assert store.find("one", KEY | {"options": {"tile": 256}}) is None
        assert store.find("two", KEY) is None


def test_a_result_without_its_file_does_not_count(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add("one", KEY, 1, [written(tmp_path, "one.png")])
        (tmp_path / "one.png").unlink()
        assert store.find("one", KEY) is None


def test_a_killed_run_resumes(tmp_path: Path) -> None:
    """The lock ends with its process; a line that was cut off is skipped."""
    store = Store(tmp_path)
    store.add("one", KEY, 1)
    store._lock.release()
    with store.log.open("a") as log:
        log.write('{"name": "two", "key": "')
    with Store(tmp_path) as again:
        assert list(again.entries) == ["one"]
        assert again.find("one", KEY) == 1
    assert len(store.log.read_text().splitlines()) == 1


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(OutputError, match="another process writes to"):
        Store(tmp_path)


def test_replaced_and_removed_results_take_their_own_files_with_them(tmp_path: Path) -> None:
    own = written(tmp_path, "notes.txt")
    with Store(tmp_path) as store:
        store.add("one", KEY, 1, [written(tmp_path, "old.png"), written(tmp_path, "kept.png")])
        store.add("one", KEY | {"model": "def"}, 2, [written(tmp_path, "kept.png")])
        assert sorted(p.name for p in tmp_path.glob("*.png")) == ["kept.png"]
        store.remove("one")
    assert not list(tmp_path.glob("*.png"))
    assert own.exists()


def test_an_edited_log_cannot_delete_files_elsewhere(tmp_path: Path) -> None:
    outside = written(tmp_path, "precious.txt")
    folder = tmp_path / "results"
    folder.mkdir()
    for file in (str(outside), "../precious.txt"):
        line = {"name": "one", "key": digest(KEY), "value": 1, "files": [file]}
        (folder / "results.jsonl").write_text(json.dumps(line) + "\n")
        with Store(folder) as store:
            store.remove("one")
        assert outside.exists()


def test_the_log_is_rewritten_in_order(tmp_path: Path) -> None:
    with Store(tmp_path, order=int) as store:
        for name in ("10", "2", "1"):
            store.add(name, KEY, name)
    assert [json.loads(line)["name"] for line in store.log.read_text().splitlines()] == ["1", "2", "10"]


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    file = written(tmp_path, "a.png")
    before = file_identity(file)
    file.write_text("longer than before")
    assert file_identity(file) != before


def test_the_first_difference_is_named() -> None:
    assert first_difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}) == "b.c"
    assert first_difference({"a": 1}, {"a": 1, "d": 2}) == "d"
    assert first_difference({"a": 1}, {"a": 1}) == ""


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\nb", os.fsdecode(b"caf\xe9")])
def test_any_name_is_found_again(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with Store(tmp_path) as store:
            assert store.find("other", KEY) in (None, 2)
            store.add(name, KEY, 1)
            store.add("other", KEY, 2)
        with Store(tmp_path) as store:
            assert (store.find(name, KEY), store.find("other", KEY)) == (1, 2)


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("one", "two"):
        store.add(name, KEY, 1)
        with store.log.open("a") as log:
            log.write('{"name": "th')  # as two processes that are killed leave it
    store._lock.release()
    with Store(tmp_path) as again:
        assert list(again.entries) == ["one", "two"]


def test_a_log_that_is_in_order_is_not_written_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add("one", KEY, 1)
    before = store.log.stat().st_ino
    with Store(tmp_path) as store:
        assert store.find("one", KEY) == 1
    assert store.log.stat().st_ino == before
