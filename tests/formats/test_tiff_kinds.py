"""Kinds of TIFF beside the ordinary: pages, other color spaces and codecs, raw files, damage, other writers."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pyvips
import tifffile
from formats.format_table import Case, Expected, judge, table
from formats.tiff_by_hand import (
    BLACK,
    CMYK,
    DEFLATE,
    LAB,
    LZW,
    MASK,
    PACKBITS,
    PALETTE,
    RGB,
    WHITE,
    YCBCR,
    Page,
    tiff,
)
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]


def noise(kind: str, samples: int, shape: tuple[int, int] = (37, 45)) -> Array:
    most = np.iinfo(kind).max if np.dtype(kind).kind in "ui" else 1
    return (np.random.default_rng(3).random((*shape, samples)) * most).astype(kind)


def smooth(samples: int = 3) -> Array:
    """Return 8-bit values that JPEG changes little."""
    y, x = np.mgrid[:64, :80]
    return np.stack([90 + x + y * s // 4 for s in range(samples)], -1).astype(np.uint8)


def written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def refused(name: str, page: Page, part: str, **options: Any) -> Case:
    return Case(name, written(tiff(page, **options)), part)


@table("tiff refused kinds")
def refused_kinds() -> Iterator[Case]:
    eight, wide = noise("u1", 3), noise("u2", 3)
    for bits, photometric in product((10, 12, 14), (BLACK, WHITE, RGB)):
        values = wide[..., : 3 if photometric == RGB else 1] >> (16 - bits)
        yield refused(
            f"{bits}-{photometric}", Page(values, photometric=photometric, bits=bits), f"{bits}-bit unsigned"
        )
    for kind, samples in product(("u4", "u8", "i1", "i2", "i4"), (1, 3)):
        word = "unsigned integer" if kind[0] == "u" else "signed integer"
        page = Page(noise(kind, samples), photometric=BLACK if samples == 1 else RGB)
        yield refused(
            f"{kind}-{samples}", page, f"{8 * int(kind[1])}-bit {word} channels; export it with 8 or"
        )
    for kind, order in product(("u1", "u2"), "<>"):
        yield refused(f"cmyk-{kind}-{order}", Page(noise(kind, 4), photometric=CMYK), "CMYK", order=order)
        yield refused(f"lab-{kind}-{order}", Page(noise(kind, 3), photometric=LAB), "CIELab", order=order)
    yield refused("ycbcr", Page(eight, photometric=YCBCR), "YCbCr without JPEG; export it as RGB")
    yield refused("mask", Page(eight[..., :1], photometric=MASK), "a mask")
    yield refused("logluv", Page(eight, photometric=32845), "LogLuv")
    yield refused("no-kind", Page(eight, photometric=None), "does not say whether they are gray or RGB")
    yield refused("five-gray", Page(eight, photometric=BLACK), "3 channels and calls them gray")
    yield refused("two-rgb", Page(eight[..., :2]), "2 channels and calls them RGB")
    yield refused("mixed-depths", Page(eight, tags=[(258, 3, [8, 8, 16])]), "different depths")
    yield refused("complex", Page(noise("u8", 1), photometric=BLACK, tags=[(339, 3, [6])]), "64-bit complex")
    yield refused("fill-order", Page(eight, tags=[(266, 3, [2])]), "reversed order")
    yield refused("float-predictor", Page(eight, tags=[(317, 3, [3])], compression=LZW), "predictor")
    yield refused(
        "short-palette", Page(eight[..., :1], photometric=PALETTE, tags=[(320, 3, [1] * 9)]), "palette"
    )
    for kind, colors in ((8, [-9728] * 768), (4, [70000] * 768)):
        page = Page(eight[..., :1], photometric=PALETTE, tags=[(320, kind, colors)])
        yield refused(f"palette-type-{kind}", page, "damaged palette")
    yield refused("no-palette", Page(eight[..., :1], photometric=PALETTE), "palette")
    codecs = {6: "old JPEG", 34712: "JPEG 2000", 50000: "Zstandard", 34926: "Zstandard", 50001: "WebP"}
    codecs |= {34887: "LERC", 50002: "JPEG XL", 52546: "JPEG XL", 32809: "ThunderScan", 77: "number 77"}
    for codec, name in codecs.items():
        yield refused(f"codec-{codec}", Page(eight, compression=codec), f"the compression {name}")
    huge = [(256, 4, [60_000]), (257, 4, [60_000])]
    yield refused("huge", Page(eight, tags=huge), "megapixels")
    yield refused("no-size", Page(eight, tags=[(256, 4, [0])]), "no pixels")


@table("tiff raw files")
def raw_files() -> Iterator[Case]:
    """Raw files of cameras, in whose first page is a thumbnail, or a mosaic of colors."""
    thumb, mosaic = noise("u1", 3, (24, 32)), noise("u2", 1)
    cfa = Page(mosaic, photometric=32803)
    make = lambda name: (271, 2, name + b"\0")  # noqa: E731
    for order in "<>":
        pages = {
            "dng": Page(thumb, tags=[(50706, 1, [1, 4, 0, 0]), (254, 4, [1])], sub=[cfa]),
            "dng-linear": Page(noise("u2", 3), photometric=34892, tags=[(50706, 1, [1, 4, 0, 0])]),
            "nef": Page(thumb, tags=[make(b"NIKON CORPORATION"), (254, 4, [1])], sub=[Page(thumb), cfa]),
            "nef-packed": Page(thumb, tags=[make(b"NIKON")], sub=[Page(mosaic, compression=34713)]),
            "arw": Page(thumb, tags=[make(b"SONY"), (50740, 4, [8])]),
            "arw-packed": Page(thumb, tags=[make(b"SONY")], sub=[Page(mosaic, compression=32767)]),
            "pef": Page(mosaic, photometric=32803, compression=65535, tags=[make(b"PENTAX")]),
            "cfa": cfa,
        }
        for name, page in pages.items():
            yield refused(f"{name}-{order}", page, "dpanet deblur", order=order)
    later = tiff(Page(thumb), cfa)
    yield Case("second-page", written(later), "a raw file of a camera", ".tif")
    cr2 = bytearray(tiff(Page(thumb)))
    cr2[8:10] = b"CR"
    yield Case("canon", written(bytes(cr2)), "dpanet deblur", ".cr2")


@table("tiff pages")
def pages() -> Iterator[Case]:
    first, second, small = noise("u2", 3), noise("u1", 1), noise("u2", 3, (20, 24))
    for order, big in product("<>", (False, True)):
        name, options = f"{order}{big}", {"order": order, "big": big}
        both = tiff(Page(first), Page(second, photometric=BLACK), Page(small), **options)
        warning = "has 3 pages; only the first, 45 x 37 px, is read"
        yield Case(f"three-{name}", written(both), Expected(first), warning=warning)
        pyramid = tiff(Page(first), Page(small, tags=[(254, 4, [1])]), **options)
        yield Case(f"pyramid-{name}", written(pyramid), Expected(first))
        old = tiff(Page(first), Page(small, tags=[(255, 3, [2])]), **options)
        yield Case(f"old-pyramid-{name}", written(old), Expected(first))
        mask = tiff(Page(first), Page(second, photometric=MASK, tags=[(254, 4, [4])]), **options)
        yield Case(f"mask-{name}", written(mask), Expected(first))
        below = tiff(Page(first, sub=[Page(small, tags=[(254, 4, [1])])]), **options)
        yield Case(f"sub-{name}", written(below), Expected(first))
        ahead = tiff(Page(small, tags=[(254, 4, [1])]), Page(first, tags=[(274, 3, [6])]), **options)
        yield Case(f"thumbnail-first-{name}", written(ahead), Expected(first))
        hidden = tiff(Page(small, tags=[(254, 4, [1])], sub=[Page(first)]), **options)
        yield Case(f"hidden-{name}", written(hidden), "only a reduced copy")
        alone = tiff(Page(small, tags=[(254, 4, [1])]), **options)
        yield Case(f"alone-{name}", written(alone), Expected(small))
    loop = bytearray(tiff(Page(first)))
    start = int.from_bytes(loop[4:8], "little")
    loop[-4:] = start.to_bytes(4, "little")
    yield Case("loop", written(bytes(loop)), Expected(first))


@table("tiff other writers")
def other_writers() -> Iterator[Case]:
    """Files by Pillow, OpenCV, tifffile and libvips."""
    eight, wide = noise("u1", 3), noise("u2", 3)
    for codec in (None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma"):
        for mode, values in {
            "L": eight[..., 0],
            "RGB": eight,
            "RGBA": noise("u1", 4),
            "I;16": wide[..., 0],
        }.items():
            alpha = values[..., 3] if mode == "RGBA" else None
            expected = Expected(values[..., :3] if mode == "RGBA" else values, alpha)
            yield Case(f"pillow-{codec}-{mode}", pillow(values, compression=codec), expected)
    yield Case("pillow-zstd", pillow(eight, compression="zstd"), "the compression Zstandard")
    black = np.where(eight[..., 0] > 99, 255, 0).astype(np.uint8)
    for codec in ("group3", "group4", "tiff_ccitt"):
        yield Case(f"pillow-{codec}", lambda path, c=codec: fax(path, black, c), Expected(black))
        yield Case(
            f"pillow-{codec}-white",
            lambda path, c=codec: white_is_zero(path, black, c),
            Expected(255 - black),
        )
    gray = smooth(1)[..., 0]
    for tile in (False, True):
        write = vips(gray, compression="jpeg", Q=95, tile=tile)
        yield Case(f"vips-jpeg-white-{tile}", other_kind(write), Expected(255 - gray, tolerance=10))
    for quality, samples in product((75, 95), (1, 3)):
        values = smooth(samples)
        values = values[..., 0] if samples == 1 else values
        expected = Expected(values, tolerance=10)
        yield Case(
            f"pillow-jpeg-{quality}-{samples}", pillow(values, compression="jpeg", quality=quality), expected
        )
        for tile in (False, True):  # up to quality 89, YCbCr with halved colors; from 90 on, RGB
            options = {"compression": "jpeg", "Q": quality, "tile": tile}
            yield Case(f"vips-jpeg-{quality}-{samples}-{tile}", vips(values, **options), expected)
    for codec, tile in product(("lzw", "deflate", "packbits"), (False, True)):
        for kind in ("u1", "u2", "f4"):
            values = noise(kind, 3)
            options = {
                "compression": codec,
                "tile": tile,
                "predictor": "float" if kind == "f4" else "horizontal",
            }
            yield Case(f"vips-{codec}-{tile}-{kind}", vips(values, **options), Expected(values))
    for kind, samples in product(("u1", "u2", "f4", "f8"), (1, 3)):
        values = noise(kind, samples)
        shown = values[..., 0] if samples == 1 else values
        yield Case(f"opencv-{kind}-{samples}", opencv(values), Expected(shown))
    for byteorder, kind, planar in product("<>", ("u1", "u2", "f2", "f4", "f8"), ("contig", "separate")):
        values = noise(kind, 3)
        stored = np.moveaxis(values, -1, 0) if planar == "separate" else values
        options = {
            "byteorder": byteorder,
            "planarconfig": planar,
            "compression": "zlib",
            "photometric": "rgb",
        }
        yield Case(f"tifffile-{byteorder}-{kind}-{planar}", by_tifffile(stored, **options), Expected(values))


def pillow(values: Array, **options: Any) -> Callable[[Path], object]:
    return lambda path: Image.fromarray(values).save(path, **options)


def fax(path: Path, values: Array, codec: str) -> None:
    Image.fromarray(values).convert("1").save(path, compression=codec)


def white_is_zero(path: Path, values: Array, codec: str) -> None:
    """Write fax whose photometric interpretation is turned afterwards, as Pillow writes one of them alone."""
    fax(path, values, codec)
    turn(path)


def other_kind(write: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda path: (write(path), turn(path))


def turn(path: Path) -> None:
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages.first.tags[262]
        tag.overwrite(1 - int(tag.value))


def vips(values: Array, **options: Any) -> Callable[[Path], object]:
    image = pyvips.Image.new_from_array(np.ascontiguousarray(values))
    kind = {"uint8": "srgb", "uint16": "rgb16", "float32": "scrgb"}[values.dtype.name]
    return lambda path: image.copy(interpretation="b-w" if values.ndim == 2 else kind).tiffsave(
        str(path), **options
    )


def opencv(values: Array) -> Callable[[Path], object]:
    return lambda path: cv2.imwrite(str(path), np.ascontiguousarray(values[..., ::-1]))


def by_tifffile(values: Array, **options: Any) -> Callable[[Path], object]:
    return lambda path: tifffile.imwrite(path, values, metadata=None, **options)


@table("tiff damage")
def damage() -> Iterator[Case]:
    values = noise("u2", 3)
    for codec, tiled, planar in product((1, LZW, DEFLATE), (False, True), (False, True)):
        data = tiff(Page(values, compression=codec, tile=(16, 32) if tiled else None, planar=planar))
        name = f"{codec}-{tiled}-{planar}"
        for part in (0.02, 0.3, 0.6, 0.95):  # the directory stands at the end
            yield Case(
                f"cut-{part}-{name}", written(data[: int(part * len(data))]), "export or copy it again"
            )
        if codec == DEFLATE:
            for at in (20, 300, len(data) // 2):
                spoiled = bytearray(data)
                spoiled[at] ^= 0x55
                yield Case(f"spoiled-{at}-{name}", written(bytes(spoiled)), "damaged pixels")
    for name, tags in {
        "counts": [(279, 4, [1, 1, 1])],
        "short-counts": [(279, 4, [10] * 3)],
        "few-strips": [(273, 4, [8]), (279, 4, [800])],
        "beyond": [(273, 4, [1 << 30] * 3)],
        "empty-strips": [(279, 4, [0] * 3)],
    }.items():
        yield Case(name, written(tiff(Page(values, tags=tags))), "export or copy it again")
    yield refused("empty-tile", Page(values, tile=(16, 32), tags=[(322, 4, [0])]), "export or copy it again")
    jpeg = (
        pyvips.Image.new_from_array(smooth()).copy(interpretation="srgb").tiffsave_buffer(compression="jpeg")
    )
    end = jpeg.index(b"\xff\xd9")  # of the only strip
    yield Case("jpeg-cut", written(jpeg[:end] + b"\0\0" + jpeg[end + 2 :]), "damaged pixels")
    for size in (1, 3, 7, 8):
        yield Case(f"stub-{size}", written(b"II*\0\x08\0\0\0"[:size]), None)
    for codec in (1, PACKBITS):  # a predictor is none without LZW or deflate
        yield Case(
            f"predictor-{codec}",
            written(tiff(Page(values, compression=codec, tags=[(317, 3, [2])]))),
            Expected(values),
        )
    whole = tiff(Page(values, leave_out=(279,)))
    yield Case("no-counts", written(whole), Expected(values))
    yield Case("no-rows", written(tiff(Page(values, rows=99, leave_out=(278,)))), Expected(values))


TABLES = [refused_kinds, raw_files, pages, other_writers, damage]


@pytest.mark.parametrize("cases", TABLES, ids=lambda cases: cases.__name__)
def test_tables(cases: Callable[[], Iterator[Case]], tmp_path: Path) -> None:
    wrong = []
    for one in cases():
        result = judge(one, tmp_path)
        if result.outcome == "wrong":
            wrong.append(f"{one.name}: {result.reason}")
    assert not wrong, "\n".join(wrong[:20])
