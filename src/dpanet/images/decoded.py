"""What a picture file holds, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

Codes = NDArray[Any]
"""H x W (gray), H x W x 3 (RGB) or H x W x 4 (and alpha); uint8, uint16 or a float type, as in the file."""


@dataclass(frozen=True)
class Decoded:
    """The exact contents of the picture file `path`; `exif` is the bare TIFF structure, without a prefix."""

    path: Path
    codes: Codes
    icc: bytes | None = None
    exif: bytes | None = None

    @property
    def bits(self) -> int:
        """8 or 16 for integer codes, 32 for any float type."""
        return 32 if self.codes.dtype.kind == "f" else 8 * int(self.codes.dtype.itemsize)

    @property
    def gray(self) -> bool:
        """Whether the file has one channel."""
        return self.codes.ndim == 2

    @property
    def metadata(self) -> dict[str, Any]:
        """What travels with the pixels: ``bits``, ``gray`` and, where the file has one, ``icc``, ``exif``."""
        known = {"bits": self.bits, "gray": self.gray, "icc": self.icc, "exif": self.exif}
        return {key: value for key, value in known.items() if value is not None}
