"""Read and write TIFF, 8 and 16 bit and float, with ICC profile and the descriptive tags of EXIF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from dpanet.errors import UnreadableImageError
from dpanet.images.decoded_image import Codes, DecodedImage

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_DESCRIPTIVE = {270: "s", 271: "s", 272: "s", 274: "H", 305: "s", 306: "s", 315: "s", 33432: "s"}
"""Description, make, model, orientation, software, date, artist, copyright, with their TIFF types.

The EXIF directory (exposure and the like) is read from PNG and JPEG, but not from TIFF.
"""

_ORDINARY = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.RGB)


def decode_tiff(path: Path) -> DecodedImage:
    """Decode the first page of a TIFF; gray whose white is 0 is inverted, the orientation is not applied.

    Raises:
        UnreadableImageError: if the file is truncated, damaged or of another kind.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_whole(page, path)
            _check_kind(page, path)
            codes = _read_codes(page, path)
            return DecodedImage(path, codes, page.iccprofile, _exif_of(page))
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:  # a damaged file fails anywhere in the decoder, in many ways
        raise UnreadableImageError(
            f"{path} is a truncated or damaged TIFF ({error}); export or copy it again"
        ) from error


def encode_tiff(codes: Codes, icc: bytes | None, exif: bytes | None) -> bytes:
    """Encode an image as the contents of a TIFF file.

    Args:
        codes: H x W (gray) or H x W x 3 (RGB), uint8, uint16 or float32.
        icc: ICC profile to embed, if any.
        exif: EXIF data whose descriptive tags are embedded, if any.
    """
    extra = []
    if exif:
        tags = Image.Exif()
        tags.load(exif)
        extra = [
            (tag, kind, 1 if kind == "H" else 0, tags[tag], True)
            for tag, kind in _DESCRIPTIVE.items()
            if tag in tags
        ]
    target = io.BytesIO()
    tifffile.imwrite(
        target,
        codes,
        photometric="minisblack" if codes.ndim == 2 else "rgb",
        compression="deflate",
        predictor=codes.dtype.kind == "u",
        rowsperstrip=64,
        iccprofile=icc,
        extratags=extra,
        metadata=None,
        software=False,
    )
    return target.getvalue()


def check_whole(page: Any, path: Path) -> None:
    """Check that the file is not shorter than its page's pixels need.

    Raises:
        UnreadableImageError: if it is.
    """
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or max(ends) > path.stat().st_size:
        raise UnreadableImageError(f"{path} is a truncated TIFF; export or copy it again")


def _check_kind(page: Any, path: Path) -> None:
    if page.photometric not in _ORDINARY or page.bitspersample not in (8, 16, 32, 64):
        raise UnreadableImageError(
            f"{path} is a TIFF of another kind ({getattr(page.photometric, 'name', page.photometric)}, "
            f"{page.bitspersample} bit); export it as gray or RGB with 8 or 16 bits"
        )


def _read_codes(page: Any, path: Path) -> Codes:
    try:
        codes: Codes = page.asarray()
        axes = page.axes
    except (ValueError, KeyError) as error:
        if "imagecodecs" not in str(error):
            raise
        codes, axes = _read_compressed(path), "YXS"  # such as LZW, which Photoshop writes
    if codes.ndim == 3 and axes.startswith("S"):
        codes = np.ascontiguousarray(np.moveaxis(codes, 0, -1))
    if codes.ndim == 3 and codes.shape[2] == 1:
        codes = codes[..., 0]
    if codes.ndim not in (2, 3) or (codes.ndim == 3 and codes.shape[2] not in (3, 4)):
        raise UnreadableImageError(f"{path} has shape {codes.shape}; export it as one gray or RGB picture")
    if codes.dtype not in (np.uint8, np.uint16, np.float16, np.float32, np.float64):
        raise UnreadableImageError(
            f"{path} has {codes.dtype} values; export it with 8 or 16 bits or as float"
        )
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and codes.dtype.kind == "u":
        codes = np.iinfo(codes.dtype).max - codes
    return codes


def _read_compressed(path: Path) -> Codes:
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        codes = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(before)
    if codes is None:
        raise UnreadableImageError(
            f"{path} is damaged, or compressed in a way that cannot be read; export it uncompressed"
        )
    if codes.ndim == 3:
        codes = cv2.cvtColor(codes, cv2.COLOR_BGR2RGB if codes.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return codes


def _exif_of(page: Any) -> bytes | None:
    tags = Image.Exif()
    for tag, kind in _DESCRIPTIVE.items():
        value = page.tags.valueof(tag)
        if value is not None and value != "":
            tags[tag] = int(value) if kind == "H" else str(value)
    return tags.tobytes().removeprefix(b"Exif\0\0") if len(tags) else None
