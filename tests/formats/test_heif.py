"""Each AVIF is written by Pillow, libvips or OpenCV; other HEIF files are boxes written by hand."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pyvips
from formats.format_table import Case, Expected, judge, table
from formats.test_jpeg import SRGB, smooth
from PIL import Image, ImageOps

from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.images.header import read_header
from dpanet.images.reading import read_file

DEEP = np.random.default_rng(4).integers(0, 2**16, (40, 56, 3)).astype(np.uint16)


def avif(values: np.ndarray, **options: Any) -> bytes:
    target = io.BytesIO()
    given = {"quality": 100, "subsampling": "4:4:4", "speed": 9, **options}
    Image.fromarray(values).save(target, "AVIF", **given)
    return target.getvalue()


def lossless(codes: np.ndarray, bits: int) -> bytes:
    """Write codes of 10 or 12 bits exactly."""
    image = pyvips.Image.new_from_array(codes << (16 - bits)).copy(interpretation="rgb16")
    return bytes(image.heifsave_buffer(compression="av1", lossless=True, bitdepth=bits, effort=0))


def patched(data: bytes, **codes: int) -> bytes:
    """Change color primaries or transfer function in the box of colors."""
    at = data.index(b"nclx") + 4
    values = bytearray(data)
    for place, name in ((0, "primaries"), (2, "transfer")):
        if name in codes:
            values[at + place : at + place + 2] = codes[name].to_bytes(2, "big")
    return bytes(values)


def box(name: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I", 8 + len(body)) + name + body


def heif(codec: bytes, brand: bytes = b"heic") -> bytes:
    """Write a HEIF file of one picture of 64 x 48 px, without its pixels."""
    infe = box(b"infe", b"\2\0\0\0", b"\0\1\0\0", codec, b"\0")
    ispe = box(b"ispe", bytes(4), struct.pack(">II", 64, 48))
    ipma = box(b"ipma", bytes(4), struct.pack(">IHBB", 1, 1, 1, 1))
    meta = box(
        b"meta",
        bytes(4),
        box(b"hdlr", bytes(8), b"pict", bytes(13)),
        box(b"pitm", bytes(4), b"\0\1"),
        box(b"iinf", bytes(4), b"\0\1", infe),
        box(b"iprp", box(b"ipco", ispe), ipma),
    )
    return box(b"ftyp", brand, bytes(4), b"mif1", brand) + meta + box(b"mdat", bytes(500))


@table("AVIF and HEIF")
def cases() -> Iterator[Case]:
    def case(
        name: str,
        data: bytes,
        values: np.ndarray | str,
        warning: str | None = None,
        tolerance: float = 0,
        **fields: Any,
    ) -> Case:
        expected: Expected | str
        if isinstance(values, str):
            expected = values
        else:
            alpha = values[..., 3] if values.ndim == 3 and values.shape[2] == 4 else None
            colors = values[..., :3] if values.ndim == 3 else values
            expected = Expected(colors, alpha, tolerance, tuple(fields.items()))
        return Case(name, lambda path: path.write_bytes(data), expected, ".avif", warning)

    color, alpha = smooth(3), smooth(4)
    plain = avif(color)
    yield case("8-bit", plain, color, tolerance=3, icc=None, encoding="srgb", png=())
    yield case("8-bit-alpha", avif(alpha), alpha, tolerance=3)
    for sampling in ("4:2:2", "4:2:0"):
        data = avif(color, subsampling=sampling)
        shown = np.array(
            Image.open(io.BytesIO(data))
        )  # which interpolates subsampled colors; libheif repeats them
        yield case(f"8-bit-{sampling}", data, shown, tolerance=32)
    for bits in (10, 12):
        codes = DEEP >> (16 - bits)
        codes[0, 0], codes[0, 1] = 0, 2**bits - 1
        exact = np.rint(codes * (65535 / (2**bits - 1))).astype(np.uint16)
        yield case(f"{bits}-bit", lossless(codes, bits), exact)
        shades = np.rint(color * ((2**bits - 1) / 255)).astype(np.uint16)
        done, data = cv2.imencode(
            ".avif", shades[..., ::-1], [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
        )
        assert done
        wanted = np.rint(shades * (65535 / (2**bits - 1))).astype(np.uint16)
        yield case(f"{bits}-bit-of-opencv", data.tobytes(), wanted, tolerance=700)  # it subsamples colors
    done, data = cv2.imencode(".avif", smooth(1), [cv2.IMWRITE_AVIF_QUALITY, 100])
    assert done
    yield case("gray", data.tobytes(), smooth(1), tolerance=3)
    yield case("icc", avif(color, icc_profile=SRGB), color, tolerance=3, icc=SRGB, encoding="srgb")
    yield case("xmp", avif(color, xmp=b"<x/>"), color, tolerance=3, xmp=b"<x/>")
    yield case("linear", patched(plain, transfer=8), color, tolerance=3, encoding="linear")
    yield case("bt709", patched(plain, transfer=1), color, tolerance=3, encoding="srgb")
    yield case("pq", patched(plain, transfer=16), "PQ")
    yield case("hlg", patched(plain, transfer=18), "HLG")
    wide = (b"cICP", bytes((12, 13, 0, 1)))
    yield case("p3", patched(plain, primaries=12), color, tolerance=3, png=(wide,))
    for way in range(1, 9):
        exif = Image.Exif()
        exif[274] = way
        yield case(f"orientation-{way}", avif(color, exif=exif), color, tolerance=3)
    frames = avif(color, save_all=True, append_images=[Image.fromarray(255 - color)])
    yield case("animation", frames, color, "more than one picture", 12)
    for share in (0.01, 0.1, 0.5, 0.95):
        yield case(f"cut-{share}", plain[: int(len(plain) * share)], "damaged" if share > 0.01 else "")
    at = plain.index(b"ispe") + 8
    yield case("huge", plain[:at] + b"\0\1\0\0\0\1\0\0" + plain[at + 8 :], "--max-megapixels")
    for codec, name in (
        (b"hvc1", "HEVC"),
        (b"avc1", "AVC"),
        (b"vvc1", "VVC"),
        (b"jpeg", "JPEG in HEIF"),
        (b"j2k1", "JPEG 2000 in HEIF"),
        (b"unci", "uncompressed HEIF"),
    ):
        yield case(f"heif-{name}", heif(codec), f"its codec, {name}, is missing")
    yield case("heif-of-nothing", box(b"ftyp", b"heic", bytes(4), b"mif1"), "damaged")
    for brand in (b"isom", b"mp42", b"qt  ", b"M4V "):
        yield case(f"film-{brand.strip().decode()}", box(b"ftyp", brand, bytes(4), brand), "a film")


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = judge(case, tmp_path)
    assert result.outcome != "wrong", result.reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("way", range(1, 9))
def test_pixels_stay_as_stored_and_the_turn_becomes_metadata(tmp_path: Path, way: int) -> None:
    exif = Image.Exif()
    exif[274], exif[271] = way, "Maker"
    values = smooth(3)
    (tmp_path / "a.avif").write_bytes(avif(values, exif=exif))
    upright = Image.fromarray(values)
    upright.getexif()[274] = way
    seen = np.array(ImageOps.exif_transpose(upright)).astype(int)
    decoded = ImageOps.exif_transpose(Image.open(tmp_path / "a.avif"))
    np.testing.assert_allclose(np.array(decoded).astype(int), seen, atol=3, err_msg="the file is as intended")
    file = read_file(tmp_path / "a.avif")
    np.testing.assert_allclose(file.codes.astype(int), values, atol=3)
    assert orientation(file.exif) == way
    again = Image.Exif()
    again.load(file.exif)
    assert again[271] == "Maker"
    assert read_header(tmp_path / "a.avif") == Header(56, 40, 8, 3, way)


def test_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    for data, bits, channels in (
        (lossless(DEEP >> 6, 10), 16, 3),
        (lossless(DEEP >> 4, 12), 16, 3),
        (avif(smooth(4)), 8, 4),
        (cv2.imencode(".avif", smooth(1))[1].tobytes(), 8, 1),
    ):
        path.write_bytes(data)
        assert read_header(path) == Header(56, 40, bits, channels)
        assert read_file(path).bits == bits
