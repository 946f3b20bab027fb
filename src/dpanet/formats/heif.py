"""Read AVIF, 8, 10 and 12 bit, with its metadata; name the missing codec of other HEIF files. Never written."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.containers.exif import ORIENTATION, Exif, orientation, parse_exif, serialize_exif
from dpanet.containers.header import Header
from dpanet.containers.heif_boxes import HeifPicture, find_picture
from dpanet.containers.sound_metadata import exif_resolution, sound_exif, sound_xmp, warn
from dpanet.containers.stated_encoding import encoding_of_transfer, use_profile
from dpanet.containers.tiff_structure import Tag
from dpanet.containers.vips import open_data, to_codes_and_alpha
from dpanet.errors import UnreadableImageError, shown
from dpanet.formats.limits import check_size
from dpanet.pair import Encoding

if TYPE_CHECKING:
    import pyvips

_SRGB_PRIMARIES = (1, 2)
"""BT.709 and "unspecified"."""

_STRIP = 256
"""Rows that are converted at once."""


def decode_heif(path: Path) -> DecodedImage:
    """Decode the main picture of an AVIF as it is stored; how it is to be turned becomes its EXIF orientation.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is damaged or cut, or its codec is missing.
    """
    import pyvips

    data = path.read_bytes()
    picture = _find(data, path)
    encoding = _stated(picture, path)
    try:
        image = open_data(data, "heifload", unlimited=True)
        codes, alpha = to_codes_and_alpha(image)
    except pyvips.Error as error:
        raise UnreadableImageError(
            f"{shown(path)} is a truncated or damaged AVIF; export or copy it again"
        ) from error
    if _field(image, "n-pages", 1) > 1 or data[8:12] == b"avis":
        warn(f"{shown(path)} contains more than one picture; the main one is read")
    codes = _scale(picture.turn_back(codes), picture.bits)
    if picture.gray and codes.ndim == 3:
        codes = np.ascontiguousarray(codes[..., 0])
    exif = _turned(sound_exif(_field(image, "exif-data", None), path), picture.orientation)
    icc, by_profile = use_profile(_field(image, "icc-profile-data", None), codes.ndim == 2, path)
    primaries, transfer = picture.video_code or (2, 2)
    wide = primaries not in _SRGB_PRIMARIES and icc is None
    return DecodedImage(
        path,
        codes,
        None if alpha is None else _scale(picture.turn_back(alpha), picture.bits),
        encoding or by_profile,
        icc,
        exif,
        sound_xmp(_field(image, "xmp-data", None), path),
        resolution=exif_resolution(exif),
        png=((b"cICP", bytes((primaries, transfer, 0, 1))),) if wide else (),
    )


def read_heif_header(path: Path) -> Header:
    """Return the size, depth, channels and orientation of an AVIF.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: as `decode_heif`, for what its boxes show.
    """
    picture = _find(path.read_bytes(), path)
    colors = 1 if picture.gray else 3
    return Header(*picture.size, 8 if picture.bits == 8 else 16, colors + picture.alpha, picture.orientation)


def _find(data: bytes, path: Path) -> HeifPicture:
    picture = find_picture(data, path)
    if picture.codec != "AV1":
        raise UnreadableImageError(
            f"{shown(path)} is a HEIF picture (such as HEIC), and its codec, {picture.codec}, is missing here; "
            "convert it to PNG or TIFF, or let the camera save JPEG"
        )
    if picture.premultiplied:
        raise UnreadableImageError(
            f"{shown(path)} has colors that are multiplied by their alpha; export it with straight alpha"
        )
    check_size(path, *picture.size)
    return picture


def _stated(picture: HeifPicture, path: Path) -> Encoding | None:
    return encoding_of_transfer(picture.video_code[1], path) if picture.video_code else None


def _field(image: pyvips.Image, name: str, missing: object) -> Any:
    return image.get(name) if name in image.get_fields() else missing


def _scale(codes: Codes, bits: int) -> Codes:
    """Convert codes that libvips has shifted up to 16 bits to those whose white is 65535."""
    if bits == 8:
        return np.ascontiguousarray(codes)
    white = 2**bits - 1
    table = np.rint(np.arange(white + 1) * (65535 / white)).astype(np.uint16)
    scaled = np.empty(codes.shape, np.uint16)
    for top in range(0, len(codes), _STRIP):
        scaled[top : top + _STRIP] = table[codes[top : top + _STRIP] >> (16 - bits)]
    return scaled


def _turned(exif: bytes | None, turn: int) -> bytes | None:
    """Let EXIF data state an orientation; the one that it has does not count in HEIF."""
    if orientation(exif) == turn:
        return exif
    parsed = parse_exif(exif) if exif else Exif("<")
    tag = Tag(ORIENTATION, 3, 1, struct.pack(f"{parsed.order}H", turn))
    main = tuple(old for old in parsed.main if old.number != ORIENTATION)
    return serialize_exif(replace(parsed, main=tuple(sorted((*main, tag), key=lambda one: one.number))))
