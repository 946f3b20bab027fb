"""Read from the tags of a TIFF page how its pixels are stored; refuse kinds that would be read wrongly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from dpanet.containers.tiff_structure import Order, Tag
from dpanet.errors import UnreadableImageError, counted, shown
from dpanet.formats.limits import check_size

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
"""Kinds of pixels (tag PhotometricInterpretation) that are read."""

NONE, LZW, JPEG, PACKBITS = 1, 5, 7, 32773
DEFLATE = (8, 32946)
LZMA = 34925
FAX = (2, 3, 4)

PREMULTIPLIED, STRAIGHT = 1, 2
"""Kinds of alpha (tag ExtraSamples)."""

_KINDS = {4: "a mask", 5: "CMYK", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv"}

_MOST_CHANNELS = 16
"""More are no picture; each takes memory."""

_MOST_RATIO = {NONE: 1, PACKBITS: 64, DEFLATE[0]: 1032, DEFLATE[1]: 1032, LZW: 2600}
"""How many bytes a compressed one can become; memory is taken only for pixels that the file can contain."""

_CODECS = {
    6: "old JPEG",
    32771: "CCITT with words",
    32809: "ThunderScan",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    33007: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI Log",
    34677: "SGI Log",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG of DNG",
    34926: "Zstandard",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}


@dataclass(frozen=True)
class TiffLayout:
    """How the pixels of one page are stored."""

    index: int
    """Of the page, counted from 0."""
    order: Order
    width: int
    height: int
    bits: int
    """Of a sample."""
    kind: str
    """Of a sample, as in NumPy: "u" or "f"."""
    samples: int
    """Of a pixel: gray or RGB or an index, then `extra`."""
    extra: tuple[int, ...]
    """Kinds of the samples beyond the colors: 0 unspecified, `PREMULTIPLIED` or `STRAIGHT` alpha."""
    photometric: int
    compression: int
    predictor: int
    planar: bool
    """Whether each sample is stored apart."""
    tile: tuple[int, int] | None
    """Height and width of a tile; None if the page is stored in strips."""
    rows: int
    """Of a strip."""
    chunks: tuple[tuple[int, int], ...]
    """Offset and length in bytes of each strip or tile."""
    colormap: tuple[int, ...]

    @property
    def colors(self) -> int:
        """Samples of a pixel that are gray, RGB or an index."""
        return self.samples - len(self.extra)

    @property
    def alpha(self) -> int | None:
        """Place of the alpha channel among the samples; None without one."""
        return next((self.colors + i for i, kind in enumerate(self.extra) if kind), None)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a strip or tile; each row starts at a byte."""
        wide = self.tile[1] if self.tile else self.width
        return ceil(wide * (1 if self.planar else self.samples) * self.bits / 8)

    @property
    def tops(self) -> tuple[int, ...]:
        """First row of each strip of all planes."""
        return tuple(range(0, self.height, self.rows)) * (self.samples if self.planar else 1)


class Fields:
    """The tags of a directory by number."""

    def __init__(self, tags: tuple[Tag, ...], order: Order) -> None:
        self.order = order
        self.tags = {tag.number: tag for tag in tags}

    def all(self, number: int) -> tuple[int, ...]:
        return self.tags[number].numbers(self.order) if number in self.tags else ()

    def one(self, number: int, default: int) -> int:
        values = self.all(number)
        return values[0] if values else default


def read_layout(page: Fields, index: int, size: int, path: Path) -> TiffLayout:
    """Read how the pixels of a page are stored.

    Args:
        page: its tags.
        index: of the page, counted from 0.
        size: of the file in bytes.
        path: of the file.

    Raises:
        UnreadableImageError: if its kind is not read, or it is truncated or damaged.
    """
    name = shown(path)
    width, height = page.one(256, 0), page.one(257, 0)
    check_size(path, width, height)
    photometric, compression = page.one(262, -1), page.one(259, NONE)
    samples, bits = page.one(277, 1), page.one(258, 1)
    formats = page.all(339) or (1,)
    kind = {1: "u", 2: "i", 3: "f", 4: "u"}.get(formats[0], "?")
    _check_kind(photometric, compression, name)
    if len(set(page.all(258))) > 1 or len(set(formats)) > 1:
        raise UnreadableImageError(
            f"{name} has channels of different depths; export all with 8 or 16 bits or as float"
        )
    if f"{kind}{bits}" not in ("u1", "u2", "u4", "u8", "u16", "f16", "f32", "f64"):
        word = {"u": "unsigned integer", "i": "signed integer", "f": "float"}.get(kind, "complex")
        raise UnreadableImageError(
            f"{name} has {bits}-bit {word} channels; export it with 8 or 16 bits or as float"
        )
    if samples > _MOST_CHANNELS:
        raise UnreadableImageError(f"{name} has {samples} channels; export it as one gray or RGB picture")
    colors = 1 if photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE) else 3
    extra = page.all(338)[: max(0, samples - colors)]
    extra += (0,) * (samples - colors - len(extra))
    if samples < colors or (colors == 1 and samples > 2 and 338 not in page.tags):
        raise UnreadableImageError(
            f"{name} has {counted(samples, 'channel')} and calls them {'gray' if colors == 1 else 'RGB'}; "
            "export it as one gray or RGB picture"
        )
    predictor = page.one(317, 1) if compression in (LZW, *DEFLATE, LZMA) else 1  # as libtiff
    if predictor not in (1, 2, 3) or (predictor == 3 and kind != "f") or (predictor == 2 and bits < 8):
        raise UnreadableImageError(f"{name} has a predictor that is not known; export it without compression")
    if page.one(266, 1) != 1 and compression not in FAX:
        raise UnreadableImageError(f"{name} has its bits in reversed order (FillOrder); export it again")
    palette = page.all(320)
    if photometric == PALETTE and (
        kind != "u" or len(palette) != 3 * 2**bits or not 0 <= min(palette) <= max(palette) < 2**16
    ):
        raise UnreadableImageError(f"{name} has a damaged palette; export it as RGB")
    tile = (page.one(323, 0), page.one(322, 0)) if 324 in page.tags or 322 in page.tags else None
    layout = TiffLayout(
        index=index,
        order=page.order,
        width=width,
        height=height,
        bits=bits,
        kind=kind,
        samples=samples,
        extra=extra,
        photometric=photometric,
        compression=compression,
        predictor=predictor,
        planar=page.one(284, 1) == 2 and samples > 1,
        tile=tile,
        rows=min(page.one(278, height) or height, height),
        chunks=(),
        colormap=palette,
    )
    _check_jpeg(layout, name)
    return replace(layout, chunks=_find_chunks(layout, page, size, name))


def _check_kind(photometric: int, compression: int, name: str) -> None:
    """Check that the kind of pixels and the compression are among those that are read."""
    if photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR):
        kind = _KINDS.get(photometric, f"of kind {photometric}")
        if photometric < 0:
            kind = "of no kind (it does not say whether they are gray or RGB)"
        raise UnreadableImageError(f"{name} has pixels that are {kind}; export it as gray or RGB")
    if compression not in (NONE, LZW, JPEG, PACKBITS, *DEFLATE, LZMA, *FAX):
        codec = _CODECS.get(compression, f"number {compression}")
        raise UnreadableImageError(
            f"{name} is a TIFF with the compression {codec}, which cannot be read here; "
            "export it uncompressed, or with deflate (ZIP) or LZW"
        )
    if photometric == YCBCR and compression != JPEG:
        raise UnreadableImageError(f"{name} has pixels that are YCbCr without JPEG; export it as RGB")


def _check_jpeg(layout: TiffLayout, name: str) -> None:
    if layout.compression == JPEG and (layout.bits, layout.kind) != (8, "u"):
        raise UnreadableImageError(
            f"{name} has {layout.bits} bits a channel in JPEG; export it uncompressed, or with deflate (ZIP) or LZW"
        )
    if layout.compression in FAX and (layout.bits, layout.samples) != (1, 1):
        raise UnreadableImageError(f"{name} has colors in a compression for fax; export it uncompressed")
    if layout.compression in (JPEG, *FAX) and (
        layout.extra or layout.planar or layout.photometric == PALETTE
    ):
        raise UnreadableImageError(
            f"{name} has planes, alpha or a palette in JPEG or fax compression; "
            "export it uncompressed, or with deflate (ZIP) or LZW"
        )


def _find_chunks(layout: TiffLayout, fields: Fields, size: int, name: str) -> tuple[tuple[int, int], ...]:
    """Return offset and length of each strip or tile.

    Raises:
        UnreadableImageError: if one is missing or lies outside of the file.
    """
    high, wide = layout.tile or (layout.rows, layout.width)
    if high < 1 or wide < 1:
        raise UnreadableImageError(
            f"{name} is a damaged TIFF (its tiles have no size); export or copy it again"
        )
    number = ceil(layout.height / high) * ceil(layout.width / wide) * (layout.samples if layout.planar else 1)
    offsets = fields.all(324) or fields.all(273)
    lengths = fields.all(325) or fields.all(279)
    if layout.compression == NONE:
        lengths = _uncompressed_lengths(layout, lengths, high)
    elif not lengths and len(offsets) == 1:
        lengths = (size - offsets[0],)
    chunks = tuple(zip(offsets, lengths, strict=False))[:number]
    if len(chunks) < number or any(
        length == 0 or offset < 8 or offset + length > size for offset, length in chunks
    ):
        raise UnreadableImageError(f"{name} is a truncated TIFF; export or copy it again")
    rows = number * high if layout.tile else layout.height * (layout.samples if layout.planar else 1)
    if rows * layout.row_bytes > sum(length for _, length in chunks) * _MOST_RATIO.get(
        layout.compression, 8000
    ):
        raise UnreadableImageError(
            f"{name} is a TIFF with less data than its size needs; export or copy it again"
        )
    return chunks


def _uncompressed_lengths(layout: TiffLayout, stated: tuple[int, ...], high: int) -> tuple[int, ...]:
    """Return the lengths of strips or tiles without compression, which follow from their size.

    Writers leave them out, state 0 for the only one, or more than there is.
    """
    rows = [high] * len(stated) if layout.tile else [min(high, layout.height - at) for at in layout.tops]
    needed = tuple(layout.row_bytes * each for each in rows)
    if not stated or (stated == (0,) and len(needed) == 1):
        return needed
    return tuple(map(min, stated, needed))
