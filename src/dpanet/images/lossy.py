"""Read JPEG and WebP, 8 bit. They are never written."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from dpanet.errors import UnreadableImageError
from dpanet.images.decoded_image import DecodedImage

FORMATS = ("JPEG", "WEBP")
"""Names of the two formats in Pillow."""


def is_lossy(head: bytes) -> bool:
    """Return whether a file that begins with these 12 bytes is a JPEG or WebP."""
    return head.startswith(b"\xff\xd8\xff") or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def decode_lossy(data: bytes, path: Path) -> DecodedImage:
    """Decode a JPEG or WebP; the EXIF orientation is not applied, CMYK becomes RGB without its profile.

    Args:
        data: contents of the file.
        path: of the file, for errors.

    Raises:
        UnreadableImageError: if the data are damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                icc, exif = image.info.get("icc_profile"), image.info.get("exif")
                if image.mode not in ("L", "RGB", "RGBA"):
                    icc = None
                codes = np.array(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            f"{path} is a truncated or damaged picture ({error}); export or copy it again"
        ) from error
    return DecodedImage(path, codes, icc, exif.removeprefix(b"Exif\0\0") if exif else None)
