"""Files with what particular programs put into them, against the standards or beside them."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from formats import png_by_hand as hand
from formats.format_table import Case, Expected, judge, table
from formats.tiff_by_hand import RGB, Page, tiff
from PIL import Image

from dpanet.containers.exif import orientation, parse_exif
from dpanet.containers.written_metadata import not_carried
from dpanet.errors import ImageWarning
from dpanet.images.header import read_header
from dpanet.images.reading import read_file, read_picture
from dpanet.images.writing import write_picture

VALUES = np.random.default_rng(5).integers(0, 65536, (37, 45, 3)).astype(np.uint16)
EXIF = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
PATH = b"8BIM\x07\xd0\0\0\0\0\0\4abcd"
IPTC = b"\x1c\x02\x78\0\5hello"


def file_of(*tags: tuple[int, int, Any], **options: Any) -> bytes:
    return tiff(Page(VALUES, photometric=RGB, tags=list(tags), **options))


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    file = io.BytesIO()
    Image.fromarray((VALUES >> 8).astype(np.uint8)).save(file, "JPEG", quality=95)
    data = file.getvalue()
    added = (bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return data[:2] + b"".join(added) + data[2:]


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return hand.insert(hand.encode(VALUES, bitdepth=16, greyscale=False), chunks, b"IEND")


@table("habits of programs")
def cases() -> Iterator[Case]:
    def case(name: str, data: bytes, warning: str | None = None, suffix: str = ".tif", **fields: Any) -> Case:
        expected = Expected(VALUES, fields=tuple(fields.items()))
        if suffix == ".jpg":
            codes = np.array(Image.open(io.BytesIO(data)))
            expected = Expected(codes, tolerance=2, fields=expected.fields)
        return Case(name, lambda path: path.write_bytes(data), expected, suffix, warning)

    size = VALUES.nbytes
    whole = {"rows": 99}
    yield case("no-length-of-the-only-strip", file_of((279, 4, [0]), **whole))
    yield case("strip-longer-than-the-file", file_of((279, 4, [2**31]), **whole))
    yield case("strip-longer-than-needed", file_of((279, 4, [size + 64]), **whole))
    yield case("tiles-longer-than-needed", file_of((325, 4, [2**30] * 6), tile=(16, 32)))
    yield case("rows-without-limit", file_of((278, 4, [2**32 - 1]), **whole))
    cut = file_of((279, 4, [2**31]), (273, 4, [1000]), **whole)
    yield Case("strip-cut", lambda path: path.write_bytes(cut[:size]), "export or copy it again")

    light = np.arange(65536) / 65535
    for name, curve, encoding in (
        ("linear", light, "linear"),
        ("gamma", light**2.2, "srgb"),
        ("gray", light, "linear"),
    ):
        table_ = np.rint(curve * 65535).astype(int).tolist()
        tag = (301, 3, table_ * (1 if name == "gray" else 3))
        yield case(f"transfer-function-{name}", file_of(tag), encoding=encoding)
    wrong_light = (301, 3, np.rint(light**4 * 65535).astype(int).tolist())
    refused = file_of(wrong_light)
    yield Case("transfer-function-odd", lambda path: path.write_bytes(refused), "states a transfer function")
    unknown = struct.pack("<HHI4s", 65000, 99, 1, b"abcd")
    data = file_of((65000, 4, [0x64636261]))
    data = data.replace(struct.pack("<HHI4s", 65000, 4, 1, b"abcd"), unknown)
    yield case("tag-of-another-type", data, "tag 65000 (of the unknown type 99)")

    resolution = ((282, 4, [300]), (283, 4, [150]))
    yield case("resolution-in-integers", file_of(*resolution), resolution=(300.0, 150.0))
    wrong = b"\xff\xfe" + "<x/>".encode("utf-16-le")
    yield case("xmp-in-utf-16", file_of((700, 1, wrong)), "damaged XMP", xmp=None)
    yield case("pointers-to-nowhere", file_of((34665, 4, [0]), (34853, 4, [0])), exif=None)
    yield case("xmp-ending-in-zeros", file_of((700, 1, b"<x/>\0\0")), xmp=b"<x/>")
    inner = "<x/>".encode("utf-16-le")
    yield case("xmp-in-utf-16-without-mark", file_of((700, 1, inner)), "damaged XMP", xmp=None)
    note = file_of(exif=[(37500, 7, bytes(2**20 + 2))])
    yield case("huge-maker-note", note, "tag 37500")
    data = b"Adobe Photoshop Document Data Block\0"
    yield case("layers", file_of((37724, 7, data + b"8BIMLayr" + bytes(9))), "layers of Photoshop")
    yield case("layers-reversed", file_of((37724, 7, data + b"MIB861rL" + bytes(9))), "layers of Photoshop")
    yield case("many-layers", file_of((37724, 7, data + bytes(2**21))), "layers of Photoshop")
    yield case("no-layers", file_of((37724, 7, data + b"8BIMPatt" + bytes(9))))
    yield case("path", file_of((34377, 7, PATH)), "paths of Photoshop")
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
    yield case("iptc-behind-another", file_of((34377, 7, b"MeSa\x0f\xa0\0\0\0\0\0\0" + block)), iptc=IPTC)

    yield case("exif-with-another-byte", jpeg((0xE1, b"Exif\0\xff" + EXIF)), suffix=".jpg", exif=EXIF)
    yield case("path-in-jpeg", jpeg((0xED, b"Photoshop 3.0\0" + PATH)), "paths", ".jpg", iptc=None)
    for text in (b'<x Camera:MotionPhoto="1"/>', b"<x><a:MicroVideo>1</a:MicroVideo></x>"):
        data = jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)) + b"a film"
        yield case(f"motion-photo-{len(text)}", data, "is a motion photo", ".jpg", xmp=text)
    credentials = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa"
    yield case("credentials-in-jpeg", jpeg((0xEB, credentials)), "content credentials", ".jpg")
    for text, chunk in {
        b"plain": (b"tEXt", b"Comment\0plain"),
        b"caf\xe9\0": (b"tEXt", b"Comment\0caf\xe9"),
        b"caf\xc3\xa9": (b"iTXt", b"Comment\0\0\0\0\0caf\xc3\xa9"),
    }.items():
        yield case(f"comment-{text!r}", jpeg((0xFE, text)), suffix=".jpg", png=(chunk,))

    head = b"P6\n# CREATOR: GIMP\n45 37\n#\n#caf\xe9\n65535\n"
    comments = (b"tEXt", b"Comment\0CREATOR: GIMP"), (b"tEXt", b"Comment\0caf\xe9")
    yield case("comments-of-a-ppm", head + VALUES.astype(">u2").tobytes(), suffix=".ppm", png=comments)

    yield case("credentials-in-png", png((b"caBX", b"abc")), "content credentials", ".png")
    for kind, profile in {"generic": b"abc", "8bim": b"8BIM\x03\xed\0\0\0\0\0\4abcd"}.items():
        text = f"\n{kind}\n{len(profile)}\n{profile.hex()}\n".encode()
        kept = b"zTXt", f"Raw profile type {kind}\0\0".encode() + zlib.compress(text)
        yield case(f"raw-profile-{kind}", png(kept), suffix=".png", png=(kept,))


@pytest.mark.parametrize("one", list(cases()), ids=lambda one: one.name)
def test_table(one: Case, tmp_path: Path) -> None:
    result = judge(one, tmp_path)
    assert result.outcome != "wrong", result.reason


def test_tags_that_stay(tmp_path: Path) -> None:
    """The shape of pixels, a resolution in floats, and the name of a scanned document."""
    for tags in (
        [(282, 5, [(2, 1)]), (283, 5, [(1, 1)]), (296, 3, [1])],
        [(282, 11, [300.0]), (283, 11, [150.0])],
        [(269, 2, b"scan 17\0"), (285, 2, b"page 2\0")],
    ):
        (tmp_path / "a.tif").write_bytes(file_of(*tags))
        for suffix in (".tif", ".png"):
            written = tmp_path / f"b{suffix}"
            write_picture(read_picture(tmp_path / "a.tif"), written, overwrite=True)
            exif = parse_exif(read_file(written).exif or b"")
            assert {tag.number for tag in exif.main} == {number for number, _, _ in tags}, suffix


def test_a_comment_reaches_a_png_and_is_named_for_a_tiff(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg((0xFE, "Größe".encode()), (0xE1, b"Exif\0\0" + EXIF)))
    picture = read_picture(tmp_path / "a.jpg")
    write_picture(picture, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.text["Comment"] == "Größe"
    assert orientation(read_file(tmp_path / "b.png").exif) == 6
    assert not_carried(picture.metadata, ".tif") == ["the text Comment"]


def test_the_table_notices_a_warning_that_is_missing(tmp_path: Path) -> None:
    one = next(case for case in cases() if case.warning)
    silent = Case("a", lambda path: path.write_bytes(file_of()), one.expected, warning=one.warning)
    assert judge(silent, tmp_path).outcome == "wrong"
    with pytest.warns(ImageWarning):
        one.write(tmp_path / "a.tif")
        read_file(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["exif", "APP1"])
def test_a_header_has_the_orientation_of_the_picture(kind: str, tmp_path: Path) -> None:
    """A photograph is turned by that of its picture, its depth map by that of its header."""
    profile = b"Exif\0\0" + EXIF
    text = f"\n{kind}\n{len(profile)}\n{profile.hex()}\n".encode()
    chunk = b"zTXt", f"Raw profile type {kind}\0\0".encode() + zlib.compress(text)
    for suffix, data in {".png": png(chunk), ".jpg": jpeg((0xE1, b"Exif\0\xff" + EXIF))}.items():
        path = tmp_path / f"a{suffix}"
        path.write_bytes(data)
        assert read_header(path).orientation == orientation(read_file(path).exif) == 6


@pytest.mark.parametrize("added", [0, 15, 300])
def test_padding_behind_jpeg_in_a_tiff(added: int, tmp_path: Path) -> None:
    """The strip is stored again at the end of the file, with zeros behind it."""
    path = tmp_path / "a.tif"
    Image.fromarray((VALUES >> 8).astype(np.uint8)).save(path, compression="jpeg", quality=95)
    before = read_file(path).codes
    with tifffile.TiffFile(path, mode="r+") as file:
        page = file.pages.first
        (start,), (length,) = page.dataoffsets, page.databytecounts
        strip = path.read_bytes()[start : start + length] + bytes(added)
        end = path.stat().st_size
        page.tags[273].overwrite(end)
        page.tags[279].overwrite(len(strip))
    path.write_bytes(path.read_bytes().ljust(end, b"\0")[:end] + strip)
    np.testing.assert_array_equal(read_file(path).codes, before)
