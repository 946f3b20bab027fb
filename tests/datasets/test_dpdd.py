import numpy as np
import pytest

from dpanet.datasets import open_dataset
from dpanet.errors import DatasetError


def problems(root, **options) -> list[str]:
    with pytest.raises(DatasetError) as caught:
        open_dataset(root, "dpdd", **options)
    return sorted(caught.value.problems)


def test_views_truth_and_combined_picture_belong_together(dpdd) -> None:
    dataset = open_dataset(dpdd, "dpdd")
    assert [scene.name for scene in dataset.scenes] == ["1P0A0917", "1P0A0984", "1P0A1002"]
    assert (dataset.layout, dataset.split, dataset.aligned, dataset.bits) == ("dpdd", "test", False, 16)
    for scene, number in zip(dataset.scenes, (917, 984, 1002), strict=True):
        capture = scene.load()
        assert capture.name == scene.name
        assert (capture.white, capture.match_color, capture.pair.encoding) == (1.0, False, "srgb")
        for pixels, code in (
            (capture.pair.left, 20000 + number),
            (capture.pair.right, 30000 + number),
            (capture.truth.pixels, 40000 + number),
        ):
            np.testing.assert_allclose(pixels, code / 65535, atol=1e-7)
        assert scene.combined == dpdd / "test_c" / "source" / f"{scene.name}.png"
        assert (scene.label, scene.finished) == (None, {})


def test_options_reach_the_scenes(dpdd) -> None:
    dataset = open_dataset(dpdd, "dpdd", split="val", match_color=True, align=True)
    assert (dataset.split, dataset.aligned) == ("val", True)
    assert dataset.scenes[0].load().match_color


def test_labels_count_from_one_in_sorted_order(dpdd) -> None:
    np.save(dpdd / "indoor_labels.npy", np.array([3, 1]))
    np.save(dpdd / "outdoor_labels.npy", np.array([2]))
    labels = [scene.label for scene in open_dataset(dpdd, "dpdd").scenes]
    assert labels == ["indoor", "outdoor", "indoor"]
    assert [scene.label for scene in open_dataset(dpdd, "dpdd", split="val").scenes] == [None] * 3


def test_labels_that_do_not_fit(dpdd) -> None:
    np.save(dpdd / "indoor_labels.npy", np.array([1, 2, 4]))
    assert problems(dpdd) == ["outdoor_labels.npy is missing"]
    np.save(dpdd / "outdoor_labels.npy", np.array([2, 0]))
    assert problems(dpdd) == [
        "indoor_labels.npy names scene 4 of 3 (counted from 1)",
        "outdoor_labels.npy names scene 0 of 3 (counted from 1)",
        "outdoor_labels.npy names scene 2, which is named already",
        "scene 3, 1P0A1002, has no label",
    ]
    (dpdd / "outdoor_labels.npy").write_text("1 2 3")
    assert "outdoor_labels.npy is not a readable NumPy array" in problems(dpdd)
    np.save(dpdd / "outdoor_labels.npy", np.array([1.5]))
    assert "outdoor_labels.npy is not an array of whole numbers" in problems(dpdd)


def test_a_missing_view_is_named(dpdd) -> None:
    (dpdd / "test_r/source/1P0A0984_R.png").unlink()
    assert problems(dpdd) == ["test_r/source/1P0A0984_R.png is missing"]


def test_a_missing_truth_changes_the_count(dpdd) -> None:
    (dpdd / "test_c/target/1P0A0985.png").unlink()
    assert problems(dpdd) == ["test_c/target has 2 pictures for 3 scenes, which are paired in sorted order"]


def test_a_truth_without_views_changes_the_count(dpdd, write) -> None:
    write(dpdd / "test_c/target/1P0A2000.png")
    assert problems(dpdd) == ["test_c/target has 4 pictures for 3 scenes, which are paired in sorted order"]


def test_an_extra_view_is_named(dpdd, write) -> None:
    write(dpdd / "test_l/source/1P0A0003_L.png")
    assert problems(dpdd) == ["test_l/source/1P0A0003_L.png is an extra file (nothing else has its name)"]


def test_mixed_sizes_are_named(dpdd, write) -> None:
    write(dpdd / "test_r/source/1P0A0984_R.png", size=(20, 24))
    write(dpdd / "test_c/target/1P0A0916.png", size=(24, 22))
    assert problems(dpdd) == [
        "test_c/target/1P0A0916.png is 24 x 22 px and test_l/source/1P0A0917_L.png 24 x 20 px",
        "test_r/source/1P0A0984_R.png is 20 x 24 px and test_l/source/1P0A0984_L.png 24 x 20 px",
    ]


def test_portrait_and_landscape_scenes_may_stand_side_by_side(dpdd, write) -> None:
    for path in ("c/source/1P0A0984", "l/source/1P0A0984_L", "r/source/1P0A0984_R", "c/target/1P0A0985"):
        write(dpdd / f"test_{path}.png", size=(20, 24))
    assert open_dataset(dpdd, "dpdd").scenes[1].load().pair.left.shape == (24, 20, 3)


def test_8_bits_are_refused_unless_asked_for(dpdd, write) -> None:
    write(dpdd / "test_l/source/1P0A0917_L.png", 7, np.uint8)
    write(dpdd / "test_r/source/1P0A0917_R.png", 7, np.uint8)
    assert problems(dpdd) == [
        "test_l/source/1P0A0917_L.png has 8 bits where 16 are expected",
        "test_r/source/1P0A0917_R.png has 8 bits where 16 are expected",
    ]
    assert open_dataset(dpdd, "dpdd", bits=8).bits == 8


def test_views_of_two_depths_or_kinds_do_not_belong_together(dpdd, write) -> None:
    write(dpdd / "test_l/source/1P0A0917_L.png", 7, np.uint8)
    write(dpdd / "test_r/source/1P0A0984_R.png", 7, gray=True)
    assert problems(dpdd, bits=8) == [
        "test_l/source/1P0A0917_L.png is 8-bit color and test_r/source/1P0A0917_R.png 16-bit color",
        "test_l/source/1P0A0984_L.png is 16-bit color and test_r/source/1P0A0984_R.png 16-bit gray",
    ]


def test_two_files_of_one_name(dpdd, write) -> None:
    write(dpdd / "test_l/source/1P0A0984_L.tif")
    (dpdd / "test_r/source/1P0A0984_R.png").rename(dpdd / "test_r/source/1P0A0984.png")  # fits as well
    assert problems(dpdd) == ["test_l/source/1P0A0984_L.png and test_l/source/1P0A0984_L.tif have one name"]


def test_a_missing_folder_is_one_problem(dpdd) -> None:
    for path in (dpdd / "test_l/source").iterdir():
        path.unlink()
    (dpdd / "test_l/source").rmdir()
    assert problems(dpdd) == ["the folder test_l/source is missing"]
    assert problems(dpdd, split="train") == [
        f"the folder train_{part} is missing" for part in ("c/source", "c/target", "l/source", "r/source")
    ]


def test_all_problems_come_at_once_and_before_any_picture_is_decoded(dpdd, write, monkeypatch) -> None:
    monkeypatch.setattr("dpanet.images.reading.read_file", lambda path: pytest.fail(f"decoded {path}"))
    (dpdd / "test_r/source/1P0A0984_R.png").unlink()
    (dpdd / "test_l/source/1P0A0917_L.png").write_bytes(b"")
    whole = (dpdd / "test_c/target/1P0A1001.png").read_bytes()
    (dpdd / "test_c/target/1P0A1001.png").write_bytes(whole[:-20])
    write(dpdd / "test_c/source/thumbnail.jpg", 1, np.uint8)
    with pytest.raises(DatasetError) as caught:
        open_dataset(dpdd, "dpdd")
    assert sorted(caught.value.problems) == [
        "test_c/source/thumbnail.jpg is an extra file (nothing else has its name)",
        "test_c/target/1P0A1001.png is a truncated PNG (it has no end)",
        "test_l/source/1P0A0917_L.png is empty",
        "test_r/source/1P0A0984_R.png is missing",
    ]
    message = str(caught.value)
    assert message.startswith(f"{dpdd} has 4 problems as a data set of layout dpdd, split test: test_")
    assert message.endswith("; mend the files, then start again")
    assert all(problem in message for problem in caught.value.problems)


def test_the_message_stays_readable_when_everything_is_wrong(dpdd, write) -> None:
    for number in range(30):
        write(dpdd / f"test_l/source/stray{number}.png")
    with pytest.raises(DatasetError, match=r"has 30 problems.*stray.*; and 10 more; mend") as caught:
        open_dataset(dpdd, "dpdd")
    assert len(caught.value.problems) == 30
