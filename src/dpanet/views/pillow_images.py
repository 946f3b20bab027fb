"""Pillow images as NumPy arrays, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, fromarray

from dpanet.errors import PairError, UnreadableImageError

__all__ = ["MODES", "Image", "from_array", "to_array"]

MODES = ("L", "RGB", "I;16", "F")
"""Modes whose values have one meaning: 8 bits gray, 8 bits color, 16 bits gray, and floats, of which white is 1.0."""


def to_array(image: Image) -> NDArray[Any]:
    """Return (H, W) or (H, W, 3), RGB; uint8, uint16 or float32.

    Raises:
        PairError: if the image has another mode than `MODES`.
        UnreadableImageError: if its file, which Pillow reads only now, is damaged.
    """
    if image.mode not in MODES:
        raise PairError(
            f"the views are Pillow images of mode {image.mode}; convert them to one of {', '.join(MODES)}, or give "
            "the names of the files"
        )
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise UnreadableImageError(
            f"a view, a Pillow image, cannot be decoded ({error}); get the file again"
        ) from error
    return np.asarray(image)


def from_array(array: NDArray[Any], like: Image) -> Image:
    """Return an array of `to_array` as an image of the mode and with the metadata of `like`.

    The color that a file declares transparent is left out: the picture's colors are others.
    """
    image = fromarray(array)
    image.info = {key: value for key, value in like.info.items() if key != "transparency"}
    return image
