"""What chunks say beside the pixels, and what a written file says again; read by hand, pypng and Pillow."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
from formats import png_by_hand as hand
from PIL import Image, ImageCms

from dpanet.containers.header import Header
from dpanet.errors import ImageWarning
from dpanet.formats.png import decode_png, encode_png, read_png_header, write_png

RNG = np.random.default_rng(8)
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/">Müller 東京</x:xmpmeta>'.encode()
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
IPTC = b"\x1c\x02\x50\x00\x07M\xc3\xbcller" + b"\x1c\x02\x78\x00\x05hello"
KEYWORD = b"XML:com.adobe.xmp"


def irb(records: bytes, prefix: bytes = b"") -> bytes:
    """Photoshop's resource blocks: another one with a name, then IPTC."""
    other = b"8BIM\x03\xed" + b"\x05named" + struct.pack(">I", 3) + b"abc\0"
    return (
        prefix
        + other
        + b"8BIM\x04\x04\0\0"
        + struct.pack(">I", len(records))
        + records
        + b"\0" * (len(records) % 2)
    )


def picture(*chunks: hand.Chunk, depth: int = 8, **options: Any) -> bytes:
    planes = 1 if options.get("greyscale") else 3
    samples = RNG.integers(0, 2**depth, (16, 20, planes), np.uint16)
    return hand.insert(hand.encode(samples, bitdepth=depth, **{"greyscale": False} | options), chunks)


def decode(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    return decode_png(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "chunk",
    [
        lambda data: (b"eXIf", data),
        lambda data: (b"eXIf", b"Exif\0\0" + data),  # not by the standard, but it occurs
        lambda data: hand.raw_profile("exif", b"Exif\0\0" + data),
        lambda data: hand.raw_profile("exif", data),
        lambda data: hand.raw_profile("APP1", b"Exif\0\0" + data),
        lambda data: hand.raw_profile("exif", b"Exif\0\0" + data, b"tEXt"),
        lambda data: hand.raw_profile("exif", b"Exif\0\0" + data, b"iTXt"),
    ],
)
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_exif_in_each_form(tmp_path: Path, order: str, chunk: Any, before: bytes) -> None:
    exif = hand.exif(order)
    data = hand.insert(picture(), [chunk(exif)], before)
    image = decode(tmp_path, data)
    assert image.exif == exif
    assert "Jürgen".encode() in image.exif


@pytest.mark.parametrize(
    "chunk",
    [
        (b"iTXt", KEYWORD + bytes(5) + XMP),
        (b"iTXt", KEYWORD + b"\0\1\0\0\0" + zlib.compress(XMP)),
        (b"iTXt", KEYWORD + b"\0\0\0de\0" + "Schlüssel".encode() + b"\0" + XMP),
        hand.raw_profile("xmp", XMP),
        hand.raw_profile("APP1", XMP_HEAD + XMP),
    ],
)
def test_xmp_in_each_form(tmp_path: Path, chunk: hand.Chunk) -> None:
    assert decode(tmp_path, picture(chunk)).xmp == XMP


@pytest.mark.parametrize(
    "chunk",
    [
        hand.raw_profile("iptc", IPTC),
        hand.raw_profile("iptc", irb(IPTC)),
        hand.raw_profile("8bim", irb(IPTC)),
        hand.raw_profile("iptc", irb(IPTC, b"Photoshop 3.0\0")),
    ],
)
def test_iptc_in_each_form(tmp_path: Path, chunk: hand.Chunk) -> None:
    assert decode(tmp_path, picture(chunk)).iptc == IPTC


def test_a_standard_chunk_counts_more_than_an_old_text(tmp_path: Path) -> None:
    old = [hand.raw_profile("exif", hand.exif(orientation=3)), hand.raw_profile("xmp", b"<old/>")]
    new = [(b"eXIf", hand.exif(orientation=8)), (b"iTXt", KEYWORD + bytes(5) + XMP)]
    for chunks in (old + new, new + old):
        image = decode(tmp_path, picture(*chunks))
        assert (image.exif, image.xmp) == (hand.exif(orientation=8), XMP)


def test_resolution(tmp_path: Path) -> None:
    image = decode(tmp_path, picture((b"pHYs", struct.pack(">IIB", 11811, 5906, 1))))
    np.testing.assert_allclose(image.resolution, (300, 150), rtol=1e-4)
    assert decode(tmp_path, picture((b"pHYs", struct.pack(">IIB", 3, 2, 0)))).resolution is None


def test_chunks_that_may_be_copied_are(tmp_path: Path) -> None:
    """The last letter of a name says so; what depends on the pixels, such as bKGD or iDOT, is not copied."""
    copied = [
        (b"oFFs", bytes(9)),
        (b"vpAg", bytes(9)),
        (b"prIv", b"x"),
        (b"sTER", b"\0"),
        (b"pHYs", bytes([0, 0, 0, 2, 0, 0, 0, 1, 0])),
    ]
    other = [(b"bKGD", bytes(6)), (b"iDOT", b"x"), (b"tIME", bytes(7)), (b"hIST", bytes(4))]
    image = decode(tmp_path, picture(*copied, *other))
    assert list(image.png) == copied
    written = hand.split(encode_png(image.codes, None, image.metadata))
    assert [part for part in written if part[0] not in (b"IHDR", b"IDAT", b"IEND")] == copied


def test_a_profile_of_rgb_in_a_gray_file_states_the_encoding_but_is_dropped(tmp_path: Path) -> None:
    with pytest.warns(ImageWarning, match="RGB pictures"):
        image = decode(tmp_path, picture(hand.iccp(hand.profile(hand.curv())), greyscale=True))
    assert (image.icc, image.encoding) == (None, "linear")


def test_a_profile_of_tables_is_evaluated(tmp_path: Path) -> None:
    """The tables of a profile whose lightness rises evenly are a display's; with light proportional, linear."""
    for exponent, encoding in ((1.0, "linear"), (2.2, "srgb")):
        image = decode(tmp_path, picture(hand.iccp(tables_of_colors(exponent))))
        assert image.encoding == encoding


def tables_of_colors(exponent: float) -> bytes:
    """A profile with no tone curves: an lut16Type of 33 points from RGB to XYZ, grays only in proportion."""
    grid = 33
    r, g, b = np.meshgrid(*[np.linspace(0, 1, grid) ** exponent] * 3, indexing="ij")
    mix = np.array([[0.436, 0.385, 0.143], [0.222, 0.717, 0.061], [0.014, 0.097, 0.714]])
    xyz = np.stack([r, g, b], -1) @ mix.T
    table = np.rint(xyz * 32768).clip(0, 65535).astype(">u2").tobytes()
    head = (
        b"mft2"
        + bytes(4)
        + bytes([3, 3, grid, 0])
        + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    )
    straight = struct.pack(">2H", 0, 65535) * 3
    tag = head + struct.pack(">2H", 2, 2) + straight + table + straight
    return hand.profile(extra={b"A2B0": tag, b"rXYZ": b"", b"gXYZ": b"", b"bXYZ": b""})


def test_a_profile_that_cannot_be_evaluated_is_named(tmp_path: Path) -> None:
    with pytest.warns(ImageWarning, match="cannot be evaluated"):
        assert decode(tmp_path, picture(hand.iccp(hand.profile()))).encoding == "srgb"


METADATA: dict[str, Any] = {
    "icc": hand.profile(hand.curv(563)),
    "exif": hand.exif(),
    "xmp": XMP,
    "iptc": IPTC,
    "resolution": (300.0, 240.0),
    "png": (
        (b"tEXt", b"Author\0J\xfcrgen"),
        (b"sBIT", b"\x0c\x0b\x0a"),
        (b"cHRM", bytes(range(32))),
        hand.gamma(0.45455),
        hand.cicp(13),
    ),
}


def test_written_chunks_by_hand(tmp_path: Path) -> None:
    codes = RNG.integers(0, 65536, (300, 7, 3)).astype(np.uint16)
    write_png(tmp_path / "a.png", codes, None, METADATA)
    data = (tmp_path / "a.png").read_bytes()
    parts = hand.split(data)
    found = dict(parts)
    names = [name for name, _ in parts]
    assert names[0] == b"IHDR" and names[-1] == b"IEND"
    assert data == data[:8] + b"".join(hand.chunk(*part) for part in parts), "a checksum is wrong"
    assert all(names.index(name) < names.index(b"IDAT") for name in set(names) - {b"IDAT", b"IEND"})
    _, _, packed = found[b"iCCP"].partition(b"\0")
    assert zlib.decompress(packed[1:]) == METADATA["icc"]
    assert found[b"eXIf"] == METADATA["exif"]
    assert found[b"iTXt"] == KEYWORD + bytes(5) + XMP
    assert struct.unpack(">IIB", found[b"pHYs"]) == (11811, 9449, 1)
    assert found[b"cICP"] == bytes([1, 13, 0, 1]) and found[b"sBIT"] == b"\x0c\x0b\x0a"
    assert (b"tEXt", b"Author\0J\xfcrgen") in parts
    digits = zlib.decompress(found[b"zTXt"].partition(b"\0")[2][1:]).split(b"\n")
    assert digits[:3] == [b"", b"iptc", b"%8d" % len(IPTC)]
    assert bytes.fromhex(b"".join(digits[3:]).decode()) == IPTC
    _, _, rows, info = png.Reader(bytes=data).read()
    np.testing.assert_array_equal(np.array([list(row) for row in rows]).reshape(codes.shape), codes)
    assert info["gamma"] == pytest.approx(0.45455)


def test_pillow_reads_what_is_written(tmp_path: Path) -> None:
    codes = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(io.BytesIO(encode_png(codes, None, METADATA | {"icc": icc}))) as image:
        np.testing.assert_array_equal(np.asarray(image), codes)
        assert image.info["icc_profile"] == icc
        assert image.getexif()[274] == 6
        assert image.info["dpi"] == pytest.approx((300, 240), abs=0.02)
        assert image.info["XML:com.adobe.xmp"].encode() == XMP
        assert image.info["Author"] == "Jürgen"


def test_a_written_file_is_read_with_the_same_metadata(tmp_path: Path) -> None:
    codes = RNG.integers(0, 65536, (17, 31, 3)).astype(np.uint16)
    alpha = RNG.integers(0, 65536, (17, 31)).astype(np.uint16)
    write_png(tmp_path / "a.png", codes, alpha, METADATA)
    image = decode_png(tmp_path / "a.png")
    np.testing.assert_array_equal(image.codes, codes)
    np.testing.assert_array_equal(image.alpha, alpha)
    for key in ("icc", "exif", "xmp", "iptc"):
        assert getattr(image, key) == METADATA[key]
    assert set(image.png) == {*METADATA["png"]} - {(b"sBIT", b"\x0c\x0b\x0a")} | {
        (b"sBIT", b"\x0c\x0b\x0a\x10")
    }


@pytest.mark.parametrize(
    ("before", "planes", "depth", "after"),
    [
        (b"\x0c", 1, 16, b"\x0c"),
        (b"\x0c", 2, 16, b"\x0c\x10"),
        (b"\x0c", 3, 8, b"\x08\x08\x08"),
        (b"\x05\x06\x05", 3, 16, b"\x05\x06\x05"),
        (b"\x05\x06\x05", 4, 8, b"\x05\x06\x05\x08"),
        (b"\x05\x06\x05\x01", 3, 8, b"\x05\x06\x05"),
        (b"\x0c\x01", 1, 16, b"\x0c"),
        (b"\x05\x06\x05", 1, 8, b"\x06"),
    ],
)
def test_significant_bits_fit_the_written_channels(
    before: bytes, planes: int, depth: int, after: bytes
) -> None:
    kind = np.uint8 if depth == 8 else np.uint16
    codes = np.zeros((4, 5) if planes < 3 else (4, 5, 3), kind)
    alpha = np.zeros((4, 5), kind) if planes in (2, 4) else None
    data = encode_png(codes, alpha, {"png": ((b"sBIT", before),)})
    assert dict(hand.split(data))[b"sBIT"] == after


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 9), (257, 6)])
def test_pypng_reads_every_kind_that_is_written(planes: int, kind: type, size: tuple[int, int]) -> None:
    samples = RNG.integers(0, np.iinfo(kind).max + 1, (*size, planes)).astype(kind)
    colors = samples[..., : 3 if planes > 2 else 1]
    codes = colors[..., 0] if planes < 3 else colors
    data = encode_png(codes, samples[..., -1] if planes in (2, 4) else None)
    _, _, rows, _ = png.Reader(bytes=data).read()
    np.testing.assert_array_equal(np.array([list(row) for row in rows]).reshape(samples.shape), samples)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("key", [None, b"\0\0", b"\0\0\0\0\0\0", b"\0"])
@pytest.mark.parametrize("gray", [True, False])
def test_the_header_is_as_the_picture_decodes(
    tmp_path: Path, depth: int, key: bytes | None, gray: bool
) -> None:
    if depth < 8 and not gray:
        data = hand.encode(
            RNG.integers(0, 2, (16, 20, 1)), bitdepth=depth, palette=[(k, 0, 0) for k in range(2)]
        )
    else:
        data = picture(depth=depth, greyscale=gray)
    chunks = [(b"eXIf", hand.exif(orientation=7))] + ([(b"tRNS", key)] if key else [])
    path = tmp_path / "a.png"
    path.write_bytes(
        hand.insert(data, chunks, before=b"IDAT") if b"PLTE" not in data else behind_palette(data, chunks)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImageWarning)
        image = decode_png(path)
    channels = (1 if image.gray else 3) + (image.alpha is not None)
    assert read_png_header(path) == Header(20, 16, image.bits, channels, 7)


def behind_palette(data: bytes, chunks: list[hand.Chunk]) -> bytes:
    parts = hand.split(data)
    at = [name for name, _ in parts].index(b"PLTE") + 1
    return data[:8] + b"".join(hand.chunk(*part) for part in [*parts[:at], *chunks, *parts[at:]])
