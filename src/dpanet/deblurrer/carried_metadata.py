"""What a deblurred picture takes over from its pair: metadata, and pixels that must stay as they were. NumPy only."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.written_metadata import with_encoding
from dpanet.deblurrer.control import combine_views
from dpanet.errors import ImageWarning, PairError
from dpanet.images.pixel_rows import PairRows
from dpanet.pair import DualPixelPair, Encoding, Pixels

_BLEND = 4
"""Px around a mask over which the picture leads over to its pixels."""

_STRIP = 256
"""Rows that are blended at once."""


def carry_metadata(pair: DualPixelPair | PairRows, encoding: Encoding) -> dict[str, Any]:
    """Return the metadata of a pair for its deblurred picture: all but ``keep``.

    If the picture has another encoding than the pair, nothing states the pair's: an ICC profile and the chunks of a
    PNG become those of the same colors in the new encoding. A profile for which that is impossible is left out, with
    an ImageWarning.

    Args:
        pair: with its metadata.
        encoding: of the picture.
    """
    metadata = {key: value for key, value in pair.metadata.items() if key != "keep"}
    if encoding == pair.encoding:
        return metadata
    converted = with_encoding(metadata, encoding)
    if metadata.get("icc") and not converted.get("icc"):
        warnings.warn(
            f"the ICC profile of the views describes {pair.encoding} values and is left out of the picture, "
            f"which is {encoding}; assign a profile of its colors to the picture afterwards",
            ImageWarning,
            stacklevel=4,
        )
    return converted


def read_keep(pair: DualPixelPair) -> NDArray[np.float32] | None:
    """Return the weight with which each pixel of a pair stays as it was, H x W, 0..1; None if all are deblurred.

    The metadata may have weights of their own (floats), or a mask (of another type, not 0), around which the
    weights fall to 0 within 4 px.

    Raises:
        PairError: if the mask in the metadata has another size than the pair.
    """
    if pair.metadata.get("keep") is None:
        return None
    keep = np.asarray(pair.metadata["keep"])
    if keep.shape != pair.left.shape[:2]:
        raise PairError(
            f"the mask of pixels to keep has shape {keep.shape} and the views have {pair.left.shape[:2]}; "
            "give a mask of height x width of the pair"
        )
    weights = np.clip(keep.astype(np.float32), 0, 1) if keep.dtype.kind == "f" else _soften(keep != 0)
    return weights if weights.any() else None


def keep_pixels(
    picture: Pixels, pair: DualPixelPair, weights: NDArray[np.float32], encoding: Encoding
) -> None:
    """Blend the combined view into a deblurred picture, in place.

    Args:
        picture: (H, W, 3), float32.
        pair: of the picture.
        weights: H x W, of `read_keep`.
        encoding: of the picture.
    """
    for top in range(0, len(weights), _STRIP):
        y, x = np.nonzero(weights[top : top + _STRIP])
        place = (y + top, x)
        weight = weights[place][:, None]
        combined = combine_views(pair.left[place], pair.right[place], pair.encoding, encoding)
        blended = picture[place] + weight * (combined - picture[place])
        picture[place] = np.where(weight == 1, combined, blended)


def _soften(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return 1 in the mask, falling evenly to 0 over `_BLEND` px around it."""
    weights = mask.astype(np.float32)
    for step in range(1, _BLEND):
        mask = _grow(mask)
        weights = np.maximum(weights, mask * np.float32(1 - step / _BLEND))
    return weights


def _grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask grown by one px to all eight sides."""
    for axis in (0, 1):
        grown = mask.copy()
        after, before = [slice(None)] * 2, [slice(None)] * 2
        after[axis], before[axis] = slice(1, None), slice(None, -1)
        grown[tuple(after)] |= mask[tuple(before)]
        grown[tuple(before)] |= mask[tuple(after)]
        mask = grown
    return mask
