import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from dpanet.errors import ConfigError, OutputError, PairError
from dpanet.files.output import atomic_output, prepare_output
from dpanet.images.reading import read_codes, read_file, read_picture
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

RNG = np.random.default_rng(6)
PIXELS = RNG.random((300, 20, 3)).astype(np.float32)


def exif(orientation: int = 6) -> bytes:
    tags = Image.Exif()
    tags[271], tags[274] = "Maker", orientation
    return tags.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("bits", [8, 16])
def test_every_code_survives(tmp_path: Path, suffix: str, bits: int) -> None:
    values = np.arange(2**bits).reshape(-1, 64)
    values = np.stack([values, values[::-1], values[:, ::-1]], axis=2)
    while len(values) < 16:
        values = np.concatenate([values, values])
    pixels = (values / (2**bits - 1)).astype(np.float32)
    write_picture(Picture(pixels), tmp_path / f"a{suffix}", bits=bits)
    codes = read_codes(tmp_path / f"a{suffix}")
    assert codes.dtype.itemsize * 8 == bits
    np.testing.assert_array_equal(codes, values)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_depth_follows_the_file_the_picture_came_from(tmp_path: Path, suffix: str, bits: int) -> None:
    path = tmp_path / f"a{suffix}"
    write_picture(Picture(PIXELS, "srgb", {"bits": bits}), path)
    assert read_file(path).bits == bits


def test_depth_without_a_file(tmp_path: Path) -> None:
    write_picture(Picture(PIXELS, "srgb"), tmp_path / "a.png")
    write_picture(Picture(PIXELS, "linear"), tmp_path / "b.png")
    assert (read_file(tmp_path / "a.png").bits, read_file(tmp_path / "b.png").bits) == (8, 16)


def test_float_pictures_stay_float_in_tiff(tmp_path: Path) -> None:
    picture = Picture(PIXELS * 3 - 1, "linear", {"bits": 32})
    write_picture(picture, tmp_path / "a.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, picture.pixels)
    write_picture(picture, tmp_path / "a.png")
    np.testing.assert_allclose(
        read_picture(tmp_path / "a.png").pixels, picture.pixels.clip(0, 1), atol=0.5001 / 65535
    )


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_from_a_gray_file_becomes_one(tmp_path: Path, suffix: str) -> None:
    write_picture(Picture(PIXELS, "srgb", {"gray": True, "bits": 16}), tmp_path / f"a{suffix}")
    codes = read_codes(tmp_path / f"a{suffix}")
    assert codes.ndim == 2
    np.testing.assert_allclose(codes / 65535, PIXELS.mean(axis=2), atol=0.51 / 65535)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_profile_and_exif_are_kept(tmp_path: Path, suffix: str, bits: int) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / f"a{suffix}"
    write_picture(Picture(PIXELS, "srgb", {"icc": icc, "exif": exif(), "bits": bits}), path)
    read = read_picture(path)
    tags = Image.Exif()
    tags.load(read.metadata["exif"])
    assert read.metadata["icc"] == icc
    assert (tags[271], tags[274]) == ("Maker", 6)


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(
        OutputError, match=r"a\.png exists already.*--overwrite it .in Python, overwrite=True.$"
    ):
        write_picture(Picture(PIXELS), path)
    assert path.read_text() == "mine"
    write_picture(Picture(PIXELS), path, overwrite=True)
    assert read_codes(path).shape == PIXELS.shape


@pytest.mark.parametrize(
    "thing", [PIXELS, Image.new("L", (16, 16)), None], ids=lambda thing: type(thing).__name__
)
def test_what_is_no_picture_is_named(tmp_path: Path, thing: Any) -> None:
    with pytest.raises(
        PairError, match=f"the picture is of type {type(thing).__name__}; give a Picture, such as"
    ):
        write_picture(thing, tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "bits"), [("a.jpg", None), ("a", None), ("a.png", 12), ("a.png", 32)])
def test_impossible_settings(tmp_path: Path, name: str, bits: int | None) -> None:
    with pytest.raises(ConfigError):
        write_picture(Picture(PIXELS), tmp_path / name, bits=bits)
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"gone does not exist; create it"):
        prepare_output(tmp_path / "gone" / "a.png")
    with pytest.raises(OutputError, match="is a folder"):
        prepare_output(tmp_path)


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # chmod would not stop the administrator
    for attempt in (prepare_output, lambda path: write_picture(Picture(PIXELS), path)):
        with pytest.raises(OutputError, match=r"a\.png cannot be written \(Permission denied\); choose"):
            attempt(tmp_path / "a.png")


def test_preparing_leaves_nothing_behind(tmp_path: Path) -> None:
    prepare_output(tmp_path / "a.png", suffixes=(".png",))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_half_way_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.bin"
    path.write_text("before")
    with pytest.raises(failure), atomic_output(path, overwrite=True) as unfinished:
        unfinished.write_text("half")
        raise failure
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
    assert path.read_text() == "before"


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"a\.bin cannot be written \(No space left"),
        atomic_output(tmp_path / "a.bin"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(OutputError, match="exists already"), atomic_output(path) as unfinished:
        unfinished.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"


def test_permissions_are_those_of_an_ordinary_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_output(tmp_path / "ours"):
        pass
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
