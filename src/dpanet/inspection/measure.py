"""Measure what two views tell about being a dual-pixel pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.images.encoding import srgb_to_linear
from dpanet.inspection.alignment import Misalignment, fit_misalignment
from dpanet.inspection.block_match import BlockShifts, match_blocks
from dpanet.inspection.exposure import Brightness, Clipped, compare_brightness, count_clipped
from dpanet.inspection.focus import IN_FOCUS, Focus, describe_focus
from dpanet.inspection.noise import estimate_noise
from dpanet.inspection.quarter_turn import differs_along_columns
from dpanet.inspection.sharpness import blur_widths
from dpanet.inspection.view_order import ViewOrder, judge_order
from dpanet.inspection.working_planes import WorkingPlanes, reduce_pair
from dpanet.pair import DualPixelPair, Encoding, Pixels

if TYPE_CHECKING:
    from dpanet.deconvolution.lens import MeasuredLens

GREEN = 1
"""The channel whose noise is stated: it is the least interpolated one of a color sensor."""

QUICK_SIDE, QUICK_STEP = 600, 12
"""Longer side of the planes, and distance between neighboring blocks, for `estimate_order`, px."""

LINEAR_SIDE = 400
"""Longer side in px to which views are reduced before their light is compared."""


@dataclass(frozen=True)
class Maps:
    """What the picture of an inspection shows, one value for each block."""

    planes: WorkingPlanes
    blocks: BlockShifts
    disparity: NDArray[np.float64]
    """(rows, columns), px of the picture, NaN where unknown."""
    blur: NDArray[np.float64]
    """(rows, columns), sigma in px of the picture, NaN where unknown."""


@dataclass(frozen=True)
class Measures:
    """All that is measured on a pair."""

    identical: bool
    noise: tuple[float, float]
    """Standard deviation in left and right, share of white of the file's values; NaN if unknown."""
    clipped: tuple[Clipped, Clipped]
    brightness: Brightness
    misalignment: Misalignment
    along_columns: bool
    """Whether the views differ along the columns, as those that were turned by 90 degrees."""
    focus: Focus
    order: ViewOrder
    maps: Maps


def measure_pair(
    pair: DualPixelPair,
    steps: float,
    *,
    camera: str | None = None,
    flat_field: bool = False,
    lens: MeasuredLens | None = None,
) -> Measures:
    """Measure a pair.

    Args:
        pair: the views.
        steps: codes of the file from black to white; 0 for floats.
        camera: name of the raw format that the views came in.
        flat_field: whether the views were evened out by white sheets.
        lens: measured kernels of the lens, which decide the order of the views.
    """
    views = (pair.left, pair.right)
    left_noise, right_noise = (estimate_noise(view[..., GREEN]) for view in views)
    left_clipped, right_clipped = (count_clipped(view, steps) for view in views)
    planes = reduce_pair(pair)
    grain = _noise_of(planes)
    blocks = match_blocks(planes.left, planes.right, grain)
    blur = blur_widths(np.asarray((planes.left + planes.right) / 2, np.float32), blocks, grain / 2**0.5)
    disparity = blocks.x * planes.factor
    brightness = compare_brightness(*(_small_linear(view, pair.encoding) for view in views))
    return Measures(
        identical=bool(np.array_equal(pair.left, pair.right)),
        noise=(left_noise, right_noise),
        clipped=(left_clipped, right_clipped),
        brightness=brightness,
        misalignment=fit_misalignment(blocks, planes.factor),
        along_columns=differs_along_columns(planes, blocks, grain),
        focus=describe_focus(blocks, blur, planes.factor),
        order=judge_order(
            disparity,
            IN_FOCUS,
            brightness=brightness,
            camera=camera,
            flat_field=flat_field,
            kernels=None if lens is None else (pair, lens),
        ),
        maps=Maps(planes, blocks, disparity, blur * planes.factor),
    )


def estimate_order(pair: DualPixelPair) -> ViewOrder:
    """Judge the order of the views on small planes; 0.7 s of one core for 24 megapixels."""
    planes = reduce_pair(pair, QUICK_SIDE)
    blocks = match_blocks(planes.left, planes.right, _noise_of(planes), QUICK_STEP)
    return judge_order(blocks.x * planes.factor, IN_FOCUS)


def _noise_of(planes: WorkingPlanes) -> float:
    """Return the standard deviation of the noise of the noisier plane; 0 where it cannot be measured."""
    return float(np.nan_to_num([estimate_noise(plane) for plane in (planes.left, planes.right)]).max())


def _small_linear(view: Pixels, encoding: Encoding) -> Pixels:
    """Reduce a view and convert it to linear light."""
    factor = max(1.0, max(view.shape[:2]) / LINEAR_SIDE)
    size = (max(1, round(view.shape[1] / factor)), max(1, round(view.shape[0] / factor)))
    small = np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.float32)
    return srgb_to_linear(small) if encoding == "srgb" else small
