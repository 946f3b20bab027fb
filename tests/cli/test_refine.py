"""`dpanet deblur` with a known lens: its pictures are refined."""

from pathlib import Path

import cv2
import numpy as np
from cli.conftest import Run

from dpanet.lenses.pixel4 import Pixel4


def write_pair(folder: Path) -> tuple[Path, Path]:
    texture = np.random.default_rng(2).integers(0, 65536, (48, 64), np.uint16)
    texture = cv2.GaussianBlur(texture, (0, 0), 2)
    paths = folder / "a_left.png", folder / "a_right.png"
    for path, shift in zip(paths, (0, 1), strict=True):
        cv2.imwrite(str(path), np.roll(texture, shift, 1))
    return paths


def write_calibration(folder: Path) -> Path:
    left, right = Pixel4().kernels(0.5, 0.5, [0.5])[0]
    folder.mkdir()
    np.save(folder / "blur_kernels_left.npy", left[None])
    np.save(folder / "blur_kernels_right.npy", right[None])
    return folder


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture.astype(np.float64)


def test_a_calibration_refines_unless_told_otherwise(tmp_path: Path, run: Run) -> None:
    left, right = write_pair(tmp_path)
    calibration = write_calibration(tmp_path / "lens")
    common = ("deblur", left, right, "--model", "nano", "--precision", "float32")
    for name, options in {
        "plain": (),
        "refined": ("--calibration", calibration),
        "asked": ("--calibration", calibration, "--refine"),
        "kept": ("--calibration", calibration, "--no-refine"),
        "zero": ("--calibration", calibration, "--strength", "0"),
    }.items():
        assert run(*common, "-o", tmp_path / f"{name}.png", *options).code == 0
    pictures = {path.stem: read(path) for path in tmp_path.glob("*.png")}
    assert np.array_equal(pictures["kept"], pictures["plain"])
    assert np.array_equal(pictures["asked"], pictures["refined"])
    assert np.abs(pictures["refined"] - pictures["plain"]).max() > 50
    combined = (pictures["a_left"] + pictures["a_right"]) / 2
    assert np.abs(pictures["zero"] - combined).max() <= 1


def test_without_a_known_lens_it_is_found(tmp_path: Path, run: Run) -> None:
    left, right = write_pair(tmp_path)
    asked = run("deblur", left, right, "-o", tmp_path / "asked.png", "--refine")
    assert asked.code == 0 and "disc under a ramp of slope" in asked.err
    command = ("deblur", left, right, "--model", "nano", "-o")
    maps = tmp_path / "map.tif"
    found = run(*command, tmp_path / "found.png", "--find-lens", "--defocus-map", maps, "--json")
    assert found.code == 0 and maps.is_file() and "disc under a ramp of slope" in found.out
    calibration = write_calibration(tmp_path / "lens")
    known = run(*command, tmp_path / "known.png", "--calibration", calibration)
    assert known.code == 0 and "ramp" not in known.err
    assert known.out.rstrip().endswith(f"s, refined by the lens {calibration}")
    for other in (("--no-refine",), ("--calibration", tmp_path / "lens")):
        both = run(*command, tmp_path / "both.png", "--find-lens", *other)
        assert both.code == 2 and "leave out one of them" in both.err


def test_the_lens_of_each_pair_of_a_folder_is_named(tmp_path: Path, run: Run) -> None:
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    texture = np.random.default_rng(2).integers(0, 65536, (48, 64), np.uint16)
    for name, sigma in (("a", 2), ("b", 3)):
        for side, shift in (("left", 0), ("right", 1)):
            view = np.roll(cv2.GaussianBlur(texture, (0, 0), sigma), shift, 1)
            cv2.imwrite(str(pairs / f"{name}_{side}.png"), view)
    result = run("deblur", pairs, "-o", tmp_path / "out", "--model", "nano", "--find-lens")
    assert result.code == 0 and result.err.count("dB of the blur") == 2
    assert "note: a: no lens explains" in result.err and "note: b: no lens explains" in result.err


def test_a_calibration_without_kernels(tmp_path: Path, run: Run) -> None:
    left, right = write_pair(tmp_path)
    result = run("deblur", left, right, "-o", tmp_path / "p.png", "--calibration", tmp_path)
    assert result.code == 2 and "blur_kernels_left.npy is missing" in result.err


def test_another_lens_makes_another_picture_in_a_folder(tmp_path: Path, run: Run) -> None:
    (tmp_path / "pairs").mkdir()
    write_pair(tmp_path / "pairs")
    command = ("deblur", tmp_path / "pairs", "-o", tmp_path / "out", "--model", "nano")
    assert "1 pair deblurred" in run(*command).out
    assert "1 pair deblurred" in run(*command, "--find-lens").out
    assert "1 skipped" in run(*command, "--find-lens").out
    calibration = write_calibration(tmp_path / "lens")
    assert "1 pair deblurred" in run(*command, "--calibration", calibration).out
    assert "1 skipped" in run(*command, "--calibration", calibration).out
