"""What an image file says of its pixels before they are decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """Size and depth of an image as `read_file` would decode it."""

    width: int
    """Px, as stored: the orientation is not applied."""
    height: int
    """Px, as stored."""
    bits: int
    """8 or 16 for integer codes, 32 for any float type."""
    channels: int
    """1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGB and alpha)."""
    orientation: int = 1
    """Of EXIF: 1 is upright, 2 to 8 say how the picture is to be turned to be seen."""
