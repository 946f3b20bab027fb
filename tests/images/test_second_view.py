"""The other view of a file that a photo editor names."""

import os
from pathlib import Path

import pytest

from dpanet.errors import PairError, UnreadableImageError
from dpanet.images.second_view import find_capture


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a_left.png", "a_right.png"),
        ("A 1_LEFT.tif", "A 1_Right.TIFF"),
        ("a left.png", "a right.png"),
        ("inputL/x.png", "inputR/x.tif"),
        ("inputL/x_left.png", "inputR/x_left.png"),
    ],
)
def test_either_view_leads_to_both(tmp_path: Path, left: str, right: str) -> None:
    fill(tmp_path, left, right, "b_left.png", "b_right.png", "left.png", "a.png", "c_left.png")
    for name in (left, right):
        capture = find_capture(tmp_path / name)
        assert (capture.left, capture.right) == (tmp_path / left, tmp_path / right)


def test_a_relative_path_from_inside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "inputL/x.png", "inputR/x.png", "a_left.png", "a_right.png")
    monkeypatch.chdir(tmp_path / "inputL")
    right = find_capture(Path("x.png")).right
    assert right is not None and right.samefile(tmp_path / "inputR/x.png")
    right = find_capture(Path("../a_left.png")).right
    assert right is not None and right.samefile(tmp_path / "a_right.png")


@pytest.mark.parametrize(
    ("files", "file", "says"),
    [
        (
            ["a.tif"],
            "a.tif",
            "has no second view: name the two views a_left.tif and a_right.tif in one folder",
        ),
        (["a_left.png"], "a_left.png", "name the right view a_right.png and put it into the same folder"),
        (["a left.png", "a right.gif"], "a left.png", "a right.gif is .gif, which views are not"),
        (["a left.png"], "a left.png", "name the right view a right.png and put it into the same folder"),
        (["a_RIGHT.png"], "a_RIGHT.png", "name the left view a_left.png and put it into the same folder"),
        (
            ["inputR/x.png"],
            "inputR/x.png",
            "put the left view, named x.png, into the folder inputL beside inputR",
        ),
        (
            ["a_left.png", "a_right.gif", "b_right.gif"],
            "a_left.png",
            "a_right.gif is .gif, which views are not",
        ),
        (["a_left.png", "a_right.png", "a_right.tif"], "a_left.png", "are 2 right views of one pair"),
        (["a_left.png", "b_left.png", "b_right.png"], "a_left.png", "name the right view a_right.png"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, files: list[str], file: str, says: str) -> None:
    fill(tmp_path, *files)
    with pytest.raises(PairError) as caught:
        find_capture(tmp_path / file)
    assert says in str(caught.value) and str(tmp_path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="does not exist; check the name"):
        find_capture(tmp_path / "a_left.png")
    with pytest.raises(UnreadableImageError, match="is a folder; name a picture in it"):
        find_capture(tmp_path)


def test_other_cases_of_letters_are_one_file_only_where_the_disk_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a_left.png", "a_right.png")
    os.link(tmp_path / "a_left.png", tmp_path / "A_LEFT.PNG")  # as a disk shows it that ignores cases
    assert find_capture(tmp_path / "A_LEFT.PNG").left == tmp_path / "a_left.png"
    fill(tmp_path, "B_LEFT.png", "b_left.png", "b_right.png")
    with pytest.raises(PairError, match=r"B_right\.png"):
        find_capture(tmp_path / "B_LEFT.png")
