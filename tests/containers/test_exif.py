import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dpanet.containers.exif import (
    Exif,
    camera,
    check_exif,
    drop_storage,
    orientation,
    parse_exif,
    serialize_exif,
)
from dpanet.containers.tiff_structure import SIZES, Tag
from dpanet.errors import ImageWarning

COPYRIGHT = "© Jürgen Müller, 東京".encode()


def by_pillow() -> bytes:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Maker", "Model 5", 6
    exif.get_ifd(34665)[33434] = IFDRational(1, 125)
    exif.get_ifd(34665)[37500] = b"maker note"
    exif.get_ifd(34853)[1] = "N"
    exif.get_ifd(34853)[2] = (IFDRational(52), IFDRational(31), IFDRational(12, 7))
    return exif.tobytes()


def directory(*entries: tuple[int, int, int, bytes], following: int = 0) -> bytes:
    """Return a little-endian directory of tags whose values fit in it, or whose 4 bytes are an offset."""
    body = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def bare(*entries: tuple[int, int, int, bytes], following: int = 0, rest: bytes = b"") -> bytes:
    return b"II*\0\x08\0\0\0" + directory(*entries, following=following) + rest


def test_every_value_survives_byte_for_byte() -> None:
    data = by_pillow()
    parsed = parse_exif(data.removeprefix(b"Exif\0\0"))
    assert [tag.number for tag in parsed.main] == [271, 272, 274]
    assert [tag.number for tag in parsed.photo] == [33434, 37500]
    assert parsed.photo[1].data == b"maker note"
    again = parse_exif(serialize_exif(parsed))
    assert again == parsed


def test_text_that_is_not_ascii_and_unknown_tags() -> None:
    tags = (
        Tag(33432, 2, len(COPYRIGHT) + 1, COPYRIGHT + b"\0"),
        Tag(50000, 7, 3, b"\xff\xfe\xfd"),
        Tag(60000, 12, 1, struct.pack("<d", 0.1)),
    )
    exif = Exif(
        "<", tags, photo=(Tag(37510, 7, 5, b"\0\xe9\xff\x01\x02"),), interop=(Tag(1, 2, 4, b"R98\0"),)
    )
    read = Image.Exif()
    read.load(serialize_exif(exif))
    assert parse_exif(serialize_exif(exif)) == exif
    assert read[60000] == 0.1
    assert read.get_ifd(34665)[37510] == b"\0\xe9\xff\x01\x02"
    assert read.get_ifd(40965)[1] == "R98"


def test_pillow_reads_what_is_written() -> None:
    read = Image.Exif()
    read.load(serialize_exif(parse_exif(by_pillow().removeprefix(b"Exif\0\0"))))
    assert (read[271], read[274]) == ("Maker", 6)
    assert read.get_ifd(34665)[33434] == IFDRational(1, 125)
    assert read.get_ifd(34853)[2] == (52.0, 31.0, IFDRational(12, 7))


def test_orientation_and_camera() -> None:
    data = by_pillow()
    assert (orientation(data), camera(data)) == (6, ("Maker", "Model 5"))
    assert (orientation(data[6:]), orientation(None), orientation(b"nonsense")) == (6, 1, 1)
    assert camera(None) == camera(b"") == ("", "")
    assert [orientation(bare((274, 3, 1, struct.pack("<H", value)))) for value in (0, 8, 9)] == [1, 8, 1]


def test_storage_and_thumbnail_are_left_out() -> None:
    numbers = (256, 258, 259, 262, 273, 279, 320, 330, 338, 513, 514, 700, 33723, 34377, 34675, 50706)
    exif = Exif("<", tuple(Tag(number, 4, 1, bytes(4)) for number in (*numbers, 271)))
    assert [tag.number for tag in drop_storage(exif).main] == [271]
    pages = Tag(270, 2, 17, b"ImageJ=1.53\nimag\0")
    assert drop_storage(Exif("<", (pages,))).main == ()


def test_sound_data_stays_in_place_without_its_thumbnail() -> None:
    thumb = directory((513, 4, 1, struct.pack("<I", 44)), (514, 4, 1, struct.pack("<I", 4)))
    data = bare((274, 3, 1, b"\x06"), following=26, rest=thumb)
    kept = check_exif(data)
    assert kept is not None
    assert len(kept) == len(data)
    assert parse_exif(kept).following == 0
    assert check_exif(by_pillow()) == by_pillow()[6:]


@pytest.mark.parametrize(
    "broken", [b"", b"II", b"Exif\0\0", b"II*\0\xff\0\0\0", b"XX*\0\x08\0\0\0" + bytes(30)]
)
def test_broken_data_is_none(broken: bytes) -> None:
    assert check_exif(broken) is None


def test_a_part_that_is_broken_is_left_out_with_a_warning() -> None:
    offset = struct.pack("<I", 9999)
    data = bare((271, 2, 4, b"abc\0"), (272, 2, 40, offset), (34665, 4, 1, offset), (34853, 4, 1, offset))
    with pytest.warns(
        ImageWarning, match=r"a\.jpg has damaged EXIF; tag 272, the Exif directory, the GPS directory"
    ):
        kept = check_exif(data, Path("a.jpg"))
    assert kept is not None
    assert camera(kept) == ("abc", "")
    assert parse_exif(kept).lost == ()


def test_directories_that_point_at_each_other_end() -> None:
    data = bare((34665, 4, 1, struct.pack("<I", 8)))
    assert parse_exif(data).lost == ("the Exif directory",)


def test_overlapping_values_do_not_fill_memory() -> None:
    entries = [(50000 + i, 7, 1 << 19, struct.pack("<I", 8)) for i in range(2000)]
    assert check_exif(bare(*entries, rest=bytes(1 << 19))) is None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_round_trip_of_any_tags(data: st.DataObject) -> None:
    """Each type with each count, in both byte orders."""
    order = data.draw(st.sampled_from("<>"))
    tags = []
    for number in sorted(data.draw(st.sets(st.integers(50_000, 50_600), min_size=1, max_size=6))):
        kind = data.draw(st.sampled_from([kind for kind in SIZES if kind < 16]))
        count = data.draw(st.integers(1, 9))
        size = count * SIZES[kind]
        tags.append(Tag(number, kind, count, data.draw(st.binary(min_size=size, max_size=size))))
    exif = Exif(order, tuple(tags), tuple(tags), tuple(tags))  # type: ignore[arg-type]
    assert parse_exif(serialize_exif(exif)) == exif


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 230), st.binary(min_size=1, max_size=4), st.integers(0, 230))
def test_damage_never_raises(at: int, spoil: bytes, cut: int) -> None:
    data = bytearray(by_pillow()[6:])
    data[at : at + len(spoil)] = spoil
    for part in (bytes(data), bytes(data[:cut])):
        kept = check_exif(part)
        orientation(part)
        camera(part)
        if kept:
            assert parse_exif(kept).lost == ()
