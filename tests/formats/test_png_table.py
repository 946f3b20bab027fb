"""Hundreds of PNG files of other writers: every kind of pixel, every way to state an encoding, every damage."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import png
import pytest
from formats import png_by_hand as hand
from formats.format_table import Case, Expected, judge, table
from numpy.typing import NDArray
from PIL import Image

RNG = np.random.default_rng(20)

KINDS = [(0, depth) for depth in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)]
SIZES = [(1, 1), (7, 5), (17, 33)]
PLANES = {0: 1, 2: 3, 4: 2, 6: 4}


def samples(size: tuple[int, int], planes: int, depth: int) -> NDArray[Any]:
    return np.asarray(RNG.integers(0, 2**depth, (*size, planes), np.uint16))


def widen(values: NDArray[Any], depth: int) -> NDArray[Any]:
    """Convert samples to the depth that is read: 8 or 16 bits, black and white as before."""
    if depth == 16:
        return values.astype(np.uint16)
    return (values.astype(np.uint32) * 255 // (2**depth - 1)).astype(np.uint8)


def expected(values: NDArray[Any], depth: int, alpha: NDArray[Any] | None = None, **fields: Any) -> Expected:
    """Split samples, H x W x planes, into colors and alpha."""
    if values.shape[2] in (2, 4):
        alpha = widen(values[..., -1], depth)
        values = values[..., :-1]
    codes = widen(values, depth)
    return Expected(codes[..., 0] if codes.shape[2] == 1 else codes, alpha, fields=tuple(fields.items()))


def options(color: int, depth: int, interlace: bool) -> dict[str, Any]:
    return {"greyscale": color in (0, 4), "alpha": color >= 4, "bitdepth": depth, "interlace": interlace}


@table("PNG pixels")
def pixel_cases() -> Iterator[Case]:
    for color, depth in KINDS:
        for interlace in (False, True):
            for size in SIZES:
                values = samples(size, PLANES[color], depth)
                data = hand.encode(values, **options(color, depth, interlace))
                name = f"color{color}-{depth}bit-{size[0]}x{size[1]}{'-interlaced' * interlace}"
                yield Case(name, hand.write(data), expected(values, depth), ".png")
                if color in (0, 2):
                    yield from key_cases(name, values, color, depth, interlace)
    for depth in (1, 2, 4, 8):
        for interlace in (False, True):
            for size in SIZES:
                yield from palette_cases(
                    f"palette-{depth}bit-{size[0]}x{size[1]}-{interlace}", size, depth, interlace
                )


def key_cases(name: str, values: NDArray[Any], color: int, depth: int, interlace: bool) -> Iterator[Case]:
    """A transparent color; bits above the depth do not count; a color that only nearly fits is opaque."""
    key = values[-1, -1].copy()
    values = values.copy()
    if len(values) > 1:
        values[0, 0] = key ^ np.uint16(1)
    clear = (values == key).all(axis=2)
    opaque = 65535 if depth == 16 else 255
    alpha = np.where(clear, 0, opaque).astype(np.uint16 if depth == 16 else np.uint8)
    for above in (0, 0x8000) if depth < 16 else (0,):
        data = hand.encode(values, **options(color, depth, interlace))
        data = hand.insert(data, [(b"tRNS", struct.pack(f">{len(key)}H", *(int(v) | above for v in key)))])
        yield Case(f"{name}-key{above}", hand.write(data), expected(values, depth, alpha), ".png")


def palette_cases(name: str, size: tuple[int, int], depth: int, interlace: bool) -> Iterator[Case]:
    colors = RNG.integers(0, 256, (2**depth, 3))
    index = samples(size, 1, depth)
    for count in (0, 1, 2**depth):
        entries = [tuple(int(v) for v in row) for row in colors]
        alphas = RNG.integers(0, 256, count)
        entries = [(*entry, int(alphas[k])) if k < count else entry for k, entry in enumerate(entries)]
        data = hand.encode(index, bitdepth=depth, palette=entries, interlace=interlace)
        all_alphas = np.append(alphas, np.full(2**depth - count, 255)).astype(np.uint8)
        alpha = all_alphas[index[..., 0]] if count else None
        codes = colors[index[..., 0]].astype(np.uint8)
        yield Case(f"{name}-{count}alphas", hand.write(data), Expected(codes, alpha), ".png")


def srgb(x: float) -> float:
    return float(x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4)


def pq(x: float) -> float:
    """SMPTE ST 2084, from its constants."""
    root = x ** (1 / 78.84375)
    return float((max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125))


def hlg(x: float) -> float:
    """ITU-R BT.2100, from its constants."""
    return float(x * x / 3 if x <= 0.5 else (np.exp((x - 0.55991073) / 0.17883277) + 0.28466892) / 12)


PROFILES: dict[str, tuple[bytes, str]] = {
    "curv-none": (hand.curv(), "linear"),
    "curv-1.0": (hand.curv(256), "linear"),
    "curv-2.2": (hand.curv(563), "srgb"),
    "curv-1.8": (hand.curv(461), "srgb"),
    "curv-1.4": (hand.curv(358), "refused"),
    "curv-0.45": (hand.curv(115), "refused"),
    "curv-two-points": (hand.curv(0, 65535), "linear"),
    "curv-inverted": (hand.curv(65535, 0), "refused"),
    "curv-black": (hand.curv(0, 0), "refused"),
    "sampled-srgb": (hand.sampled(srgb, 1024), "srgb"),
    "sampled-linear": (hand.sampled(lambda x: x, 4096), "linear"),
    "sampled-bt709": (
        hand.sampled(lambda x: x / 4.5 if x < 0.081 else ((x + 0.099) / 1.099) ** (1 / 0.45)),
        "srgb",
    ),
    "sampled-lstar": (hand.sampled(lambda x: x / 9.033 if x < 0.08 else ((x + 0.16) / 1.16) ** 3), "srgb"),
    "sampled-pq": (hand.sampled(pq, 1024), "refused"),
    "sampled-hlg": (hand.sampled(hlg, 1024), "refused"),
    "sampled-log": (hand.sampled(lambda x: float(10 ** ((x - 1) * 2)), 1024), "refused"),
    "para0-linear": (hand.para(0, 1), "linear"),
    "para0-2.6": (hand.para(0, 2.6), "srgb"),
    "para0-3": (hand.para(0, 3), "refused"),
    "para1": (hand.para(1, 2.2, 1, 0), "srgb"),
    "para2": (hand.para(2, 2.2, 1, 0, 0), "srgb"),
    "para3-srgb": (hand.para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), "srgb"),
    "para4-linear": (hand.para(4, 1, 1, 0, 1, 0, 0, 0), "linear"),
}


@table("PNG encodings")
def encoding_cases() -> Iterator[Case]:
    for color, depth in ((0, 8), (0, 16), (2, 8), (2, 16), (6, 16)):
        for name, chunks, encoding in stating_chunks(gray=color == 0):
            values = samples((3, 4), PLANES[color], depth)
            data = hand.insert(hand.encode(values, **options(color, depth, False)), chunks)
            wanted: Expected | str = expected(values, depth, encoding=encoding)
            if encoding == "refused":
                wanted = "sRGB or linear values"
            yield Case(f"{name}-color{color}-{depth}bit", hand.write(data), wanted, ".png")


def stating_chunks(gray: bool) -> Iterable[tuple[str, list[hand.Chunk], str | None]]:
    """Yield name, chunks, and the encoding that they state."""
    yield "nothing", [], None
    for exponent, encoding in ((1.0, "linear"), (0.98, "linear"), (0.45455, "srgb"), (1 / 1.8, "srgb")):
        yield f"gama{exponent:.3f}", [hand.gamma(exponent)], encoding
    for exponent in (0.7, 0.3, 1.2, 2.2):
        yield f"gama{exponent}", [hand.gamma(exponent)], "refused"
    for intent in range(4):
        yield f"srgb{intent}", [(b"sRGB", bytes([intent]))], "srgb"
    for code in (1, 4, 6, 7, 13, 14, 15):
        yield f"cicp{code}", [hand.cicp(code)], "srgb"
    for code in (5, 9, 10, 16, 17, 18, 200):
        yield f"cicp{code}", [hand.cicp(code, primaries=9)], "refused"
    yield "cicp8", [hand.cicp(8)], "linear"
    yield "cicp2-alone", [hand.cicp(2)], None
    space = b"GRAY" if gray else b"RGB "
    for name, (curve, encoding) in PROFILES.items():
        yield f"icc-{name}", [hand.iccp(hand.profile(curve, space=space))], encoding
    linear, display = hand.profile(hand.curv(), space=space), hand.profile(hand.curv(563), space=space)
    tag = {b"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1])}
    yield "icc-cicp-tag-pq", [hand.iccp(hand.profile(hand.curv(563), space=space, extra=tag))], "refused"
    tag = {b"cicp": b"cicp" + bytes(4) + bytes([1, 8, 0, 1])}
    yield "icc-cicp-tag-linear", [hand.iccp(hand.profile(hand.curv(563), space=space, extra=tag))], "linear"
    if not gray:
        mixed = hand.profile(hand.curv(), hand.curv(563), hand.curv(563))
        yield "icc-mixed-curves", [hand.iccp(mixed)], "refused"
    # which of several counts: cICP, then iCCP, then sRGB, then gAMA, in any order of the file
    yield "cicp-over-icc", [hand.iccp(linear), hand.cicp(13)], "srgb"
    yield (
        "cicp-linear-over-all",
        [hand.gamma(0.45455), (b"sRGB", b"\0"), hand.iccp(display), hand.cicp(8)],
        "linear",
    )
    yield "cicp2-and-icc", [hand.cicp(2), hand.iccp(linear)], "linear"
    yield "cicp2-and-gama", [hand.cicp(2), hand.gamma(1)], "linear"
    yield (
        "cicp-srgb-over-pq-profile",
        [hand.cicp(13), hand.iccp(hand.profile(hand.sampled(pq), space=space))],
        "srgb",
    )
    yield "icc-over-srgb", [(b"sRGB", b"\0"), hand.iccp(linear)], "linear"
    yield "icc-over-gama", [hand.gamma(1), hand.iccp(display)], "srgb"
    yield "icc-over-odd-gama", [hand.gamma(0.7), hand.iccp(display)], "srgb"
    yield "srgb-over-gama", [hand.gamma(1), (b"sRGB", b"\0")], "srgb"
    yield "gama-twice", [hand.gamma(1), hand.gamma(0.45455)], "linear"


@table("PNG damage")
def damage_cases() -> Iterator[Case]:
    values = samples((9, 8), 3, 16)
    right = expected(values, 16)
    plain = hand.encode(values, **options(2, 16, False))
    chunks = {
        "gAMA": hand.gamma(1),
        "cHRM": (b"cHRM", bytes(32)),
        "sRGB": (b"sRGB", b"\0"),
        "cICP": hand.cicp(8),
        "iCCP": hand.iccp(hand.profile(hand.curv())),
        "eXIf": (b"eXIf", hand.exif()),
        "tEXt": (b"tEXt", b"Author\0me"),
        "zTXt": hand.raw_profile("exif", hand.exif()),
        "iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
        "pHYs": (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        "sBIT": (b"sBIT", b"\x0c\x0c\x0c"),
        "tRNS": (b"tRNS", bytes(6)),
        "tIME": (b"tIME", bytes(7)),
        "vpAg": (b"vpAg", bytes(9)),
    }
    for name, part in chunks.items():
        data = bytearray(hand.insert(plain, [part]))
        data[data.index(part[0]) + 4] ^= 0x55
        yield Case(f"checksum-{name}", hand.write(bytes(data)), right, ".png", f"damaged {name} chunk")
    for name, part in broken_parts():
        data = hand.insert(plain, [part])
        yield Case(f"broken-{name}", hand.write(data), right, ".png", reason(name, part))
    late = hand.insert(plain, [hand.iccp(hand.profile(hand.curv()))], before=b"IEND")
    yield Case("profile-behind-pixels", hand.write(late), right, ".png", "damaged iCCP")
    for at in range(9, len(plain), max(1, len(plain) // 40)):
        yield Case(f"cut-at-{at}", hand.write(plain[:at]), None, ".png")
    yield Case("cut-before-end", hand.write(plain[:-12]), "no end", ".png")
    yield Case("more-behind-end", hand.write(plain + b"more"), right, ".png")
    for name in (b"IHDR", b"IDAT", b"IEND"):
        data = bytearray(plain)
        data[data.index(name) + 4] ^= 0x55
        yield Case(f"checksum-{name.decode()}", hand.write(bytes(data)), "damaged", ".png")
    for name in (b"FOOB", b"CgBI"):
        data = hand.insert(plain, [(name, b"1234")])
        yield Case(f"critical-{name.decode()}", hand.write(data), f"critical chunk {name.decode()}", ".png")
    yield Case("unknown-auxiliary", hand.write(hand.insert(plain, [(b"fooB", b"1234")])), right, ".png")
    yield from damaged_pixels(plain)
    animated = hand.insert(plain, [(b"acTL", struct.pack(">II", 3, 0)), (b"fcTL", bytes(26))])
    animated = hand.insert(animated, [(b"fdAT", bytes(20))], before=b"IEND")
    yield Case("animation", hand.write(animated), right, ".png", "animation of 3 pictures")
    once = hand.insert(plain, [(b"acTL", struct.pack(">II", 1, 0)), (b"fcTL", bytes(26))])
    yield Case("animation-of-one", hand.write(once), right, ".png")
    narrow = hand.insert(plain, [hand.cicp(1, full=0)])
    yield Case("narrow-range", hand.write(narrow), "full range", ".png")


def reason(name: str, part: hand.Chunk) -> str:
    return "ICC" if name.startswith("=") else "EXIF" if part[0] == b"eXIf" else part[0].decode()


def broken_parts() -> Iterator[tuple[str, hand.Chunk]]:
    """Chunks with a right checksum and wrong data; a name with ``=`` is a profile."""
    whole = hand.profile(hand.curv())
    yield "gama-0", (b"gAMA", bytes(4))
    yield "gama-short", (b"gAMA", b"\1")
    yield "srgb-9", (b"sRGB", b"\x09")
    yield "cicp-matrix", hand.cicp(1, matrix=1)
    yield "cicp-range", hand.cicp(1, full=7)
    yield "cicp-short", (b"cICP", b"\1\1")
    yield "sbit-0", (b"sBIT", bytes(3))
    yield "sbit-short", (b"sBIT", b"\x08")
    yield "trns-short", (b"tRNS", b"\0\0")
    yield "chrm-short", (b"cHRM", bytes(31))
    yield "iccp-not-packed", (b"iCCP", b"a\0\0nonsense")
    yield "iccp-cut", (b"iCCP", hand.iccp(whole)[1][:-9])
    yield "iccp-no-name", (b"iCCP", b"nonsense")
    yield "=iccp-garbage", hand.iccp(b"garbage" * 40)
    yield "=iccp-cut-inside", hand.iccp(whole[:-80])
    yield "=iccp-short", hand.iccp(whole[:100])
    yield "=iccp-gray", hand.iccp(hand.profile(hand.curv(), space=b"GRAY"))
    yield "=iccp-cmyk", hand.iccp(hand.profile(space=b"CMYK"))
    yield "=iccp-tags-outside", hand.iccp(whole[:136] + b"\xff\xff\xff\xf0" + whole[140:])
    yield "exif-nonsense", (b"eXIf", b"nonsense, not EXIF")
    yield "exif-directory-outside", (b"eXIf", b"II*\0\xff\xff\0\0")
    yield "ztxt-not-packed", (b"zTXt", b"Comment\0\0nonsense")
    yield "itxt-short", (b"iTXt", b"Comment\0\0")
    yield "xmp-not-utf8", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x>\xff</x>")
    yield "raw-exif-odd", (b"tEXt", b"Raw profile type exif\0\nexif\n 3\nabc\n")
    yield "raw-exif-length", (b"tEXt", b"Raw profile type exif\0\nexif\n 9\nabcd\n")


def damaged_pixels(plain: bytes) -> Iterator[Case]:
    """Sound chunks around pixels that are cut, packed wrongly, or missing."""
    parts = hand.split(plain)
    packed = b"".join(data for name, data in parts if name == b"IDAT")
    rows = zlib.decompress(packed)
    for name, data in {
        "pixels-cut": packed[: len(packed) // 2],
        "pixels-nonsense": bytes(range(200)),
        "pixels-too-few": zlib.compress(rows[: len(rows) // 2]),
        "pixels-filter": zlib.compress(b"\x09" + rows[1:]),
        "pixels-empty": b"",
    }.items():
        new = [(b"IDAT", data) if part[0] == b"IDAT" else part for part in parts]
        yield Case(
            name, hand.write(plain[:8] + b"".join(hand.chunk(*part) for part in new)), "damaged", ".png"
        )
    tall = hand.chunk(b"IHDR", struct.pack(">2I5B", 9, 10_000_000, 2, 0, 0, 0, 0))
    tall += hand.chunk(b"IDAT", zlib.compress(bytes(40))) + hand.chunk(b"IEND", b"")
    yield Case("pixels-of-few-of-many-rows", hand.write(plain[:8] + tall), "less data", ".png")
    none = b"".join(hand.chunk(*part) for part in parts if part[0] != b"IDAT")
    yield Case("pixels-missing", hand.write(plain[:8] + none), "without pixels", ".png")
    for name, at, value in (("width-0", 3, 0), ("depth-3", 8, 3), ("color-1", 9, 1), ("color-7", 9, 7)):
        fields = bytearray(parts[0][1])
        fields[at] = value
        data = plain[:8] + hand.chunk(b"IHDR", bytes(fields)) + plain[33:]
        yield Case(f"header-{name}", hand.write(data), None, ".png")
    huge = hand.chunk(b"IHDR", struct.pack(">2I", 2**31 - 1, 2**31 - 1) + parts[0][1][8:])
    yield Case("header-huge", hand.write(plain[:8] + huge + plain[33:]), "megapixels", ".png")
    wide = hand.chunk(b"IHDR", struct.pack(">2I", 2**27, 2) + parts[0][1][8:])
    yield Case("header-wide", hand.write(plain[:8] + wide + plain[33:]), "less data", ".png")
    pale = hand.encode(samples((9, 8), 1, 8), bitdepth=8, palette=[(k, k, k) for k in range(256)])
    lost = b"".join(hand.chunk(*part) for part in hand.split(pale) if part[0] != b"PLTE")
    yield Case("palette-missing", hand.write(pale[:8] + lost), "damaged", ".png")


@table("PNG of Pillow and OpenCV")
def writer_cases() -> Iterator[Case]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        for size in SIZES:
            high = 65536 if mode == "I;16" else 256
            values = RNG.integers(0, high, size, np.uint16 if high > 256 else np.uint8)
            plain = Image.fromarray(
                values if mode == "I;16" else np.dstack([values, values.T.reshape(size), ~values])
            )
            image = plain if mode == "I;16" else plain.convert(mode)
            shown = image if mode == "I;16" else image.convert({"1": "L", "P": "RGB"}.get(mode, mode))
            wanted = np.atleast_3d(np.asarray(shown).astype(np.uint16))
            file = io.BytesIO()
            image.save(file, "PNG")
            name = f"pillow-{mode.replace(';', '')}-{size[0]}x{size[1]}"
            yield Case(
                name, hand.write(file.getvalue()), expected(wanted, 16 if mode == "I;16" else 8), ".png"
            )
    for depth in (8, 16):
        for planes in (1, 3, 4):
            for size in SIZES:
                values = samples(size, planes, depth)
                kind = np.uint8 if depth == 8 else np.uint16
                swapped = values[..., [2, 1, 0, 3][:planes]] if planes > 1 else values
                data = cv2.imencode(".png", swapped.astype(kind))[1].tobytes()
                name = f"opencv-{depth}bit-{planes}planes-{size[0]}x{size[1]}"
                yield Case(name, hand.write(data), expected(values, depth), ".png")


@pytest.mark.parametrize("cases", [pixel_cases, encoding_cases, damage_cases, writer_cases])
def test_every_file_is_read_right_or_refused(tmp_path: Path, cases: Any) -> None:
    names, wrong = set(), []
    for case in cases():
        assert case.name not in names
        names.add(case.name)
        result = judge(case, tmp_path)
        if result.outcome == "wrong":
            wrong.append(f"{case.name}: {result.reason}")
    assert len(names) >= 30
    assert not wrong, "\n".join(wrong)


def test_the_table_sees_a_wrong_reader(tmp_path: Path) -> None:
    values = samples((9, 8), 3, 16)
    data = hand.encode(values, **options(2, 16, False))
    for other in (values ^ 1, values[..., ::-1], values[::-1]):
        case = Case("planted", hand.write(data), expected(other, 16), ".png")
        assert judge(case, tmp_path).outcome == "wrong"
    assert png.Reader(bytes=data).read()[3]["bitdepth"] == 16
