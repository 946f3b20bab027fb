"""JPEG and WebP, 8 bit, read only: a restored picture deserves better."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from dpanet.errors import UnreadableImageError
from dpanet.images.decoded import Decoded

FORMATS = ("JPEG", "WEBP")


def is_lossy(head: bytes) -> bool:
    """Whether a file's first 12 bytes are those of a JPEG or WebP."""
    return head.startswith(b"\xff\xd8\xff") or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def decode_lossy(data: bytes, path: Path) -> Decoded:
    """The codes as stored (not turned by the EXIF orientation); CMYK becomes RGB and loses its profile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures: they are welcome here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                icc, exif = image.info.get("icc_profile"), image.info.get("exif")
                if image.mode not in ("L", "RGB", "RGBA"):
                    icc = None
                codes = np.array(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            f"{path} is a truncated or damaged picture ({error}); export or copy it again"
        ) from error
    return Decoded(path, codes, icc, exif.removeprefix(b"Exif\0\0") if exif else None)
