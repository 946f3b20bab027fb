"""Bring pictures upright, as their EXIF orientation says, where two of them must lie on each other."""

from __future__ import annotations

import numpy as np

from dpanet.containers.decoded_image import Codes


def turn_upright(codes: Codes, orientation: int) -> Codes:
    """Turn and mirror stored pixels so that they are as they are to be seen.

    Args:
        codes: H x W or H x W x channels.
        orientation: of EXIF, 1 to 8; 1 changes nothing.

    Returns:
        A view of the same pixels; height and width are swapped for 5 to 8.

    Source:
        Exif 2.32 (CIPA DC-008-2019), tag 274.
    """
    if orientation >= 5:
        codes = np.swapaxes(codes, 0, 1)
    if orientation in (3, 4, 7, 8):
        codes = codes[::-1]
    if orientation in (2, 3, 6, 7):
        codes = codes[:, ::-1]
    return codes


def upright_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Return height and width of a picture that is brought upright."""
    return (width, height) if orientation >= 5 else (height, width)
