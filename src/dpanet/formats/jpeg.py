"""Read JPEG, with its metadata. It is never written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.containers.jpeg_segments import (
    JpegFrame,
    Segments,
    count_pictures,
    find_comments,
    find_exif,
    find_frame,
    find_icc,
    find_iptc,
    find_resolution,
    find_xmp,
    read_segments,
    warn_of_left_out,
)
from dpanet.containers.sound_metadata import exif_resolution, sound_exif, sound_xmp, warn
from dpanet.containers.stated_encoding import use_profile
from dpanet.containers.vips import open_data, to_codes
from dpanet.errors import UnreadableImageError, shown
from dpanet.formats.limits import check_size
from dpanet.pair import Encoding

_HARMLESS = ("extraneous bytes", "unknown JFIF revision", "Unknown Adobe color transform")
"""Remarks of the decoder that say nothing against the pixels. Its others mean damage."""

_USUAL_HEADER = 2**18
"""Bytes in which the segments before the pixels usually end."""

_STRIP = 256
"""Rows that are converted at once."""


def decode_jpeg(path: Path) -> DecodedImage:
    """Decode a JPEG; the EXIF orientation is not applied, CMYK and YCCK become RGB.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: if it is damaged or cut, or of a kind that is not read.
    """
    data = path.read_bytes()
    segments = read_segments(data, path)
    frame = find_frame(segments, path)
    check_size(path, frame.width, frame.height)
    if count_pictures(segments) > 1:
        warn(
            f"{shown(path)} contains more than one picture, such as another view, depth or a gain map; only its main "
            "picture is read"
        )
    warn_of_left_out(segments, path)
    exif = sound_exif(find_exif(segments), path)
    icc, encoding, codes, conversion = _decode(data, segments, frame, path)
    return DecodedImage(
        path,
        codes,
        encoding=encoding,
        icc=icc,
        exif=exif,
        xmp=sound_xmp(find_xmp(segments, path), path),
        iptc=find_iptc(segments),
        resolution=find_resolution(segments) or exif_resolution(exif),
        png=find_comments(segments),
        conversion=conversion,
    )


def read_jpeg_header(path: Path) -> Header:
    """Return the size, channels and orientation of a JPEG.

    Raises:
        OSError: if the file cannot be read.
        UnreadableImageError: as `decode_jpeg`, for what its header shows.
    """
    with path.open("rb") as file:
        data = file.read(_USUAL_HEADER)
        try:
            segments = read_segments(data, path)
        except UnreadableImageError:  # there is more, such as large metadata
            segments = read_segments(data + file.read(), path)
    frame = find_frame(segments, path)
    check_size(path, frame.width, frame.height)
    return Header(
        frame.width, frame.height, 8, 1 if frame.channels == 1 else 3, orientation(find_exif(segments))
    )


def _decode(
    data: bytes, segments: Segments, frame: JpegFrame, path: Path
) -> tuple[bytes | None, Encoding | None, Codes, str]:
    """Return the ICC profile that is carried over, the encoding, the pixels, and how they were converted."""
    import pyvips

    icc = find_icc(segments, path)
    try:
        if frame.channels == 4:
            return None, "srgb", *_decode_cmyk(data, icc is not None)
        profile, encoding = use_profile(icc, frame.channels == 1, path)
        return profile, encoding, _decode_pixels(data), ""
    except pyvips.Error as error:
        raise UnreadableImageError(
            f"{shown(path)} is a truncated or damaged JPEG; export or copy it again"
        ) from error


def _decode_pixels(data: bytes) -> Codes:
    """Decode the pixels, and refuse those of which the decoder remarks that they are damaged."""
    import pyvips

    try:
        return to_codes(open_data(data, "jpegload", unlimited=True, fail_on="warning"))
    except pyvips.Error as error:
        if not any(remark in str(error) for remark in _HARMLESS):
            raise
    return to_codes(open_data(data, "jpegload", unlimited=True))


def _decode_cmyk(data: bytes, profile: bool) -> tuple[Codes, str]:
    """Convert CMYK to sRGB by the file's ICC profile or, without one, by the rule (1 - ink) (1 - black).

    Returns:
        The pixels, and by what they were converted.
    """
    import pyvips

    if profile:
        try:
            image = open_data(data, "jpegload", unlimited=True, fail_on="warning")
            return to_codes(image.icc_transform("srgb", embedded=True, intent="relative")), "the ICC profile"
        except pyvips.Error:
            pass  # the profile is damaged or of other colors, or the pixels are damaged, which shows next
    inks = _decode_pixels(data)
    codes = np.empty((*inks.shape[:2], 3), np.uint8)
    for top in range(0, len(inks), _STRIP):
        light = 255 - inks[top : top + _STRIP].astype(np.uint16)
        codes[top : top + _STRIP] = (light[..., :3] * light[..., 3:] + 127) // 255
    return codes, "a rule that is approximate, for want of a usable ICC profile"
