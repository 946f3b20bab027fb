"""`dpanet deblur` on what cameras write; the network gives three parts of the left view and one of the right."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from camera_raw.dng_by_hand import frames_of, write_dng

from dpanet.camera_raw.reading import read_raw_file
from dpanet.containers.exif import camera, orientation
from dpanet.images.reading import read_file


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """Linear views: a smooth texture, the right one shifted, so that they differ and nothing is clipped."""
    noise = np.random.default_rng(0).normal(size=(140, 200, 3)).astype(np.float32)
    smooth = 0.35 + 1.0 * cv2.GaussianBlur(noise, (0, 0), 3)
    left, right = smooth[10:-10, 10:-10].clip(0.05, 0.9), smooth[10:-10, 14:-6].clip(0.05, 0.9)
    return left, right


def test_a_raw_file_becomes_a_picture(run, small_model, scene, tmp_path: Path) -> None:
    file = write_dng(tmp_path / "IMG_1.DNG", frames_of(*scene), "subifds", orientation=6)
    out = tmp_path / "sharp.tif"
    result = run("deblur", file, "-o", out)
    assert result.code == 0, result.err
    pair = read_raw_file(file)
    codes = tifffile.imread(out)
    assert codes.dtype == np.uint16 and codes.shape == (120, 180, 3)
    expected = 0.75 * np.minimum(pair.left, 1) + 0.25 * np.minimum(pair.right, 1)
    np.testing.assert_allclose(codes / 65535, expected, atol=3e-3)
    exif = read_file(out).metadata["exif"]
    assert orientation(exif) == 6 and camera(exif) == ("Canon", "Canon EOS 5D Mark IV")


def test_clipped_pixels_stay_and_their_share_is_said(run, small_model, scene, tmp_path: Path) -> None:
    left, right = scene
    left[40:60, 60:90], right[40:60, 60:90] = 1.6, 1.2
    file = write_dng(tmp_path / "a.dng", frames_of(left, right))
    result = run("deblur", file, "-o", tmp_path / "o.png")
    assert result.code == 0
    assert result.err.count("dpanet: note: ") == result.err.count("\n")
    assert "is clipped to white in" in result.err
    codes = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert (codes[42:58, 62:88] >= 65500).all()


def test_the_second_frame_can_be_stated_to_be_the_right_half(run, small_model, scene, tmp_path: Path) -> None:
    file = write_dng(tmp_path / "a.dng", frames_of(*scene))
    codes = []
    for options in ((), ("--camera", "canon"), ("--camera", "canon-right")):
        assert run("deblur", file, "-o", tmp_path / "o.tif", "--overwrite", *options).code == 0
        codes.append(tifffile.imread(tmp_path / "o.tif").astype(int))
    np.testing.assert_array_equal(codes[0], codes[1])
    assert np.abs(codes[0] - codes[2]).mean() > 300


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--encoding", "linear"), "leave out --encoding"),
        (("--black-level", "1", "--white-level", "2"), "leave out --black-level and --white-level"),
        (("--camera", "pixel4"), "leave out --camera pixel4"),
    ],
)
def test_options_about_two_views_are_refused(run, scene, options, words, tmp_path: Path) -> None:
    file = write_dng(tmp_path / "a.dng", frames_of(*scene))
    result = run("deblur", file, "-o", tmp_path / "o.png", *options)
    assert result.code == 2 and words in result.sentence
    assert not (tmp_path / "o.png").exists()


def test_a_file_without_the_second_frame_is_refused(run, scene, tmp_path: Path) -> None:
    file = write_dng(tmp_path / "a.dng", frames_of(*scene)[:1])
    result = run("deblur", file, "-o", tmp_path / "o.png")
    assert result.code == 1 and "Dual Pixel RAW off" in result.sentence


def test_two_raw_files_are_no_two_views(run, scene, tmp_path: Path) -> None:
    files = [write_dng(tmp_path / name, frames_of(*scene)[:1]) for name in ("left.dng", "right.dng")]
    result = run("deblur", *files, "-o", tmp_path / "o.png")
    assert result.code == 1 and "left.dng" in result.sentence
    assert "--camera canon" in run("deblur", *files, "-o", tmp_path / "o.png", "--camera", "canon").sentence


def write_pgm(path: Path, size: tuple[int, int], seed: int) -> Path:
    reading = np.random.default_rng(seed).integers(100, 1024, size).astype(np.float32)
    codes = (reading * (np.float32(65535) / np.float32(1023))).astype(">u2")
    path.write_bytes(f"P5 {size[1]} {size[0]} 65535 ".encode() + codes.tobytes())
    return path


def test_views_of_the_pixel_app_are_recognized_and_get_their_rows_back(
    run, small_model, tmp_path: Path
) -> None:
    files = [
        write_pgm(tmp_path / f"x_{side}.pgm", (756, 2016), i) for i, side in enumerate(("left", "right"))
    ]
    result = run("deblur", *files, "-o", tmp_path / "o.png", "--passes", 1)
    assert result.code == 0
    assert result.err.startswith("dpanet: note: ") and "the picture will be 2016 x 1512 px" in result.err
    picture = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (1512, 2016) and picture.dtype == np.uint16


def test_the_pixel_app_can_be_stated(run, small_model, tmp_path: Path) -> None:
    files = [write_pgm(tmp_path / f"{side}.pgm", (60, 80), i) for i, side in enumerate("lr")]
    result = run("deblur", *files, "-o", tmp_path / "o.png", "--camera", "pixel-app")
    assert (result.code, result.err) == (0, "")
    assert cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED).shape == (120, 80)
    plain = run("deblur", *files, "-o", tmp_path / "p.png")
    assert (plain.code, plain.err) == (0, "")  # 16-bit gray of another size is an ordinary pair
    assert cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED).shape == (60, 80)
