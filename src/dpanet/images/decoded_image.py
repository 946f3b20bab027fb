"""The exact contents of an image file, before any conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

Codes = NDArray[Any]
"""H x W (gray), H x W x 3 (RGB) or H x W x 4 (RGB and alpha); uint8, uint16 or a float type, as in the file."""


@dataclass(frozen=True)
class DecodedImage:
    """The pixels and the metadata of an image file, as stored."""

    path: Path
    """The file."""
    codes: Codes
    """Its pixel values; the EXIF orientation is not applied."""
    icc: bytes | None = None
    """Its ICC profile."""
    exif: bytes | None = None
    """Its EXIF data: the bare TIFF structure, without the prefix of JPEG."""

    @property
    def bits(self) -> int:
        """Bits of a channel: 8 or 16 for integer codes, 32 for any float type."""
        return 32 if self.codes.dtype.kind == "f" else 8 * int(self.codes.dtype.itemsize)

    @property
    def gray(self) -> bool:
        """Whether the file has one channel."""
        return self.codes.ndim == 2

    @property
    def metadata(self) -> dict[str, Any]:
        """What a written picture takes over: ``bits``, ``gray`` and, where the file has them, ``icc``, ``exif``."""
        values = {"bits": self.bits, "gray": self.gray, "icc": self.icc, "exif": self.exif}
        return {key: value for key, value in values.items() if value is not None}
