"""The exact contents of an image file, before any conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dpanet.pair import Encoding

Codes = NDArray[Any]
"""H x W (gray) or H x W x 3 (RGB); uint8, uint16 or a float type, as in the file."""


class CodeRows(Protocol):
    """Codes that are sliced by rows, from the top down: an array, or a stream of rows."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def ndim(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Codes: ...


C = TypeVar("C", bound=CodeRows, covariant=True)


@dataclass(frozen=True)
class ImageFile(Generic[C]):
    """The pixels and the metadata of an image file, as stored."""

    path: Path
    """The file."""
    codes: C
    """Its pixel values without alpha; the EXIF orientation is not applied."""
    alpha: Codes | None = None
    """Its alpha channel, H x W, of the type of `codes`; the largest code, or 1.0, is opaque. The colors are straight,
    not multiplied by it."""
    encoding: Encoding | None = None
    """Of its values, if the file states one."""
    icc: bytes | None = None
    """Its ICC profile."""
    exif: bytes | None = None
    """Its EXIF data: the bare TIFF structure, without the prefix of JPEG."""
    xmp: bytes | None = None
    """Its XMP packet, XML in UTF-8."""
    iptc: bytes | None = None
    """Its IPTC records, the bare IIM data."""
    resolution: tuple[float, float] | None = None
    """Horizontal and vertical, in px an inch."""
    png: tuple[tuple[bytes, bytes], ...] = ()
    """Name and data of the chunks of a PNG that have no field here and are copied to another PNG: those that say how
    its values are meant (gAMA, cHRM, sRGB, sBIT, cICP), texts, and others that may be copied."""

    conversion: str = ""
    """By what its colors were converted from CMYK, which a note says; empty if they were not."""

    largest: int | None = None
    """The value of white in the file, if its values were scaled to 8 or 16 bits, as those of a PGM are."""

    @property
    def stored_codes(self: ImageFile[Codes]) -> Codes:
        """The values as they stand in the file, as the codes of a sensor or a depth map are needed."""
        if self.largest is None:
            return self.codes
        white = np.iinfo(self.codes.dtype).max
        table = np.rint(np.arange(white + 1) * (self.largest / white)).astype(self.codes.dtype)
        stored: Codes = table[self.codes]
        return stored

    @property
    def bits(self) -> int:
        """Bits of a channel: 8 or 16 for integer codes, 32 for any float type."""
        return 32 if self.codes.dtype.kind == "f" else 8 * int(self.codes.dtype.itemsize)

    @property
    def opaque(self) -> bool:
        """Whether no pixel is transparent."""
        if self.alpha is None:
            return True
        kind = self.alpha.dtype
        return bool((self.alpha >= (1.0 if kind.kind == "f" else np.iinfo(kind).max)).all())

    @property
    def gray(self) -> bool:
        """Whether the file has one channel of color."""
        return self.codes.ndim == 2

    @property
    def metadata(self) -> dict[str, Any]:
        """What a written picture takes over: ``bits``, ``gray`` and, where the file has them, the others."""
        values = {
            "bits": self.bits,
            "gray": self.gray,
            "alpha": self.alpha,
            "icc": self.icc,
            "exif": self.exif,
            "xmp": self.xmp,
            "iptc": self.iptc,
            "resolution": self.resolution,
            "png": self.png or None,
        }
        return {key: value for key, value in values.items() if value is not None}


DecodedImage = ImageFile[Codes]
"""An image file whose pixels are in memory."""
