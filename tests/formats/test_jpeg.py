"""Each JPEG is written by Pillow, or patched by hand, and compared with what Pillow decodes."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.format_table import Case, Expected, judge, table
from PIL import Image, ImageCms

from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.errors import ImageWarning, UnreadableImageError
from dpanet.images.header import read_header
from dpanet.images.reading import read_file, read_views

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"http://ns.adobe.com/xap/1.0/\0"
LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
RDF = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
GUID = b"0123456789ABCDEF0123456789ABCDEF"


def smooth(channels: int, seed: int = 1, size: tuple[int, int] = (40, 56)) -> np.ndarray:
    """Make a picture of few details, which JPEG changes little."""
    small = np.random.default_rng(seed).integers(20, 236, (5, 7, channels), dtype=np.uint8)
    image = [
        Image.fromarray(small[..., c]).resize(size[::-1], Image.Resampling.BICUBIC) for c in range(channels)
    ]
    values = np.stack([np.asarray(one) for one in image], -1)
    return values[..., 0] if channels == 1 else values


def jpeg(values: np.ndarray, mode: str | None = None, **options: Any) -> bytes:
    target = io.BytesIO()
    options = {"quality": 95, **options}
    image = Image.fromarray(values) if mode is None else Image.fromarray(values, mode)
    image.save(target, "JPEG", **options)
    return target.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def insert(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def remove(data: bytes, marker: int) -> bytes:
    at = data.index(bytes((0xFF, marker)))
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def inks(data: bytes) -> np.ndarray:
    """Convert CMYK by (1 - ink) (1 - black). Pillow, as OpenCV, takes every file as inverted as Adobe does."""
    values = np.array(Image.open(io.BytesIO(data))).astype(np.float64)
    light = 255 - values
    return np.rint(light[..., :3] * light[..., 3:] / 255).astype(np.uint8)


@table("JPEG")
def cases() -> Iterator[Case]:
    def case(name: str, data: bytes, expected: Any = None, warning: str | None = None, **fields: Any) -> Case:
        if expected is None:
            expected = np.array(Image.open(io.BytesIO(data)))
        if isinstance(expected, np.ndarray):
            expected = Expected(expected, tolerance=1, fields=tuple(fields.items()))
        return Case(name, lambda path: path.write_bytes(data), expected, ".jpg", warning)

    for progressive in (False, True):
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            for restart in (0, 2):
                data = jpeg(
                    smooth(3), progressive=progressive, subsampling=sampling, restart_marker_blocks=restart
                )
                yield case(f"color-{progressive}-{sampling}-{restart}", data, icc=None, exif=None)
        yield case(f"gray-{progressive}", jpeg(smooth(1), progressive=progressive))
        data = jpeg(smooth(4), "CMYK", progressive=progressive)
        yield case(f"cmyk-adobe-{progressive}", data, inks(data), "approximate", encoding="srgb", icc=None)
    for size in ((1, 1), (1, 70), (70, 1), (17, 33)):
        yield case(f"size-{size[0]}x{size[1]}", jpeg(smooth(3, size=size)))
    data = jpeg(smooth(3), keep_rgb=True)
    yield case("rgb-without-conversion", data)
    data = jpeg(smooth(4), "CMYK")
    plain = remove(data, 0xEE)
    yield case("cmyk-without-adobe-marker", plain, inks(plain), "approximate")
    ycck = data.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\2")
    yield case("ycck-adobe", ycck, inks(ycck), "approximate")
    data = jpeg(smooth(3))
    yield case("fill-bytes", data[:2] + b"\xff\xff\xff" + data[2:], np.array(Image.open(io.BytesIO(data))))
    target = io.BytesIO()
    other = Image.fromarray(255 - smooth(3))
    Image.fromarray(smooth(3)).save(target, "MPO", save_all=True, append_images=[other], quality=95)
    views = target.getvalue()
    yield case("two-pictures", views, warning="more than one picture")
    at = views.index(b"MPF\0") + 4 + 66  # the kind of the second picture
    yield case("preview", views[:at] + b"\1\0\1\0" + views[at + 4 :])
    yield case("trailing-data", data + b"\0" * 500 + b"a phone's video")
    yield case("comment", insert(data, segment(0xFE, b"caf\xe9")))
    yield case("icc", jpeg(smooth(3), icc_profile=SRGB), icc=SRGB, encoding="srgb")
    yield case("dpi", jpeg(smooth(3), dpi=(300, 150)), resolution=(300.0, 150.0))
    per_cm = data.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\2\0\x64\0\x32")
    yield case("dots-per-cm", per_cm, resolution=(254.0, 127.0))
    for way in range(1, 9):
        exif = Image.Exif()
        exif[274] = way
        yield case(f"orientation-{way}", jpeg(smooth(3), exif=exif), exif=exif.tobytes()[6:])
    frame = data.index(b"\xff\xc0")
    for marker, word in ((0xC3, "lossless"), (0xC5, "hierarchical"), (0xC7, "lossless"), (0xCB, "lossless")):
        yield case(f"frame-{marker:x}", data[: frame + 1] + bytes([marker]) + data[frame + 2 :], word)
    yield case("12-bit", data[: frame + 4] + b"\x0c" + data[frame + 5 :], "12 bits")
    yield case("no-frame", remove(data, 0xC0), "damaged")
    yield case("two-channels", data[: frame + 9] + b"\2" + data[frame + 10 :], "2 channels")
    huge = data[: frame + 5] + b"\xff\xff\xff\xff" + data[frame + 9 :]
    yield case("claims-4000-megapixels", huge, "--max-megapixels")
    for share in (0.01, 0.1, 0.4, 0.9, 0.99):
        for progressive in (False, True):
            whole = jpeg(smooth(3, size=(160, 160)), progressive=progressive)
            yield case(f"cut-{share}-{progressive}", whole[: int(len(whole) * share)], "damaged")
    noise = jpeg(np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    middle = len(noise) * 2 // 3
    yield case("overwritten", noise[:middle] + b"\xff\xd3" + bytes(60) + noise[middle + 62 :], "damaged")
    sound = np.array(Image.open(io.BytesIO(data)))
    yield case(
        "broken-exif",
        insert(data, segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\0")),
        sound,
        warning="EXIF",
        exif=None,
    )
    yield case(
        "broken-icc",
        insert(data, segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(200))),
        sound,
        warning="ICC",
        icc=None,
    )
    part = segment(0xE2, b"ICC_PROFILE\0\1\2" + SRGB)
    yield case("incomplete-icc", insert(data, part), sound, warning="incomplete", icc=None)
    yield case("broken-xmp", insert(data, segment(0xE1, XMP + b"\xff\xfe")), sound, warning="XMP", xmp=None)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path) -> None:
    result = judge(case, tmp_path)
    assert result.outcome != "wrong", result.reason


def read(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    return read_file(path)


def test_iptc_may_be_spread_over_segments(tmp_path: Path) -> None:
    records = b"\x1c\x02\x78\x00\x05hello" + b"\x1c\x02\x50\x00\x04caf\xe9"
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + b"\0" * (len(records) % 2)
    other = b"8BIM\x03\xed\0\0" + struct.pack(">I", 4) + b"abcd"
    data = jpeg(smooth(3))
    head = b"Photoshop 3.0\0"
    assert read(tmp_path / "a.jpg", insert(data, segment(0xED, head + other + block))).iptc == records
    parts = segment(0xED, head + other + block[:9]), segment(0xED, head + block[9:])
    assert read(tmp_path / "b.jpg", insert(data, *parts)).iptc == records


def long_xmp(main: bytes, extension: bytes, size: int = 30, total: int | None = None) -> list[bytes]:
    pieces = [
        GUID + struct.pack(">II", total or len(extension), at) + extension[at : at + size]
        for at in range(0, len(extension), size)
    ]
    return [segment(0xE1, XMP + main), *(segment(0xE1, LONG_XMP + piece) for piece in reversed(pieces))]


def test_extended_xmp_becomes_part_of_the_packet(tmp_path: Path) -> None:
    main = (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF " + RDF + b"><rdf:Description rdf:about='' "
        b"xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='"
        + GUID
        + b"'/></rdf:RDF></x:xmpmeta>"
    )
    extension = (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF " + RDF + b"><rdf:Description rdf:about='' "
        b"xmlns:a='urn:a' a:depth='" + b"0" * 100 + b"'/></rdf:RDF></x:xmpmeta>"
    )
    data = jpeg(smooth(3))
    xmp = read(tmp_path / "a.jpg", insert(data, *long_xmp(main, extension))).xmp
    assert b"a:depth='000" in xmp
    assert b"HasExtendedXMP" not in xmp
    assert xmp.count(b"<rdf:Description") == 2
    with pytest.warns(ImageWarning, match="only its main part"):
        xmp = read(tmp_path / "b.jpg", insert(data, *long_xmp(main, extension, total=999))).xmp
    assert b"a:depth" not in xmp
    assert b"HasExtendedXMP" not in xmp


def test_cmyk_with_a_profile_is_converted_by_it(tmp_path: Path) -> None:
    pyvips = pytest.importorskip("pyvips")
    source = pyvips.Operation.call("profile_load", "cmyk")
    profile = bytes(source)
    values = smooth(4)
    data = jpeg(values, "CMYK", icc_profile=profile, quality=100)
    with pytest.warns(ImageWarning, match="converted to sRGB by the ICC profile"):
        came = read(tmp_path / "a.jpg", data)
    stored = Image.open(io.BytesIO(data))
    wanted = ImageCms.profileToProfile(
        stored,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert wanted is not None
    np.testing.assert_allclose(came.codes.astype(int), np.array(wanted).astype(int), atol=3)
    assert (came.icc, came.encoding) == (None, "srgb")


def test_two_views_in_cmyk_are_named_once(tmp_path: Path) -> None:
    left, right = tmp_path / "l.jpg", tmp_path / "r.jpg"
    for path, seed in ((left, 0), (right, 1)):
        path.write_bytes(jpeg(np.roll(smooth(4), seed, axis=1), "CMYK"))
    with pytest.warns(ImageWarning) as caught:
        read_views(left, right)
    (note,) = (str(one.message) for one in caught)
    assert note.startswith(f"{left} and {right} are in CMYK; the colors were converted to sRGB by a rule")


def test_the_header_is_that_of_the_decoded_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    for values, mode, channels in ((smooth(1), None, 1), (smooth(3), None, 3), (smooth(4), "CMYK", 3)):
        (tmp_path / "a.jpg").write_bytes(jpeg(values, mode, exif=exif))
        assert read_header(tmp_path / "a.jpg") == Header(56, 40, 8, channels, 6)
    assert orientation(read(tmp_path / "a.jpg", jpeg(smooth(3), exif=exif)).exif) == 6
    (tmp_path / "a.jpg").write_bytes(jpeg(smooth(3))[:100])
    with pytest.raises(UnreadableImageError, match="truncated"):
        read_header(tmp_path / "a.jpg")
