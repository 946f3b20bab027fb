"""Photographs are read upright and in their stated encoding, or named before the work; depth maps lie on them."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from dpanet.datasets.depth_map import read_depth, read_depth_of
from dpanet.datasets.photographs import (
    check_photographs,
    find_photographs,
    read_photograph,
    split_photographs,
)
from dpanet.errors import DatasetError, ImageWarning, UnreadableImageError
from dpanet.images.header import read_header

ORIENTATIONS = range(1, 9)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(height: int = 20, width: int = 30) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(path: Path, codes: np.ndarray, orientation: int | None = None) -> Path:
    """Write a picture with Pillow, with the orientation tag if there is one."""
    exif = Image.Exif()
    if orientation is not None:
        exif[274] = orientation
    options = {"lossless": True} if path.suffix == ".webp" else {}
    Image.fromarray(codes).save(path, exif=exif, **options)
    return path


def as_viewers_show(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".jpg"])
def test_photographs_are_read_upright(tmp_path: Path, suffix: str) -> None:
    for orientation in ORIENTATIONS:
        path = write(tmp_path / f"a{suffix}", picture(), orientation)
        expected = as_viewers_show(path)
        got = read_photograph(path)
        assert got.shape == expected.shape, orientation
        assert np.abs(got.astype(int) - expected).max() <= (3 if suffix == ".jpg" else 0), orientation


def test_a_linear_photograph_is_encoded_for_display(tmp_path: Path) -> None:
    linear = np.array([[0, 100, 6000, 65535]] * 16, np.uint16)
    png = struct.pack(">IIBBBBB", 4, 16, 16, 0, 0, 0, 0)
    path = tmp_path / "linear.png"
    path.write_bytes(make_png(png, linear, (b"gAMA", struct.pack(">I", 100000))))
    light = linear[0] / 65535
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_array_equal(read_photograph(path)[3, :, 1], np.rint(expected * 255))


def make_png(header: bytes, codes: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    import zlib

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in codes)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path: Path) -> None:
    codes = np.dstack([picture(), np.full((20, 30), 255, np.uint8)])
    np.testing.assert_array_equal(read_photograph(write(tmp_path / "opaque.png", codes)), codes[..., :3])
    codes[4, 5, 3] = 254
    with pytest.raises(UnreadableImageError, match=r"clear\.png has transparent pixels"):
        read_photograph(write(tmp_path / "clear.png", codes))


def test_floats_are_used_and_nan_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(-0.1, 1.1, (20, 30, 3)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=SRGB)
    np.testing.assert_array_equal(
        read_photograph(tmp_path / "a.tif"), np.rint(np.clip(values, 0, 1) * np.float32(255))
    )
    values[0, 0, 0] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=SRGB)
    with pytest.raises(UnreadableImageError, match=r"a\.tif contains NaN"):
        read_photograph(tmp_path / "a.tif")


def test_all_bad_photographs_are_named_with_their_number_before_the_work(tmp_path: Path) -> None:
    for name in range(4):
        write(tmp_path / f"{name}.png", picture())
    codes = np.dstack([picture(), np.full((20, 30), 9, np.uint8)])
    write(tmp_path / "4.png", codes)
    data = bytearray((tmp_path / "1.png").read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "1.png").write_bytes(data)
    files = find_photographs(tmp_path)
    with pytest.raises(DatasetError, match=r"^2 of the 5 photographs in .*1\.png .*4\.png has tra") as caught:
        check_photographs(files)
    assert len(caught.value.problems) == 2
    for name in ("0.png", "2.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DatasetError, match=r"^2 of the 5 photographs in .*0\.png is empty.*2\.png is empty"):
        find_photographs(tmp_path)


def test_pictures_in_other_formats_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.png", picture())
    for name in ("b.HEIC", "c.cr2", "SOURCES.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.warns(ImageWarning, match=r"2 pictures in formats that are not read.* b\.HEIC, c\.cr2;"):
        assert [path.name for path in find_photographs(tmp_path)] == ["a.png"]


def test_a_list_with_names_that_are_not_utf8(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"two.png", b"three.png"):
        write(tmp_path / name.decode("utf-8", "surrogateescape"), picture())
    (tmp_path / "SOURCES.csv").write_bytes(b"\xef\xbb\xbffile,split\ncaf\xe9.png,train\ntwo.png,test\n")
    with pytest.warns(ImageWarning, match=r"does not name 1 photograph .*three\.png"):
        training, held_out = split_photographs(tmp_path)
    assert [path.name for path in training] == ["caf\udce9.png"]
    assert [path.name for path in held_out] == ["two.png"]
    (tmp_path / "SOURCES.csv").write_bytes(b"file,split\ntwo.png\n")
    with pytest.raises(DatasetError, match="a line without file or split"):
        split_photographs(tmp_path)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_a_depth_map_without_a_tag_is_upright_like_the_photograph(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    """As cv2.imread and Pillow's exif_transpose make it, in all orientations and for square pictures, too."""
    for shape in ((20, 30), (20, 20)):
        photograph = write(tmp_path / "a.jpg", picture(*shape), orientation)
        height, width = as_viewers_show(photograph).shape[:2]
        depth = np.random.default_rng(1).integers(1, 60000, (height, width), dtype=np.uint16)
        path = tmp_path / f"a{suffix}"
        write(path, depth) if suffix == ".png" else np.save(path, depth / 1000)
        np.testing.assert_allclose(read_depth_of(read_header(photograph), path), depth / 1000)


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_depth_map_of_the_stored_size_is_turned_with_the_photograph(
    tmp_path: Path, orientation: int
) -> None:
    photograph = write(tmp_path / "a.jpg", picture(), orientation)
    depth = np.random.default_rng(1).integers(1, 60000, (20, 30), dtype=np.uint16)
    tagged = as_viewers_show(write(tmp_path / "tagged.png", depth, orientation))
    got = read_depth_of(read_header(photograph), write(tmp_path / "a.png", depth))
    np.testing.assert_allclose(got, tagged / 1000)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_photograph_and_depth_map_are_turned_each_by_its_own_tag(tmp_path: Path, orientation: int) -> None:
    depth = np.random.default_rng(1).integers(1, 60000, (20, 30), dtype=np.uint16)
    path = write(tmp_path / "d.png", depth, orientation)
    expected = as_viewers_show(path)
    height, width = expected.shape
    upright = write(tmp_path / "upright.png", picture(height, width))
    np.testing.assert_allclose(read_depth_of(read_header(upright), path), expected / 1000)
    alike = write(tmp_path / "alike.jpg", picture(), orientation)
    np.testing.assert_allclose(read_depth_of(read_header(alike), path), expected / 1000)


def test_sizes_are_compared_upright(tmp_path: Path) -> None:
    depth = np.ones((20, 30), np.uint16)
    photograph = write(tmp_path / "p.jpg", picture(), 6)
    with pytest.raises(DatasetError, match=r"d\.png is 30 x 20 px, its photograph 20 x 30, both upright"):
        read_depth_of(read_header(photograph), write(tmp_path / "d.png", depth, 3))
    transparent = Image.merge("LA", [Image.new("L", (30, 20), 9), Image.new("L", (30, 20), 9)])
    transparent.save(tmp_path / "la.png")
    with pytest.raises(UnreadableImageError, match="no 16-bit gray picture"):
        read_depth(tmp_path / "la.png")
