"""`dpanet edit`, as photo programs call an external editor: a file in, a file out, an exit code."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from camera_raw.dng_by_hand import frames_of, write_dng
from cli.conftest import Run, listing, weighted, write_view

from dpanet.images.reading import read_codes

pytestmark = pytest.mark.usefixtures("small_model")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    for seed, side in enumerate(("left", "right")):
        write_view(tmp_path / f"photo_{side}.tif", seed)
    return tmp_path


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("suffix", "format"), [("tif", "tiff"), ("tiff", "tiff"), ("png", "png")])
def test_one_view_is_named_and_both_are_used(
    run: Run, pair: Path, side: str, suffix: str, format: str
) -> None:
    out = pair / f"out.{suffix}"
    result = run("edit", "--edit", pair / f"photo_{side}.tif", "--output", out, "--format", format)
    assert (result.code, result.err) == (0, "") and result.out.startswith(f"{out}: 56 x 40 px")
    codes = read_codes(out)
    views = (read_codes(pair / f"photo_{name}.tif").astype(float) for name in ("left", "right"))
    assert codes.dtype == np.uint16
    assert np.abs(codes - weighted(*views)).max() <= 0.51, "left is left, whichever view is named"
    assert listing(pair) == sorted([out.name, "photo_left.tif", "photo_right.tif"])


def test_the_format_is_that_of_the_suffix(run: Run, pair: Path) -> None:
    assert run("edit", "--edit", pair / "photo_left.tif", "-o", pair / "out.png").code == 0
    result = run("edit", "--edit", pair / "photo_left.tif", "--output", pair / "out2.png", "--format", "tiff")
    assert result.code == 2
    assert "out2.png is to be written as tiff, but does not end in .tif or .tiff" in result.sentence
    result = run("edit", "--edit", pair / "photo_left.tif", "--output", pair / "out2.jpg", "--format", "jpg")
    assert result.code == 2 and "--format" in result.sentence and "tiff" in result.sentence
    result = run("edit", "--edit", pair / "photo_left.tif", "--output", pair / "out2.jpg")
    assert result.code == 2 and "out2.jpg does not end in .png" in result.sentence
    assert "out2.jpg" not in listing(pair)


def test_a_raw_file_has_both_views(run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(0.2, 0.6, (100, 140, 3)).astype(np.float32)
    file = write_dng(tmp_path / "IMG_1.DNG", frames_of(noise[:, 4:], noise[:, :-4]))
    edited, plain = tmp_path / "a.tif", tmp_path / "b.tif"
    assert run("edit", "--edit", file, "--output", edited, "--format", "tiff").code == 0
    assert run("deblur", file, "-o", plain).code == 0
    np.testing.assert_array_equal(tifffile.imread(edited), tifffile.imread(plain))
    assert run("edit", "--edit", file, "--output", edited, "--camera", "canon-right", "--overwrite").code == 0
    assert (tifffile.imread(edited) != tifffile.imread(plain)).any()


def test_without_a_second_view_one_sentence_says_how_to_name_it(run: Run, pair: Path) -> None:
    (pair / "photo_right.tif").unlink()
    result = run("edit", "--edit", pair / "photo_left.tif", "--output", pair / "out.tif")
    assert result.code == 1 and "name the right view photo_right.tif" in result.sentence
    shutil.move(pair / "photo_left.tif", pair / "photo.tif")
    result = run("edit", "--edit", pair / "photo.tif", "--output", pair / "out.tif")
    assert result.code == 1 and "name the two views photo_left.tif and photo_right.tif" in result.sentence
    assert listing(pair) == ["photo.tif"]


def test_what_exists_stays_unless_it_is_empty(run: Run, pair: Path) -> None:
    out, left = pair / "out.tif", pair / "photo_left.tif"
    out.touch()
    assert run("edit", "--edit", left, "--output", out).code == 0, "a name that a program reserved"
    before = out.read_bytes()
    result = run("edit", "--edit", left, "--output", out)
    assert result.code == 1 and "exists already" in result.sentence and out.read_bytes() == before
    assert run("edit", "--edit", left, "--output", out, "--overwrite").code == 0
    result = run("edit", "--edit", left, "--output", left, "--overwrite")
    assert result.code == 1 and "photo_left.tif is one of the views" in result.sentence


def test_the_lens_is_found_if_asked_for(run: Run, pair: Path) -> None:
    command = ("edit", "--edit", pair / "photo_left.tif", "-o")
    assert "lens" not in run(*command, pair / "plain.png").err
    result = run(*command, pair / "o.png", "--find-lens")
    assert result.code == 0 and "note: o: no lens was found" in result.err


def test_strength(run: Run, pair: Path) -> None:
    left, right = (read_codes(pair / f"photo_{side}.tif").astype(float) for side in ("left", "right"))
    assert run("edit", "--edit", pair / "photo_left.tif", "-o", pair / "o.png", "--strength", "0").code == 0
    assert np.abs(read_codes(pair / "o.png") - (left + right) / 2).max() <= 1


def test_missing_options(run: Run, pair: Path) -> None:
    assert "--edit is missing" in run("edit", "--output", "a.tif").sentence
    assert "--output is missing; name the picture" in run("edit", "--edit", "a.tif").sentence
    result = run("edit", "--edit", pair / "photo_left.tif", "-o", pair / "o.tif", "--camera", "canon")
    assert result.code == 2 and "--camera canon is for raw files" in result.sentence
