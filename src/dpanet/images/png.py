"""Read and write PNG, 8 and 16 bit, with ICC profile and EXIF."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dpanet.errors import OutputError, UnreadableImageError
from dpanet.images.decoded_image import Codes, DecodedImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decode_png(data: bytes, path: Path) -> DecodedImage:
    """Decode a PNG; 1, 2 and 4 bit become 8, a palette becomes RGB, gray with alpha becomes RGB with alpha.

    The EXIF orientation is not applied: the two views differ along the sensor's rows, which must stay rows.

    Args:
        data: contents of the file.
        path: of the file, for errors.

    Raises:
        UnreadableImageError: if the data are truncated or damaged.
    """
    _check_chunks(data, path)
    try:
        codes, kinds, chunks = cv2.imdecodeWithMetadata(
            np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED
        )
    except cv2.error as error:
        raise UnreadableImageError(f"{path} cannot be decoded ({error.err}); export it again") from error
    if codes is None or codes.size == 0:
        raise UnreadableImageError(f"{path} is a damaged PNG; export or copy it again")
    if codes.ndim == 3:
        codes = codes[..., ::-1] if codes.shape[2] == 3 else codes[..., [2, 1, 0, 3]]  # BGR(A) to RGB(A)
    found = {int(kind): np.asarray(chunk).tobytes() for kind, chunk in zip(kinds, chunks, strict=True)}
    return DecodedImage(path, codes, found.get(cv2.IMAGE_METADATA_ICCP), found.get(cv2.IMAGE_METADATA_EXIF))


def encode_png(codes: Codes, icc: bytes | None, exif: bytes | None) -> bytes:
    """Encode an image as the contents of a PNG file.

    Args:
        codes: H x W (gray) or H x W x 3 (RGB), uint8 or uint16.
        icc: ICC profile to embed, if any.
        exif: EXIF data to embed, if any: the bare TIFF structure.

    Raises:
        OutputError: if the encoder fails.
    """
    if codes.ndim == 3:
        codes = cv2.cvtColor(codes, cv2.COLOR_RGB2BGR)
    carried = {cv2.IMAGE_METADATA_EXIF: exif, cv2.IMAGE_METADATA_ICCP: icc}
    kinds = [kind for kind, chunk in carried.items() if chunk]
    chunks = [np.frombuffer(chunk, np.uint8) for chunk in carried.values() if chunk]
    done, data = cv2.imencodeWithMetadata(".png", codes, kinds, chunks)
    if not done:
        raise OutputError("the picture could not be encoded as PNG; write it as .tif instead")
    return data.tobytes()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the name of each chunk, and whether it is complete and has the right checksum."""
    view, at = memoryview(data), len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 12 + length
        whole = end <= len(data) and zlib.crc32(view[at + 4 : end - 4]) == int.from_bytes(
            view[end - 4 : end], "big"
        )
        yield bytes(view[at + 4 : at + 8]), whole
        at = end


def _check_chunks(data: bytes, path: Path) -> None:
    """Raise an error for damaged data before they reach the decoder, which prints on standard error."""
    name = b""
    for name, whole in _chunks(data):
        if not whole:
            raise UnreadableImageError(f"{path} is a truncated or damaged PNG; export or copy it again")
        if name == b"IEND":
            return
    raise UnreadableImageError(f"{path} is a truncated PNG (it has no end); export or copy it again")
