import numpy as np
import pytest

from dpanet.datasets import open_dataset
from dpanet.errors import DatasetError


def problems(root, **options) -> list[str]:
    with pytest.raises(DatasetError) as caught:
        open_dataset(root, "pairs", **options)
    return sorted(caught.value.problems)


def test_scenes_and_the_pictures_of_other_methods(pairs) -> None:
    dataset = open_dataset(pairs, "pairs")
    assert [scene.name for scene in dataset.scenes] == ["a", "b_2"]
    assert (dataset.split, dataset.aligned, dataset.bits) == (None, False, 8)
    assert [scene.finished for scene in dataset.scenes] == [
        {"dpdnet": pairs / "a_dpdnet.png"},
        {"dpdnet": pairs / "b_2_dpdnet.png"},
    ]
    capture = dataset.scenes[1].load()
    for pixels, code in ((capture.pair.left, 20), (capture.pair.right, 21), (capture.truth.pixels, 22)):
        np.testing.assert_allclose(pixels, code / 255, atol=1e-7)
    assert not capture.match_color
    assert capture.pair.metadata["bits"] == 8


def test_colors_and_alignment_are_as_asked_for(pairs) -> None:
    dataset = open_dataset(pairs, "pairs", match_color=True, align=True)
    assert dataset.aligned
    assert dataset.match_color
    assert all(scene.load().match_color for scene in dataset.scenes)


def test_tiff_and_capitals_and_natural_order(tmp_path, write) -> None:
    for name in ("10", "9"):
        for part in ("Left", "RIGHT", "sharp"):
            write(tmp_path / f"{name}_{part}.tif", int(name))
    dataset = open_dataset(tmp_path, "pairs")
    assert [scene.name for scene in dataset.scenes] == ["9", "10"]
    assert dataset.bits == 16
    np.testing.assert_allclose(dataset.scenes[0].load().truth.pixels, 9 / 65535, atol=1e-7)


def test_a_method_belongs_to_the_longest_name(pairs, write) -> None:
    for part in ("left", "right", "sharp", "dpdnet"):
        write(pairs / f"b_{part}.png", 1, np.uint8)
    scenes = open_dataset(pairs, "pairs").scenes
    assert {scene.name: [*scene.finished] for scene in scenes} == {
        "a": ["dpdnet"],
        "b": ["dpdnet"],
        "b_2": ["dpdnet"],
    }


def test_traps_are_named_all_at_once(pairs, write) -> None:
    (pairs / "a_right.png").unlink()
    write(pairs / "b_2_left.png", 1, np.uint8, size=(30, 20))
    write(pairs / "c_sharp.png", 1, np.uint8)
    write(pairs / "cover.png", 1, np.uint8)
    write(pairs / "a_left.jpg", 1, np.uint8)
    write(pairs / "a_none.png", 1, np.uint8)
    write(pairs / "b_2_ours.png", 1, np.uint8)
    (pairs / "a_sharp.png").write_bytes(b"GIF89a")
    write(pairs / "b_2_dpdnet.png", 1, np.uint8, size=(8, 8))
    assert problems(pairs) == [
        "a_left.jpg is an extra file (neither PNG nor TIFF)",
        "a_none.png gives a method the reserved name none",
        "a_ours.png is missing (other scenes have it)",
        "a_right.png is missing",
        "a_sharp.png is a GIF, of at most 256 colors, which is not read",
        "b_2_dpdnet.png is 8 x 8 px, under 16 px",
        "b_2_ours.png is 24 x 20 px and b_2_left.png 30 x 20 px",
        "b_2_right.png is 24 x 20 px and b_2_left.png 30 x 20 px",
        "b_2_sharp.png is 24 x 20 px and b_2_left.png 30 x 20 px",
        "c_sharp.png is an extra file (nothing else has its name)",
        "cover.png is an extra file (it belongs to no scene)",
    ]


def test_depth_is_what_the_user_expects_of_it(pairs, write) -> None:
    assert len(problems(pairs, bits=16)) == 6, "two views and a truth of two scenes; other methods may have 8"
    write(pairs / "a_left.png", 1)
    assert problems(pairs) == ["a_left.png is 16-bit color and a_right.png 8-bit color"]


def test_two_files_of_one_name(pairs, write) -> None:
    write(pairs / "a_left.tif", 1, np.uint8)
    write(pairs / "a_dpdnet.tif", 1, np.uint8)
    assert problems(pairs) == [
        "a_dpdnet.png and a_dpdnet.tif have one name",
        "a_left.png and a_left.tif have one name",
    ]


def test_an_empty_folder_and_none(tmp_path) -> None:
    assert problems(tmp_path) == ["there are no scenes"]
    with pytest.raises(DatasetError, match=r"absent does not exist; give the folder of a data set"):
        open_dataset(tmp_path / "absent", "pairs")
