"""EXIF of raw files: of a CR3, whose boxes are written by hand, and of TIFF files."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from camera_raw.dng_by_hand import write_dng

from dpanet.camera_raw.camera_exif import read_black_levels, read_exif
from dpanet.containers.exif import camera, orientation, parse_exif
from dpanet.errors import ImageWarning

CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


def box(name: bytes, contents: bytes, *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, name, 16 + len(contents)) + contents
    return struct.pack(">I4s", 8 + len(contents), name) + contents


def tiff(*tags: tuple[int, int, int, bytes]) -> bytes:
    """A little-endian TIFF structure of one directory; values of at most four bytes stay in it."""
    body, place = b"", 8 + 2 + 12 * len(tags) + 4
    entries = b""
    for number, kind, count, value in tags:
        if len(value) <= 4:
            entries += struct.pack("<HHI4s", number, kind, count, value)
        else:
            entries += struct.pack("<HHII", number, kind, count, place + len(body))
            body += value + b"\0" * (len(value) % 2)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + body


def text(number: int, value: bytes) -> tuple[int, int, int, bytes]:
    return number, 2, len(value) + 1, value + b"\0"


def short(number: int, value: int) -> tuple[int, int, int, bytes]:
    return number, 3, 1, struct.pack("<H", value)


MAIN = (text(271, b"Canon"), text(272, b"Canon EOS R5"), short(274, 8), text(306, b"2026:11:26 04:00:00"))
PHOTO = (
    short(34855, 400),
    text(42036, b"RF50mm F1.2 L USM"),
    (37500, 7, 6, b"secret"),
    short(40961, 65535),
    short(40962, 99),
)
PLACE = ((1, 2, 2, b"N\0"), (2, 5, 3, struct.pack("<6I", 47, 1, 30, 1, 0, 1)))


def write_cr3(path: Path, *boxes: bytes, large: bool = False) -> Path:
    head = box(b"ftyp", b"crx \0\0\0\1crx isom")
    inside = box(b"uuid", CANON + box(b"CNCV", b"CanonCR3_001") + b"".join(boxes))
    path.write_bytes(
        head + box(b"moov", inside + box(b"mvhd", bytes(20)), large=large) + box(b"mdat", bytes(64))
    )
    return path


@pytest.mark.parametrize("large", [False, True])
def test_exif_of_a_cr3(large: bool, tmp_path: Path) -> None:
    boxes = [box(name, tiff(*tags)) for name, tags in ((b"CMT1", MAIN), (b"CMT2", PHOTO), (b"CMT4", PLACE))]
    data = read_exif(write_cr3(tmp_path / "a.cr3", *boxes, large=large), flip=5)
    assert data is not None
    assert camera(data) == ("Canon", "Canon EOS R5") and orientation(data) == 8
    exif = parse_exif(data)
    photo = {tag.number: tag.data for tag in exif.photo}
    assert photo[34855] == struct.pack("<H", 400) and photo[42036] == b"RF50mm F1.2 L USM\0"
    assert photo[40961] == struct.pack("<H", 1)  # the developed picture is sRGB
    assert 37500 not in photo and 40962 not in photo
    assert {tag.number: tag.data for tag in exif.gps}[2] == struct.pack("<6I", 47, 1, 30, 1, 0, 1)


def test_another_program_reads_what_was_carried_over(tmp_path: Path) -> None:
    from PIL import Image

    boxes = [box(b"CMT1", tiff(*MAIN)), box(b"CMT2", tiff(*PHOTO)), box(b"CMT4", tiff(*PLACE))]
    data = read_exif(write_cr3(tmp_path / "a.cr3", *boxes), flip=0)
    Image.new("RGB", (16, 16)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + data)
    with Image.open(tmp_path / "a.jpg") as picture:
        exif = picture.getexif()
    assert (exif[271], exif[306], exif[274]) == ("Canon", "2026:11:26 04:00:00", 8)
    assert exif.get_ifd(0x8769)[42036] == "RF50mm F1.2 L USM" and exif.get_ifd(0x8825)[2] == (47.0, 30.0, 0.0)


@pytest.mark.parametrize(("flip", "expected"), [(0, 1), (3, 3), (5, 8), (6, 6)])
def test_an_orientation_that_only_libraw_knows_is_stated(flip: int, expected: int, tmp_path: Path) -> None:
    file = write_dng(tmp_path / "a.dng", [np.zeros((32, 32), np.uint16)], orientation=None)
    data = read_exif(file, flip)
    assert data is not None
    assert [tag.data for tag in parse_exif(data).main if tag.number == 274] == [struct.pack("<H", expected)]


@pytest.mark.parametrize("damage", ["no CMT1", "cut box", "no TIFF"])
def test_damaged_exif_is_left_out_with_a_remark(damage: str, tmp_path: Path) -> None:
    main = {
        "no CMT1": b"",
        "cut box": box(b"CMT1", tiff(*MAIN))[:-30],
        "no TIFF": box(b"CMT1", b"nothing at all"),
    }[damage]
    with pytest.warns(ImageWarning, match=r"a\.cr3 has EXIF that cannot be read"):
        data = read_exif(write_cr3(tmp_path / "a.cr3", main), flip=6)
    assert orientation(data) == 6 and camera(data) == ("", "")


def test_levels_of_frames_that_are_samples(tmp_path: Path) -> None:
    frames = [np.zeros((32, 32), np.uint16)] * 2
    both, side = read_black_levels(
        write_dng(tmp_path / "a.dng", frames, "samples", black=[(1, 2, 3, 4), (5, 6, 7, 8)])
    )
    np.testing.assert_array_equal(both, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(side, [[5, 6], [7, 8]])
    both, side = read_black_levels(write_dng(tmp_path / "b.dng", frames, "samples", black=9))
    np.testing.assert_array_equal([both, side], np.full((2, 2, 2), 9))
    for layout in ("pages", "subifds"):  # LibRaw reads these right
        assert read_black_levels(write_dng(tmp_path / f"{layout}.dng", frames, layout)) is None
    tifffile.imwrite(tmp_path / "c.tif", frames[0])
    assert read_black_levels(tmp_path / "c.tif") is None
