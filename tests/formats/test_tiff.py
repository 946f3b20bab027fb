from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.format_table import Case, Expected, judge, table
from formats.tiff_by_hand import (
    BLACK,
    DEFLATE,
    LZW,
    NONE,
    OLD_DEFLATE,
    PACKBITS,
    PALETTE,
    RGB,
    WHITE,
    Page,
    tiff,
)
from numpy.typing import NDArray

from dpanet.formats.tiff import decode_tiff, read_tiff_header

Array = NDArray[Any]

HEIGHT, WIDTH = 37, 45
"""No multiple of a strip or a tile."""

STRAIGHT, PREMULTIPLIED, UNSPECIFIED = 2, 1, 0

KINDS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "gray": (BLACK, 1, ()),
    "white": (WHITE, 1, ()),
    "gray-alpha": (BLACK, 1, (STRAIGHT,)),
    "gray-premultiplied": (BLACK, 1, (PREMULTIPLIED,)),
    "rgb": (RGB, 3, ()),
    "rgb-alpha": (RGB, 3, (STRAIGHT,)),
    "rgb-premultiplied": (RGB, 3, (PREMULTIPLIED,)),
    "rgb-other": (RGB, 3, (UNSPECIFIED,)),
    "rgb-other-alpha": (RGB, 3, (UNSPECIFIED, STRAIGHT)),
    "rgb-alpha-other": (RGB, 3, (STRAIGHT, UNSPECIFIED)),
}
"""Name -> photometric interpretation, samples of color, kinds of the extra samples."""

CODECS = {"none": NONE, "lzw": LZW, "deflate": DEFLATE, "old-deflate": OLD_DEFLATE, "packbits": PACKBITS}

ORDERS = {"<": "little", ">": "big"}


def pixels(kind: str, samples: int, seed: int = 0) -> Array:
    """Return values over the whole range with runs of equal ones, H x W x samples."""
    generator = np.random.default_rng(seed)
    values = generator.random((HEIGHT, WIDTH, samples))
    values[5:12, 3:40], values[20], values[21, :30] = values[5, 3], 0.0, 1.0
    dtype = np.dtype(kind)
    return (values * 1.5 - 0.2 if dtype.kind == "f" else values * np.iinfo(dtype).max).astype(dtype)


def meaning(stored: Array, photometric: int, colors: int, extra: tuple[int, ...]) -> Expected:
    """Return what stored values mean, by the text of the standard."""
    codes, alpha = stored[..., :colors], None
    integer = stored.dtype.kind == "u"
    white = float(np.iinfo(stored.dtype).max) if integer else 1.0
    for place, kind in enumerate(extra):
        if kind and alpha is None:
            alpha = stored[..., colors + place]
            if kind == PREMULTIPLIED:
                with np.errstate(divide="ignore", invalid="ignore"):
                    straight = codes.astype(np.float64) * white / alpha[..., None].astype(np.float64)
                straight[alpha <= 0] = 0
                straight = np.minimum(np.rint(straight), white) if integer else straight
                codes = straight.astype(np.float32 if stored.dtype == np.float16 else stored.dtype)
    if photometric == WHITE:
        codes = (white - codes.astype(np.float64)).astype(codes.dtype)
    return Expected(codes[..., 0] if colors == 1 else codes, alpha)


def case(
    name: str, page: Page, expected: Expected, order: str = "<", big: bool = False, warning: str | None = None
) -> Case:
    return Case(
        name, lambda path: path.write_bytes(tiff(page, order=order, big=big)), expected, warning=warning
    )


def arrangements() -> Iterator[tuple[str, str, str, int, bool, bool, str, bool]]:
    """Yield all that is possible of: kind of pixels, type, codec, predictor, planes, tiles, byte order, BigTIFF."""
    types = ("u1", "u2", "f2", "f4", "f8")
    for kind, dtype, codec, predictor in product(KINDS, types, CODECS, (1, 2, 3)):
        if (predictor == 3 and dtype[0] == "u") or (predictor > 1 and codec in ("none", "packbits")):
            continue
        for planar, tiled, order, big in product((False, True), (False, True), "<>", (False, True)):
            yield kind, dtype, codec, predictor, planar, tiled, order, big


@table("tiff arrangements")
def arrangement_cases(every: int = 17) -> Iterator[Case]:
    """Yield each `every`-th arrangement; 17 has no factor in common with the numbers of choices."""
    for number, (kind, dtype, codec, predictor, planar, tiled, order, big) in enumerate(arrangements()):
        if number % every:
            continue
        photometric, colors, extra = KINDS[kind]
        stored = pixels(dtype, colors + len(extra), number)
        if PREMULTIPLIED in extra:  # zeros of both signs, and no alpha so small that colors overflow
            stored[..., colors] = np.where(
                stored[..., colors] < stored.dtype.type(0.1), 0, stored[..., colors]
            )
        yield case(
            f"{kind}-{dtype}-{codec}-{predictor}-{'planar' if planar else 'chunky'}-"
            f"{'tiles' if tiled else 'strips'}-{ORDERS[order]}-{'big' if big else 'classic'}",
            Page(
                stored,
                photometric=photometric,
                compression=CODECS[codec],
                predictor=predictor,
                planar=planar,
                tile=(16, 32) if tiled else None,
                extra=extra,
            ),
            meaning(stored, photometric, colors, extra),
            order,
            big,
            "1 extra channel, neither color nor alpha" if UNSPECIFIED in extra else None,
        )


@table("tiff few bits")
def few_bits() -> Iterator[Case]:
    for bits, photometric, tiled, codec in product((1, 2, 4), (BLACK, WHITE, RGB), (False, True), CODECS):
        stored = pixels("u1", 3 if photometric == RGB else 1, bits) % 2**bits
        codes = stored // (2**bits - 1) * 255 if bits == 1 else stored * (255 // (2**bits - 1))
        codes = 255 - codes if photometric == WHITE else codes
        yield case(
            f"{bits}-{photometric}-{tiled}-{codec}",
            Page(
                stored,
                photometric=photometric,
                bits=bits,
                compression=CODECS[codec],
                tile=(16, 32) if tiled else None,
            ),
            Expected(codes.astype(np.uint8) if photometric == RGB else codes[..., 0].astype(np.uint8)),
        )


@table("tiff palettes")
def palettes() -> Iterator[Case]:
    generator = np.random.default_rng(1)
    for bits, scale, alpha in product((1, 2, 4, 8), (257, 256, 1, 0), (False, True)):
        entries = generator.integers(0, 256, (3, 2**bits))
        entries[:, 0] = 200
        colormap = entries * scale if scale else entries * 251 + 3
        colors = entries.astype(np.uint8) if scale else colormap.astype(np.uint16)
        indices = pixels("u1", 1 + alpha, bits) & (2**bits - 1)
        white = np.iinfo(colors.dtype).max // (2**bits - 1)
        yield case(
            f"{bits}-{scale}-{alpha}",
            Page(
                indices,
                photometric=PALETTE,
                bits=bits,
                extra=(STRAIGHT,) if alpha else (),
                tags=[(320, 3, colormap.ravel().tolist())],
            ),
            Expected(
                np.moveaxis(colors[:, indices[..., 0]], 0, -1),
                (indices[..., 1] * colors.dtype.type(white)).astype(colors.dtype) if alpha else None,
            ),
        )


@table("tiff orientations")
def orientations() -> Iterator[Case]:
    for turned, dtype, codec, tiled in product(range(1, 9), ("u1", "u2"), ("none", "lzw"), (False, True)):
        stored = pixels(dtype, 3, turned)
        yield case(
            f"{turned}-{dtype}-{codec}-{tiled}",
            Page(
                stored,
                compression=CODECS[codec],
                tile=(16, 32) if tiled else None,
                tags=[(274, 3, [turned])],
            ),
            Expected(stored),
        )


@pytest.mark.parametrize("cases", [arrangement_cases, few_bits, palettes, orientations])
def test_tables(cases: Any, tmp_path: Path) -> None:
    check_all(cases(), tmp_path)


def check_all(cases: Iterable[Case], folder: Path) -> None:
    """Check that no case is wrong."""
    wrong = []
    for one in cases:
        result = judge(one, folder, decode_tiff)
        if result.outcome == "wrong":
            wrong.append(f"{one.name}: {result.reason}")
    assert not wrong, "\n".join(wrong[:20])


def test_a_table_notices_a_wrong_value(tmp_path: Path) -> None:
    one = next(iter(arrangement_cases()))
    assert isinstance(one.expected, Expected)
    codes = one.expected.codes.copy()
    codes[3, 4] ^= 1
    wrong = Case(one.name, one.write, Expected(codes))
    assert judge(wrong, tmp_path, decode_tiff).reason == "codes differs by up to 1.0"


def test_headers_say_what_is_decoded(tmp_path: Path) -> None:
    for one in [*arrangement_cases(101), *palettes(), *few_bits()]:
        path = tmp_path / "a.tif"
        one.write(path)
        header = read_tiff_header(path)
        assert isinstance(one.expected, Expected)
        codes = one.expected.codes
        bits = 32 if codes.dtype.kind == "f" else 8 * codes.dtype.itemsize
        channels = (1 if codes.ndim == 2 else 3) + (one.expected.alpha is not None)
        assert (header.height, header.width, header.bits, header.channels) == (
            HEIGHT,
            WIDTH,
            bits,
            channels,
        ), one.name
