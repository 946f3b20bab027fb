"""Plain NumPy arrays as pairs, and pictures as such arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ImageWarning, PairError
from dpanet.images.encoding import dequantize, quantize
from dpanet.pair import DualPixelPair, Encoding, Pixels

BRIGHTEST = 4.0
"""Display-encoded value that few pixels exceed where white is 1.0: some 30 times the light of white."""

_SAMPLE = 100_000
"""About as many values of a view are looked at to tell whether its white is 1.0."""


def to_pairs(left: NDArray[Any], right: NDArray[Any], encoding: Encoding) -> list[DualPixelPair]:
    """Convert two views to pairs, one for each picture of a batch.

    Args:
        left: (H, W), (H, W, 3) or (B, H, W, 3), RGB; uint8, uint16 or floats (white is 1.0).
        right: of the same shape and type.
        encoding: of both.

    Raises:
        PairError: if the views differ in shape or type, or have another one than these.

    Warns:
        ImageWarning: if the white of display-encoded floats seems to be another one than 1.0. Linear ones may have
            any: a `Deblurrer` divides them by it.
    """
    if left.shape != right.shape or left.dtype != right.dtype:
        raise PairError(
            f"the left view is {left.shape} {left.dtype} and the right view {right.shape} {right.dtype}; give two "
            "views of one shape and type"
        )
    if left.ndim not in (2, 3, 4) or (left.ndim > 2 and left.shape[-1] != 3):
        raise PairError(f"the views have shape {left.shape}; give (H, W), (H, W, 3) or (B, H, W, 3), RGB")
    if encoding == "srgb":
        _check_white(left, right)
    pairs = zip(_pixels(left), _pixels(right), strict=True)
    return [DualPixelPair(one, other, encoding) for one, other in pairs]


def from_pictures(pictures: Sequence[Pixels], shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert pictures (H, W, 3) to one array of the shape and type that the views had.

    A gray picture is the mean of its channels. Whole numbers are clipped to their range and rounded.
    """
    pixels = np.stack(pictures) if pictures else np.empty((0, *shape[1:]), np.float32)
    if len(shape) == 2:
        pixels = pixels.mean(axis=-1)
    values = quantize(pixels, 8 * dtype.itemsize) if dtype.kind == "u" else pixels.astype(dtype)
    return values.reshape(shape)


def _pixels(view: NDArray[Any]) -> Iterator[Pixels]:
    """Yield each picture of a view as (H, W, 3), float32."""
    if view.dtype.kind != "f" and view.dtype not in (np.uint8, np.uint16):
        raise PairError(f"the views are of type {view.dtype}; give uint8, uint16 or floats (white is 1.0)")
    values = view.astype(np.float32) if view.dtype.kind == "f" else dequantize(view)
    if view.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=-1)
    yield from (np.ascontiguousarray(picture) for picture in (values if view.ndim == 4 else values[None]))


def _check_white(left: NDArray[Any], right: NDArray[Any]) -> None:
    """Warn if more than a hundredth of the values of floats are above `BRIGHTEST`, as of codes up to 255.

    Lamps and the sun alone, which pictures of a high dynamic range have above white, are less.
    """
    if left.dtype.kind != "f" or not left.size:
        return
    largest = float(max(left.max(), right.max()))
    if largest <= BRIGHTEST:
        return
    samples = [view.reshape(-1)[:: max(1, view.size // _SAMPLE)] for view in (left, right)]
    if np.percentile(np.concatenate(samples), 99) > BRIGHTEST:
        warnings.warn(
            f"the views are floats with a largest value of {largest:g}, and white is 1.0; divide by their white, "
            "such as 255 for 8 bits, or give whole numbers as uint8 or uint16",
            ImageWarning,
            stacklevel=5,
        )
