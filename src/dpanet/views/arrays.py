"""Plain NumPy arrays as pairs, and pictures as such arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.images.encoding import dequantize, quantize
from dpanet.pair import DualPixelPair, Encoding, Pixels


def to_pairs(left: NDArray[Any], right: NDArray[Any], encoding: Encoding) -> list[DualPixelPair]:
    """Convert two views to pairs, one for each picture of a batch.

    Args:
        left: (H, W), (H, W, 3) or (B, H, W, 3), RGB; uint8, uint16 or floats (white is 1.0).
        right: of the same shape and type.
        encoding: of both.

    Raises:
        PairError: if the views differ in shape or type, or have another one than these.
    """
    if left.shape != right.shape or left.dtype != right.dtype:
        raise PairError(
            f"the left view is {left.shape} {left.dtype} and the right view {right.shape} {right.dtype}; give two "
            "views of one shape and type"
        )
    if left.ndim not in (2, 3, 4) or (left.ndim > 2 and left.shape[-1] != 3):
        raise PairError(
            f"the views have shape {left.shape}; give (H, W), (H, W, 3) or (B, H, W, 3), RGB, or for tensors (H, W), "
            "(3, H, W) or (B, 3, H, W)"
        )
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
