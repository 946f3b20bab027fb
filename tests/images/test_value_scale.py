import warnings
from pathlib import Path

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray

from dpanet.datasets.captures import read_picture_capture
from dpanet.datasets.photographs import read_photograph
from dpanet.errors import ImageWarning
from dpanet.images.reading import read_file, read_pair, read_picture

RAMP = np.random.default_rng(0).random((20, 24, 3))


def write(path: Path, values: NDArray[np.generic]) -> Path:
    if path.suffix == ".png":
        with path.open("wb") as file:
            png.Writer(24, 20, bitdepth=16, greyscale=False).write(file, values.reshape(20, -1).tolist())
    else:
        tifffile.imwrite(path, values, photometric="rgb")
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_sixteen_are_named(bits: int, suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{suffix}", np.rint(RAMP * (2**bits - 1)).astype(np.uint16))
    with pytest.warns(ImageWarning, match=f"if its white is {2**bits - 1}, it is treated as too dark"):
        picture = read_picture(path)
    assert picture.pixels.max() < 2.0 ** (bits - 16)


@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_floats_of_another_white_are_named(white: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", (RAMP * white).astype(np.float32))
    for read in (read_picture, read_photograph):
        with pytest.warns(ImageWarning, match="mostly above 1.0, which is white"):
            read(path)
    other = write(tmp_path / "b.tif", (RAMP * white).astype(np.float32))
    for read_both in (
        lambda: read_pair(path, other),
        lambda: read_picture_capture("a", path, other, other, match_color=False),
    ):
        with pytest.warns(ImageWarning) as caught:
            read_both()
        assert {str(one.message).split(" has ")[0] for one in caught} == {str(path), str(other)}


def test_other_pictures_pass_silently(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "full.tif", (RAMP * 65535).astype(np.uint16)),
        write(tmp_path / "dark.tif", (RAMP * 20000).astype(np.uint16)),
        write(tmp_path / "darker.tif", (RAMP * 10000).astype(np.uint16)),
        write(tmp_path / "black.tif", (RAMP * 90).astype(np.uint16)),
        write(tmp_path / "eight.tif", (RAMP * 9).astype(np.uint8)),
        write(tmp_path / "float.tif", RAMP.astype(np.float32)),
        write(tmp_path / "highlights.tif", (RAMP**6 * 90).astype(np.float32)),
    ]
    few = write(tmp_path / "depth.png", np.rint(RAMP * 4095).astype(np.uint16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in files:
            read_picture(path)
        read_file(few)  # it may be a depth map, or raw codes
