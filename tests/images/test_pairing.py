"""Captures of a folder: what is paired, and what is left out with which reason."""

import os
import time
from pathlib import Path

import pytest

from dpanet.errors import PairError
from dpanet.images.pairing import FoundPairs, find_pairs


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    return folder


def names(found: FoundPairs) -> list[str]:
    return [pair.name for pair in found.pairs]


def test_pairs_by_name_in_natural_order(tmp_path: Path) -> None:
    fill(
        tmp_path, "b10_left.pgm", "b10_right.pgm", "b2_right.TIF", "b2_left.png", "a_left.jpg", "a_right.jpg"
    )
    found = find_pairs(tmp_path)
    assert names(found) == ["a", "b2", "b10"]
    pair = found.pairs[1]
    assert pair.right is not None and (pair.left.name, pair.right.name) == ("b2_left.png", "b2_right.TIF")
    assert (found.problems, found.notes) == ([], [])


def test_a_space_before_the_side_is_as_good_as_an_underscore(tmp_path: Path) -> None:
    fill(tmp_path, "A left.png", "A right.png", "B 1_Left.png", "B 1 RIGHT.png", "upright.png", "c_left.png")
    found = find_pairs(tmp_path)
    assert [(pair.name, pair.left.name) for pair in found.pairs] == [
        ("A", "A left.png"),
        ("B 1", "B 1_Left.png"),
    ]
    assert len(found.problems) == 1 and "c_left.png has no right view" in found.problems[0]
    fill(tmp_path, "A_left.png")
    assert "A_left.png are 2 left views of one pair" in find_pairs(tmp_path).problems[0]


def test_a_missing_view_does_not_shift_the_others(tmp_path: Path) -> None:
    fill(tmp_path, "1_left.png", "1_right.png", "2_right.png", "3_left.png", "3_right.png", "4_left.png")
    found = find_pairs(tmp_path)
    assert [(pair.left.name, pair.right and pair.right.name) for pair in found.pairs] == [
        ("1_left.png", "1_right.png"),
        ("3_left.png", "3_right.png"),
    ]
    assert len(found.problems) == 2
    assert "2_right.png has no left view" in found.problems[0]
    assert "4_left.png has no right view" in found.problems[1]


def link(folder: Path, name: str, target: str) -> None:
    (folder / name).symlink_to(target)


@pytest.mark.parametrize(
    ("files", "links", "says"),
    [
        (
            ["a_left.gif", "a_right.heic"],
            {},
            ["a_left.gif is .gif, which views are not; export it", "is .heic"],
        ),
        (
            ["a_left.BMP", "a_right.png"],
            {},
            ["a_left.BMP is .bmp, which views", "or TIFF (views are .png, .tif"],
        ),
        (["a_left", "a_right"], {}, ["a_left and ", "a_right are without a suffix, which views are not"]),
        (["a_left.CR2", "a_right.CR2"], {}, ["a_right.CR2 are .cr2", "export them as PNG or TIFF"]),
        (["a_left.png"], {"a_right.png": "gone.png"}, ["a_right.png leads to no file; mend the link"]),
        (
            [],
            {"a_left.png": "gone", "a_right.png": "a_right.png"},
            ["a_left.png and ", "a_right.png lead to no file; mend"],
        ),
        (["a_left.png"], {}, ["a_left.png has no right view; the views are named NAME_left.*"]),
        (["inputL/a.png"], {}, ["inputL/a.png has no right view"]),
        (["inputL/a.png", "inputR/a.xyz"], {}, ["inputR/a.xyz is .xyz"]),
        (
            ["a_left.png", "a_left.tif", "a_right.png"],
            {},
            ["a_left.png and ", "a_left.tif are 2 left views of one pair; leave one"],
        ),
        (["a_left.png", "a_LEFT.png", "a_right.png"], {}, ["2 left views"]),
        (
            ["a_left.png", "a_right.png", "inputL/a.png", "inputR/a.png"],
            {},
            ["2 left views", "2 right views"],
        ),
        (["a_le\nft_left.png"], {}, [r"a_le\nft_left.png has no right view"]),
        ([os.fsdecode(b"caf\xe9_left.png")], {}, [r"caf\xe9_left.png has no right view"]),
    ],
)
def test_a_capture_that_is_left_out_has_one_sentence_with_the_reason(
    tmp_path: Path, files: list[str], links: dict[str, str], says: list[str]
) -> None:
    fill(tmp_path, "ok_left.png", "ok_right.png", *files)
    for name, target in links.items():
        link(tmp_path, name, target)
    found = find_pairs(tmp_path)
    assert names(found) == ["ok"]
    assert len(found.problems) == 1 and found.notes == []
    assert all(text in found.problems[0] for text in says), found.problems
    assert found.problems[0].isprintable()


def test_something_that_is_no_file_is_never_opened(tmp_path: Path) -> None:
    fill(tmp_path, "a_left.png")
    os.mkfifo(tmp_path / "a_right.png")
    assert "a_right.png is not a regular file" in find_pairs(tmp_path).problems[0]


def test_what_is_no_view_is_ignored(tmp_path: Path) -> None:
    fill(
        tmp_path, "1_left.png", "1_right.png", "notes.txt", "._1_left.png", ".2_left.png", "inputL/Thumbs.db"
    )
    fill(tmp_path, "1_left.xmp", "1_left.png.txt", "2_left.json", "inputL/.DS_Store", ".hidden/3_left.png")
    found = find_pairs(tmp_path, recursive=True)
    assert (names(found), found.problems, found.notes) == (["1"], [], [])


def test_pictures_with_other_names_are_counted(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "1_left.png",
        "1_right.png",
        "b-left.png",
        "b-right.png",
        "c_l.png",
        "PXL_1.jpg",
        "old/d.png",
    )
    found = find_pairs(tmp_path, recursive=True)
    assert (names(found), found.problems) == (["1"], [])
    assert found.notes == [
        f"5 pictures in {tmp_path} have other names and are left out "
        "(PXL_1.jpg, b-left.png, b-right.png and 2 more); views are named NAME_left.* and NAME_right.*"
    ]
    for name in ("b-left.png", "b-right.png", "c_l.png", "PXL_1.jpg"):
        (tmp_path / name).unlink()
    (note,) = find_pairs(tmp_path, recursive=True).notes
    assert f"1 picture in {tmp_path} has another name and is left out (old/d.png); " in note


def test_a_folder_with_the_name_of_a_view_is_said_to_be_one(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "1_left.png",
        "1_right.png",
        "a_left.png/x.txt",
        "a_right.png",
        "inputL/2.png/x",
        "inputR/2.png",
    )
    found = find_pairs(tmp_path)
    assert names(found) == ["1"]
    assert found.problems == [
        f"{tmp_path}/inputL/2.png is a folder, and a view is a file; rename it",
        f"{tmp_path}/a_left.png is a folder, and a view is a file; rename it",
    ]


def test_the_list_of_suffixes_is_said_once(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{name}_{side}.bmp" for name in "abc" for side in ("left", "right")))
    problems = find_pairs(tmp_path).problems
    assert [", .avif, " in problem for problem in problems] == [True, False, False]


def test_what_a_complete_pair_does_not_need_is_only_noted(tmp_path: Path) -> None:
    fill(tmp_path, "1_left.png", "1_right.png", "1_left.nef")
    found = find_pairs(tmp_path)
    assert (names(found), found.problems) == (["1"], [])
    assert found.notes == [f"{tmp_path}/1_left.nef is not used, since the pair 1 is complete without it"]


def test_folders_of_views(tmp_path: Path) -> None:
    fill(tmp_path, "inputL/1.png", "inputR/1.png", "target/1.png", "x_left.png", "x_right.png")
    found = find_pairs(tmp_path)
    assert [(pair.name, pair.left.parent.name) for pair in found.pairs] == [
        ("1", "inputL"),
        ("x", tmp_path.name),
    ]
    assert found.problems == []
    assert found.notes == [f"1 folder in {tmp_path} is not searched; add --recursive for the pairs there"]


def test_camera_files(tmp_path: Path) -> None:
    fill(tmp_path, "IMG_2.CR2", "IMG_10.dng", "IMG_2.JPG", "a_left.png", "a_right.png", "b.nef")
    link(tmp_path, "c.cr2", "gone")
    found = find_pairs(tmp_path, camera_suffixes=(".cr2", ".dng"))
    assert [(pair.name, pair.left.name, pair.right is None) for pair in found.pairs] == [
        ("IMG_2", "IMG_2.CR2", True),
        ("IMG_10", "IMG_10.dng", True),
        ("a", "a_left.png", False),
    ]
    assert found.problems == [f"{tmp_path}/c.cr2 leads to no file; mend the link"]


def test_folders_below(tmp_path: Path) -> None:
    fill(tmp_path, "a_left.png", "a_right.png", "x/y/a_left.png", "x/y/a_right.png", "out/b_left.png")
    fill(
        tmp_path,
        "x/inputL/1.png",
        "x/inputR/1.png",
        "x/inputL/deep/2.png",
        "x/inputR/deep/2.png",
        "x/3_left.png",
    )
    found = find_pairs(tmp_path, recursive=True, leave_out=[tmp_path / "out", tmp_path / "none"])
    assert names(found) == ["a", "x/1", "x/deep/2", "x/y/a"]
    assert len(found.problems) == 1 and "x/3_left.png has no right view" in found.problems[0]
    assert found.notes == []


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    fill(tmp_path / "outside", "a_left.png", "a_right.png")
    folder = fill(tmp_path / "in", "z/b_left.png", "z/b_right.png")
    link(folder, "a_loop", "../in")
    link(folder, "again", "z")
    link(folder / "z", "up", "..")
    link(folder, "self", "self")
    link(folder, "more", "../outside")
    link(tmp_path / "outside", "back", "../in/z")
    found = find_pairs(folder, recursive=True)
    assert names(found) == ["more/a", "z/b"], "a real folder's pairs keep its name"
    assert found.problems == []
    assert len(found.notes) == 4 and all(
        "leads to a folder that is searched anyway" in note for note in found.notes
    )


def test_nothing_to_pair(tmp_path: Path) -> None:
    with pytest.raises(PairError, match="contains no views"):
        find_pairs(fill(tmp_path, "a.png"))
    with pytest.raises(PairError, match="add --recursive"):
        find_pairs(fill(tmp_path, "b/a_left.png"))
    with pytest.raises(PairError, match="does not exist"):
        find_pairs(tmp_path / "gone")


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a_left.png", "a_right.png", "closed/b_left.png")
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_pairs(tmp_path, recursive=True)
    assert (names(found), len(found.problems)) == (["a"], 1)
    assert "closed cannot be read (Permission denied); check whether" in found.problems[0]
    with pytest.raises(PairError, match="cannot be read"):
        find_pairs(tmp_path / "closed")


def test_many_pairs_are_found_at_once(tmp_path: Path) -> None:
    for index in range(2000):
        for side in ("left", "right"):
            (tmp_path / f"IMG_{index}_{side}.png").touch()
    start = time.process_time()
    assert names(find_pairs(tmp_path)) == [f"IMG_{index}" for index in range(2000)]
    assert time.process_time() - start < 0.5, "10,000 pairs in less than 2 s"
