import warnings
from pathlib import Path

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ImageCms

from dpanet.containers.decoded_image import DecodedImage
from dpanet.datasets.captures import read_picture_capture
from dpanet.datasets.photographs import read_photograph
from dpanet.errors import ImageWarning
from dpanet.images.reading import read_file, read_pair, read_picture
from dpanet.images.value_scale import warn_of_scale

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

RAMP = np.random.default_rng(0).random((20, 24, 3))


def write(path: Path, values: NDArray[np.generic]) -> Path:
    if path.suffix == ".png":
        with path.open("wb") as file:
            png.Writer(24, 20, bitdepth=16, greyscale=False).write(file, values.reshape(20, -1).tolist())
    else:
        tifffile.imwrite(path, values, photometric="rgb", iccprofile=SRGB)
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


def write_gray(path: Path, codes: NDArray[np.generic]) -> Path:
    with path.open("wb") as file:
        png.Writer(codes.shape[1], codes.shape[0], bitdepth=16, greyscale=True).write(file, codes.tolist())
    return path


@pytest.mark.parametrize(
    ("black", "bits", "top"), [(1024, 14, 0.5), (256, 12, 1), (64, 10, 0.7), (600, 14, 0.8)]
)
def test_raw_values_are_named(black: int, bits: int, top: float, tmp_path: Path) -> None:
    codes = np.rint(black + RAMP[..., 0] * top * (2**bits - 1 - black)).astype(np.uint16)
    with pytest.warns(
        ImageWarning,
        match="looks like raw values.*--black-level and --white-level, and --output-encoding srgb",
    ) as caught:
        read_picture(write_gray(tmp_path / "a.png", codes))
    assert len(caught) == 1 and "pixel4" not in str(caught[0].message)


def test_raw_values_of_the_size_of_a_pixel_4_name_it(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(1024, 9000, (1512, 2016)).astype(np.uint16)
    with pytest.warns(ImageWarning, match="add --camera pixel4, .*, and --output-encoding srgb"):
        read_picture(write_gray(tmp_path / "a.png", codes))


def test_gray_pictures_that_are_not_raw_pass_silently(tmp_path: Path) -> None:
    ramp = RAMP[..., 0]
    pictures = {
        "dark": ramp * 9000,  # with black in it
        "fog": 20000 + ramp * 20000,
        "of 8 bits": np.rint(10 + ramp * 40) * 257,
        "flat": np.full_like(ramp, 5000),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, values in pictures.items():
            read_picture(write_gray(tmp_path / f"{name}.png", values.astype(np.uint16)))


def test_floats_without_encoding_are_named(tmp_path: Path) -> None:
    for scale, looks in (
        (1.0, "sRGB; if its"),
        (3.7, r"sRGB, but looks linear \(float values up to 3\.\d+\); if its"),
    ):
        left, right = (tmp_path / f"{scale}_{side}.tif" for side in ("left", "right"))
        for path in (left, right):
            tifffile.imwrite(path, (RAMP * scale).astype(np.float32), photometric="rgb")
        sentence = f"states no encoding and is taken as {looks} values are linear, "
        for read, remedy in (
            (lambda: read_picture(left), "add --encoding linear"),  # noqa: B023
            (lambda: read_pair(left, right), "add --encoding linear"),  # noqa: B023
            (lambda: read_photograph(left), "export it with a linear ICC profile"),  # noqa: B023
            (lambda: read_picture_capture("a", left, right, right, match_color=False), "export it"),  # noqa: B023
        ):
            with pytest.warns(ImageWarning, match=sentence + remedy) as caught:
                read()
            assert str(caught[0].message).startswith(str(left))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_pair(left, right, "linear").encoding == "linear"
            assert read_picture(left, "srgb").encoding == "srgb"


def test_signaling_nan_says_nothing(tmp_path: Path) -> None:
    codes = np.full((16, 16, 3), 0.5, np.float32)
    codes.view(np.uint32)[0, 0, 0] = 0x7F800001  # which a cast to double reports
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_scale(DecodedImage(tmp_path / "a.tif", codes))
