from pathlib import Path

import pytest

from dpanet.errors import PairError
from dpanet.images.pairing import find_pairs


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


def test_pairs_by_name_in_natural_order(tmp_path: Path) -> None:
    fill(
        tmp_path, "b10_left.png", "b10_right.png", "b2_right.TIF", "b2_left.png", "a_left.jpg", "a_right.jpg"
    )
    pairs, unpaired = find_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["a", "b2", "b10"]
    assert (pairs[1].left.name, pairs[1].right.name) == ("b2_left.png", "b2_right.TIF")
    assert unpaired == []


def test_a_missing_view_does_not_shift_the_others(tmp_path: Path) -> None:
    fill(tmp_path, "1_left.png", "1_right.png", "2_right.png", "3_left.png", "3_right.png", "4_left.png")
    pairs, unpaired = find_pairs(tmp_path)
    assert [(pair.left.name, pair.right.name) for pair in pairs] == [
        ("1_left.png", "1_right.png"),
        ("3_left.png", "3_right.png"),
    ]
    assert unpaired == ["2_right.png", "4_left.png"]


def test_two_candidates_are_not_guessed_at(tmp_path: Path) -> None:
    fill(tmp_path, "1_left.png", "1_left.tif", "1_right.png", "2_left.png", "2_right.png")
    pairs, unpaired = find_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["2"]
    assert unpaired == ["1_left.png", "1_left.tif", "1_right.png"]


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, "1_left.png", "1_right.png", "1_left.txt", "truth.png", "._1_left.png", "more/2_left.png")
    pairs, unpaired = find_pairs(tmp_path)
    assert ([pair.name for pair in pairs], unpaired) == (["1"], [])


def test_folders_of_views(tmp_path: Path) -> None:
    fill(tmp_path, "inputL/1.png", "inputR/1.png", "inputL/2.png", "inputR/3.png", "target/1.png")
    pairs, unpaired = find_pairs(tmp_path)
    assert [(pair.name, pair.left.parent.name, pair.right.parent.name) for pair in pairs] == [
        ("1", "inputL", "inputR")
    ]
    assert unpaired == ["inputL/2.png", "inputR/3.png"]


def test_nothing_to_pair(tmp_path: Path) -> None:
    with pytest.raises(PairError, match="contains no views"):
        find_pairs(fill(tmp_path, "a.png"))
    with pytest.raises(PairError, match="is not a folder"):
        find_pairs(tmp_path / "gone")
