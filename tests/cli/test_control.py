"""`dpanet deblur --strength`, `--keep-background`, `--keep-foreground`."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from cli.conftest import Run, Weighted, weighted, write_view

from dpanet.images.reading import read_codes
from dpanet.network.description import Description

PRECISE = ("--precision", "float32")


def read(path: Path) -> np.ndarray:
    return read_codes(path).astype(float)


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize("strength", [0, 0.25, 1])
def test_strength(run: Run, views: tuple[Path, Path], tmp_path: Path, strength: float) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--strength", strength, *PRECISE)
    assert (result.code, result.err) == (0, "")
    left, right = map(read, views)
    expected = strength * weighted(left, right) + (1 - strength) * (left + right) / 2
    np.testing.assert_allclose(read(tmp_path / "out.png"), expected, atol=1 if 0 < strength < 1 else 0.51)


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(
    ("options", "left_kept", "right_kept"),
    [
        (["--keep-background"], False, True),
        (["--keep-background", "1"], False, True),
        (["--keep-foreground=1"], True, False),
        (["--keep-background", "30"], False, False),
        (["--keep-background", "1", "--keep-foreground", "1"], True, True),
    ],
)
def test_kept_blur(run: Run, tmp_path: Path, options: list[str], left_kept: bool, right_kept: bool) -> None:
    views = [write_view(tmp_path / f"{name}.png", 1, np.uint8, (40, 240, 3)) for name in "lr"]
    left, right = np.full((2, 40, 240, 3), 128, np.uint8)
    left[:, :120], right[:, :120] = 0, 224  # the small network's radius is 8 (left - right): -7 px
    left[:, 120:], right[:, 120:] = 224, 0
    stripes = np.arange(240, dtype=np.uint8)[:, None] // 8 % 2 * 16  # something to measure blur by
    moved = np.roll(stripes, 4, axis=0)  # at one place in both views, they would be in focus
    for path, view in zip(views, (left + stripes, right + moved), strict=True):
        cv2.imwrite(str(path), view)
    result = run("deblur", *views, "-o", tmp_path / "out.png", *options, *PRECISE)
    assert (result.code, result.err) == (0, "")
    out = read(tmp_path / "out.png")
    stripes, moved = stripes.astype(float), moved.astype(float)
    for part, kept, value in ((slice(80), left_kept, 56), (slice(160, None), right_kept, 168)):
        expected = 112 + (stripes + moved) / 2 if kept else value + weighted(stripes, moved)
        np.testing.assert_array_equal(out[:, part], np.broadcast_to(expected[part], out[:, part].shape))


def test_a_folder_is_deblurred_again_with_another_strength(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    command = ("deblur", folder, "-o", tmp_path / "out", *PRECISE)
    assert "3 pairs deblurred, 0 skipped" in run(*command).out
    assert "0 pairs deblurred, 3 skipped" in run(*command, "--strength", "1").out
    for options in (["--strength", ".5"], ["--keep-background"], ["--keep-background", "5"]):
        assert "3 pairs deblurred, 0 skipped" in run(*command, *options).out
        assert "0 pairs deblurred, 3 skipped" in run(*command, *options).out
    assert small_model.runs == 12


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--strength", "1.2"], "--strength is 1.2; give 0 (the mean of the views) to 1"),
        (["--strength", "60"], "to 1 (all that the model can); for 60 % write 0.6"),
        (["--strength", "-1"], "--strength is -1; give 0"),
        (["--strength", "nan"], "--strength is nan; give 0"),
        (["--keep-background=-2"], "keep_background is -2.0; give a blur radius in px"),
        (["--keep-background"], "this model has no defocus map; choose one that has"),
    ],
)
def test_what_is_refused(
    run: Run, views: tuple[Path, Path], tmp_path: Path, small_model: Weighted, options: list[str], says: str
) -> None:
    small_model.description = Description(multiple_of=8, halo=8)
    result = run("deblur", *views, "-o", tmp_path / "out.png", *options)
    assert result.code == 2 and says in result.sentence
    assert small_model.runs == 0
