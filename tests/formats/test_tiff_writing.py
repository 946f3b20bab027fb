import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from formats.tiff_by_hand import PALETTE, Page, tiff
from numpy.typing import NDArray
from PIL import Image, ImageCms

from dpanet.containers.exif import parse_exif
from dpanet.formats import tiff_writing
from dpanet.formats.tiff import decode_tiff
from dpanet.formats.tiff_writing import write_tiff

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Zürich</a></x:xmpmeta>'.encode()
IPTC = b"\x1c\x02\x78\x00\x05caf\xc3\xa9"
ARTIST = "Jürgen © 東京".encode() + b"\0"


def values(kind: str, samples: int) -> NDArray[Any]:
    most = np.iinfo(kind).max if np.dtype(kind).kind == "u" else 1.5
    return (np.random.default_rng(5).random((37, 45, samples)) * most).astype(kind)


def tagged(order: str = "<", big: bool = False) -> bytes:
    """Return a TIFF with all metadata, and with storage that must not reach another file."""
    page = Page(
        values("u1", 1),
        photometric=PALETTE,
        tile=(16, 32),
        tags=[
            (270, 2, "Café".encode("latin-1") + b"\0"),
            (271, 2, b"Maker\0"),
            (274, 3, [8]),
            (282, 5, [(300, 1)]),
            (283, 5, [(600, 2)]),
            (296, 3, [2]),
            (315, 2, ARTIST),
            (320, 3, [257 * (i % 256) for i in range(768)]),
            (700, 1, XMP),
            (33723, 7, IPTC),
            (34675, 7, ICC),
            (34377, 7, b"8BIM"),
            (42112, 2, b"private\0"),
        ],
        exif=[
            (33434, 5, [(1, 125)]),
            (37500, 7, b"maker note"),
            (37510, 7, b"\0\xff\x80"),
            (37521, 2, b"123\0"),
        ],
        gps=[(1, 2, b"N\0"), (2, 5, [(52, 1), (31, 1), (12, 7)]), (29, 2, b"2020:01:01\0")],
    )
    return tiff(page, order=order, big=big)


@pytest.mark.parametrize(
    ("kind", "samples", "alpha"), list(product(("u1", "u2", "f4"), (1, 3), (False, True)))
)
def test_other_programs_read_what_is_written(tmp_path: Path, kind: str, samples: int, alpha: bool) -> None:
    all_values = values(kind, samples + alpha)
    codes = all_values[..., :samples].squeeze()
    opacity = all_values[..., samples] if alpha else None
    icc = ICC if samples == 3 else None
    write_tiff(tmp_path / "a.tif", codes, opacity, {"icc": icc})
    image = decode_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.codes, codes)
    assert (image.alpha is None) == (not alpha)
    expected = all_values.squeeze()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages.first
        np.testing.assert_array_equal(page.asarray(), expected)
        assert page.extrasamples == ((2,) if alpha else ())
        assert page.is_tiled is False
        assert page.compression == 8
    np.testing.assert_array_equal(pyvips.Image.new_from_file(str(tmp_path / "a.tif")).numpy(), expected)
    if kind == "u1":
        with Image.open(tmp_path / "a.tif") as picture:
            np.testing.assert_array_equal(np.asarray(picture), expected)
            assert picture.info.get("icc_profile") == icc


@pytest.mark.parametrize(("order", "big"), list(product("<>", (False, True))))
def test_all_metadata_reach_the_written_file(tmp_path: Path, order: str, big: bool) -> None:
    (tmp_path / "a.tif").write_bytes(tagged(order, big))
    first = decode_tiff(tmp_path / "a.tif")
    assert (first.icc, first.xmp, first.iptc, first.resolution) == (ICC, XMP, IPTC, (300, 300))
    write_tiff(tmp_path / "b.tif", first.codes, None, first.metadata)
    second = decode_tiff(tmp_path / "b.tif")
    for name in ("icc", "xmp", "iptc", "resolution", "encoding"):
        assert getattr(second, name) == getattr(first, name), name
    exif = parse_exif(second.exif or b"")
    texts = {tag.number: tag.data for tag in exif.main}
    assert exif.order == order
    assert texts == {
        270: b"Caf\xe9\0",
        271: b"Maker\0",
        274: struct.pack(f"{order}H", 8),
        315: ARTIST,
        42112: b"private\0",
    }
    assert {tag.number: tag.data for tag in exif.photo} == {
        33434: struct.pack(f"{order}II", 1, 125),
        37500: b"maker note",
        37510: b"\0\xff\x80",
        37521: b"123\0",
    }
    assert {tag.number: tag.data for tag in exif.gps} == {
        1: b"N\0",
        2: struct.pack(f"{order}6I", 52, 1, 31, 1, 12, 7),
        29: b"2020:01:01\0",
    }


def test_other_programs_see_the_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tagged(">"))
    first = decode_tiff(tmp_path / "a.tif")
    write_tiff(tmp_path / "b.tif", first.codes, None, first.metadata)
    with Image.open(tmp_path / "b.tif") as picture:
        exif = picture.getexif()
        assert (exif[274], picture.info["dpi"], picture.info["icc_profile"]) == (8, (300, 300), ICC)
        assert exif.get_ifd(34665)[33434] == 1 / 125
        assert exif.get_ifd(34853)[1] == "N"
        assert picture.tag_v2[700] == XMP
        assert picture.mode == "RGB"
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        tags = file.pages.first.tags
        assert not {tag.code for tag in tags} & {320, 322, 323, 324, 325, 330, 34377}
        assert tags[33723].value == IPTC
        assert tags[34665].value["MakerNote"] == b"maker note"
        assert len(file.pages) == 1
    image = pyvips.Image.new_from_file(str(tmp_path / "b.tif"))
    assert image.get("orientation") == 8
    assert image.get("xmp-data") == XMP
    assert image.get("icc-profile-data") == ICC
    assert image.xres * 25.4 == pytest.approx(300)


def test_exif_of_another_format_keeps_its_resolution_unless_stated(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296], exif[305] = 72.0, 72.0, 2, "software"
    codes = values("u1", 3)
    write_tiff(tmp_path / "a.tif", codes, None, {"exif": exif.tobytes()})
    assert decode_tiff(tmp_path / "a.tif").resolution == (72, 72)
    write_tiff(tmp_path / "a.tif", codes, None, {"exif": exif.tobytes(), "resolution": (118.11 * 2.54, 240)})
    assert decode_tiff(tmp_path / "a.tif").resolution == pytest.approx((299.9994, 240), abs=1e-4)


@pytest.mark.parametrize("order", "<>")
def test_a_maker_note_stays_at_its_offset(tmp_path: Path, order: str) -> None:
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    main = struct.pack(f"{order}HHHIII", 1, 34665, 4, 1, 26, 0)
    photo = struct.pack(f"{order}HHHIII", 1, 37500, 7, 12, 3000, 0)
    exif = (head + main + photo).ljust(3000, b"\0") + b"maker's note"
    for kind in ("u1", "u2", "f4"):
        codes, path = values(kind, 3), tmp_path / f"{kind}.tif"
        write_tiff(path, codes, None, {"exif": exif, "icc": ICC})
        assert path.read_bytes()[3000:3012] == b"maker's note"
        with tifffile.TiffFile(path) as file:
            assert file.byteorder == order
            np.testing.assert_array_equal(file.pages.first.asarray(), codes)
            assert file.pages.first.tags[34665].value["MakerNote"] == b"maker's note"
        image = decode_tiff(path)
        np.testing.assert_array_equal(image.codes, codes)
        assert parse_exif(image.exif or b"").photo[0].place == 3000
        np.testing.assert_array_equal(pyvips.Image.new_from_file(str(path)).numpy(), codes)


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_units_of_resolution(tmp_path: Path, unit: int) -> None:
    tags = [(282, 5, [(118, 1)]), (283, 5, [(118, 1)]), (296, 3, [unit])]
    (tmp_path / "a.tif").write_bytes(tiff(Page(values("u1", 3), tags=tags)))
    inch = {1: None, 2: (118, 118), 3: (pytest.approx(299.72), pytest.approx(299.72))}
    assert decode_tiff(tmp_path / "a.tif").resolution == inch[unit]


def test_iptc_in_longs_and_in_photoshop_resources(tmp_path: Path) -> None:
    record = IPTC + bytes(-len(IPTC) % 4)
    swapped = b"".join(record[at : at + 4][::-1] for at in range(0, len(record), 4))
    other = b"8BIM\x03\xed\0\0\0\0\0\x03abc\0"
    resources = other + b"8BIM\x04\x04\x03abc" + struct.pack(">I", len(IPTC)) + IPTC
    for tags, expected in (
        ([(33723, 4, record)], record),
        ([(33723, 4, swapped)], record),
        ([(34377, 7, resources)], IPTC),
        ([(34377, 7, b"8BIM\x04\x04")], None),
    ):
        (tmp_path / "a.tif").write_bytes(tiff(Page(values("u1", 3), tags=tags)))
        assert decode_tiff(tmp_path / "a.tif").iptc == expected


def test_a_large_file_is_a_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_writing, "_MOST_CLASSIC", 1000)
    exif = Image.Exif()
    exif[274] = 3
    exif.get_ifd(34665)[33434] = 0.5
    codes = values("u2", 3)
    write_tiff(tmp_path / "a.tif", codes, None, {"exif": exif.tobytes(), "icc": ICC})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff
        np.testing.assert_array_equal(file.pages.first.asarray(), codes)
        assert file.pages.first.tags[34665].value["ExposureTime"] == 0.5
    image = decode_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.codes, codes)
    assert image.icc == ICC
