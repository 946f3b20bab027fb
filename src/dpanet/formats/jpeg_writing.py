"""Write JPEG, for pictures that are looked at in a browser; deblurred pictures are PNG or TIFF, without loss."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.vips import to_image

LARGEST_SIDE = 65500
"""Px of a side that libvips writes."""

_QUALITY = 95
"""At which the loss is hard to see at 100 %."""

_PART = 65519
"""Bytes of a profile that fit into one segment."""


def encode_jpeg(codes: NDArray[np.uint8], icc: bytes | None = None) -> bytes:
    """Encode a picture as the contents of a JPEG file with full resolution of color.

    Args:
        codes: (H, W, 3), uint8, at most `LARGEST_SIDE` px a side.
        icc: profile of the colors, if any.
    """
    data: bytes = to_image(codes).jpegsave_buffer(Q=_QUALITY, subsample_mode="off", keep="none")
    parts = [icc[start : start + _PART] for start in range(0, len(icc), _PART)] if icc else []
    segments = [
        struct.pack(">2sH", b"\xff\xe2", 16 + len(part))
        + b"ICC_PROFILE\0"
        + bytes([place, len(parts)])
        + part
        for place, part in enumerate(parts, 1)
    ]
    return data[:2] + b"".join(segments) + data[2:]
