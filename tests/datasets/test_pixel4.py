from pathlib import Path

import numpy as np
import pytest

from dpanet.datasets import open_dataset
from dpanet.datasets.dataset_check import DatasetCheck
from dpanet.datasets.pixel4 import find_pixel4, read_pixel4_capture, read_sheets_flat_field
from dpanet.errors import ConfigError, DatasetError
from dpanet.images.raw import RawFormat

SMALL = RawFormat("small", size=(60, 70), black_level=1024, white_level=17407, crop=(10, 50, 15, 55))


@pytest.fixture
def pixel4(tmp_path, write) -> Path:
    """Two scenes in a small camera's format; the right half of the lens passes half the light."""
    for name in ("007", "001"):
        light = 20 * int(name) + 4000
        write(tmp_path / f"{name}_left.png", 1024 + light, size=(70, 60), gray=True)
        write(tmp_path / f"{name}_right.png", 1024 + light // 2, size=(70, 60), gray=True)
        truth = round(light / 16383 * 65535)
        write(tmp_path / "gt_all_in_focus_im" / f"{name}_gt.png", truth, size=(40, 40), gray=True)
        write(tmp_path / "gt_defocus_map" / f"{name}_gt.png", 9, np.uint8, size=(40, 40), gray=True)
    for side, level in (("left", 8000), ("right", 4000)):
        sheet = tmp_path / "calibration" / f"white_sheet_{side}.png"
        write(sheet, 1024 + level, size=(70, 60), gray=True)
    (tmp_path / "calibration" / "blur_kernels_left.npy").write_bytes(b"not looked at")
    return tmp_path


def problems(root, **options) -> list[str]:
    check = DatasetCheck(root)
    find_pixel4(check, root, format=SMALL, **options)
    return sorted(check.problems)


def test_scenes_are_read_with_the_white_sheets_of_the_folder(pixel4) -> None:
    check = DatasetCheck(pixel4)
    scenes = find_pixel4(check, pixel4, format=SMALL)
    assert check.problems == []
    assert [scene.name for scene in scenes] == ["001", "007"]
    flat_field = read_sheets_flat_field(pixel4 / "calibration", SMALL)
    for scene in scenes:
        capture, expected = scene.load(), read_pixel4_capture(scene.name, pixel4, flat_field, SMALL)
        np.testing.assert_array_equal(capture.pair.right, expected.pair.right)
        np.testing.assert_allclose(capture.pair.right, capture.truth.pixels, atol=1e-5)
        assert capture.white == expected.white
        assert (scene.label, scene.combined, scene.finished) == (None, None, {})
        assert scene.defocus == pixel4 / "gt_defocus_map" / f"{scene.name}_gt.png"
        assert {path.relative_to(pixel4).as_posix() for path in scene.files} == {
            f"{scene.name}_left.png",
            f"{scene.name}_right.png",
            f"gt_all_in_focus_im/{scene.name}_gt.png",
            f"gt_defocus_map/{scene.name}_gt.png",
            "calibration/white_sheet_left.png",
            "calibration/white_sheet_right.png",
        }


def test_the_white_sheets_may_lie_elsewhere(pixel4, tmp_path) -> None:
    (pixel4 / "calibration").rename(tmp_path / "sheets")
    assert problems(pixel4) == [
        "calibration/white_sheet_left.png is missing",
        "calibration/white_sheet_right.png is missing",
    ]
    check = DatasetCheck(pixel4)
    scene = find_pixel4(check, pixel4, tmp_path / "sheets", SMALL)[0]
    assert check.problems == []
    capture = scene.load()
    np.testing.assert_allclose(capture.pair.right, capture.truth.pixels, atol=1e-5)


def test_traps_are_named_all_at_once(pixel4, write) -> None:
    (pixel4 / "001_right.png").unlink()
    write(pixel4 / "007_left.png", 9, size=(70, 61), gray=True)
    write(pixel4 / "007_right.png", 9, np.uint8, size=(70, 60))
    write(pixel4 / "gt_all_in_focus_im" / "003_gt.png")
    write(pixel4 / "gt_all_in_focus_im" / "007_gt.png", 9, size=(70, 60), gray=True)
    write(pixel4 / "preview.png")
    (pixel4 / "calibration" / "white_sheet_left.png").write_text("sheet")
    assert problems(pixel4) == [
        "001_right.png is missing",
        "007_left.png is 70 x 61 px and not 70 x 60 px",
        "007_right.png has 3 channels and not 1",
        "007_right.png has 8 bits where 16 are expected",
        "calibration/white_sheet_left.png is a text, which is not read",
        "gt_all_in_focus_im/003_gt.png is an extra file (nothing else has its name)",
        "gt_all_in_focus_im/007_gt.png is 70 x 60 px and not 40 x 40 px",
        "preview.png is an extra file (neither NAME_left.png nor NAME_right.png)",
    ]


def test_true_defocus_maps_are_optional_but_whole(pixel4, write, tmp_path) -> None:
    (pixel4 / "gt_defocus_map" / "001_gt.png").unlink()
    write(pixel4 / "gt_defocus_map" / "002_gt.png")
    write(pixel4 / "gt_defocus_map" / "007_gt.png", size=(40, 41))
    assert problems(pixel4) == [
        "gt_defocus_map/001_gt.png is missing",
        "gt_defocus_map/002_gt.png is an extra file (nothing else has its name)",
        "gt_defocus_map/007_gt.png has 3 channels and not 1",
        "gt_defocus_map/007_gt.png is 40 x 41 px and not 40 x 40 px",
    ]
    (pixel4 / "gt_defocus_map").rename(tmp_path / "elsewhere")
    check = DatasetCheck(pixel4)
    assert [scene.defocus for scene in find_pixel4(check, pixel4, format=SMALL)] == [None, None]
    assert check.problems == []


def test_no_truths_and_no_scenes(pixel4, tmp_path) -> None:
    (pixel4 / "gt_all_in_focus_im").rename(tmp_path / "elsewhere")
    assert problems(pixel4) == ["the folder gt_all_in_focus_im is missing"]
    (tmp_path / "bare" / "gt_all_in_focus_im").mkdir(parents=True)
    assert problems(tmp_path / "bare", calibration=pixel4 / "calibration") == ["there are no scenes"]


def test_the_real_camera_through_the_front_door(tmp_path, write) -> None:
    for side in ("left", "right"):
        write(tmp_path / f"001_{side}.png", 5000, size=(2016, 1512), gray=True)
        write(tmp_path / "calibration" / f"white_sheet_{side}.png", 5000, size=(2016, 1512), gray=True)
    write(tmp_path / "gt_all_in_focus_im" / "001_gt.png", 5000, size=(1344, 1008), gray=True)
    dataset = open_dataset(tmp_path, "pixel4", bits=8)
    assert (dataset.layout, dataset.split, dataset.aligned, dataset.bits) == ("pixel4", None, True, 16)
    assert dataset.scenes[0].load().pair.left.shape == (1008, 1344, 3)
    write(tmp_path / "001_left.png", 50, np.uint8, size=(2016, 1512), gray=True)
    with pytest.raises(
        DatasetError, match=r"1 problem as a data set of layout pixel4: 001_left.png has 8 bits"
    ):
        open_dataset(tmp_path, "pixel4", bits=8)
    with pytest.raises(ConfigError, match="leave the matching of colors out"):
        open_dataset(tmp_path, "pixel4", match_color=True)
