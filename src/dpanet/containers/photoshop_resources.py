"""Find what matters among the resource blocks that Photoshop puts into a TIFF, a JPEG or a PNG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dpanet.containers.sound_metadata import warn
from dpanet.errors import shown

_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
"""Starts of a block; the others are of ImageReady, PhotoDeluxe and others."""

_IPTC, _PATHS = 0x0404, range(2000, 2998)
"""Numbers of blocks."""


def iptc_of_photoshop(blocks: bytes) -> bytes | None:
    """Return the IPTC records among Photoshop's resource blocks; None without them."""
    return next((data for number, data in _resources(blocks) if number == _IPTC), None) or None


def warn_of_paths(blocks: bytes, path: Path) -> None:
    """Warn if the resource blocks of a file contain paths, such as a clipping path."""
    if any(number in _PATHS for number, _ in _resources(blocks)):
        warn(f"{shown(path)} has paths of Photoshop, such as a clipping path; they are not carried over")


def _resources(blocks: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(b"Photoshop 3.0\0") if blocks.startswith(b"Photoshop 3.0\0") else 0
    while blocks[at : at + 4] in _SIGNATURES and at + 12 <= len(blocks):
        number, name = int.from_bytes(blocks[at + 4 : at + 6], "big"), blocks[at + 6]
        at += 6 + name + 1 + (name + 1) % 2
        length = int.from_bytes(blocks[at : at + 4], "big")
        yield number, blocks[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
