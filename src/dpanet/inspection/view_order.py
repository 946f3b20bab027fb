"""Judge whether the left and the right view were exchanged.

What can be known. In a lens whose halves are mirror images of each other, a point behind the focal plane has the same
two images as a point before it has with the views exchanged. So the pixels of such a pair never tell: the sign of the
disparity shows the side on which the blurred parts lie only if the order is already known. Three things go
beyond that, from the surest to the weakest:

1. kernels measured on this very lens, which are not quite mirror images of each other;
2. a camera whose halves differ in brightness in a known way;
3. habit: in most photographs, what is blurred lies behind what is sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.images.encoding import srgb_to_linear
from dpanet.inspection.exposure import Brightness
from dpanet.pair import DualPixelPair, Encoding, Pixels

if TYPE_CHECKING:
    from dpanet.deconvolution.lens import MeasuredLens

State = Literal["right", "swapped", "undecided"]
By = Literal["measured kernels", "camera", "habit", "nothing"]

CLEAR_SHARE = 0.8
"""Share of the parts out of focus that lies on one side of the focal plane where that side is called clear."""

CLEAR_RATIO = 1.2
"""Ratio of the mismatches of both orders from which measured kernels decide."""

TILE = 168
"""Side in px of the compared tiles: the cells of the Pixel 4's calibration."""

TILES = (3, 4)
"""Rows and columns of compared tiles."""

HALVES = {"pixel4": 1.2}
"""Camera -> light of the left view divided by that of the right, of its raw views. Pixel 4: median of the five
captures of one phone (Xin et al., ICCV 2021), each 1.16 to 1.22; a white sheet gives 1.20."""


@dataclass(frozen=True)
class ViewOrder:
    """Whether the views look exchanged."""

    state: State
    by: By
    """What decided it; ``habit`` is a guess from how people photograph, not a measurement."""
    behind: float
    """Share of the matched blocks whose content lies behind the focal plane if the order is right, 0..1."""
    before: float
    """The same for those before it."""


def judge_order(
    disparity: NDArray[np.float64],
    tolerance: float,
    *,
    brightness: Brightness | None = None,
    camera: str | None = None,
    flat_field: bool = False,
    kernels: tuple[DualPixelPair, MeasuredLens] | None = None,
) -> ViewOrder:
    """Judge the order by the surest means that there is.

    Args:
        disparity: of each block, px, positive where the right view's content lies to the right; NaN where unknown.
        tolerance: px up to which a block is in focus.
        brightness: of the views.
        camera: name of the raw format that the views came in.
        flat_field: whether the views were evened out by white sheets.
        kernels: the pair and the lens that it was taken with.
    """
    known = disparity[~np.isnan(disparity)]
    behind, before = (float((sign * known > tolerance).mean()) if known.size else 0.0 for sign in (1, -1))
    if kernels is not None:
        state = _by_kernels(*kernels)
        if state != "undecided":
            return ViewOrder(state, "measured kernels", behind, before)
    if camera in HALVES and brightness is not None and brightness.ratio > 0:
        expected = math.log(HALVES[camera])
        measured = math.log(brightness.ratio) + (expected if flat_field else 0.0)
        if abs(measured) > expected / 2:
            return ViewOrder("right" if measured > 0 else "swapped", "camera", behind, before)
    blurred = behind + before
    if blurred < 0.05 or max(behind, before) < CLEAR_SHARE * blurred:
        return ViewOrder("undecided", "nothing", behind, before)
    return ViewOrder("right" if behind > before else "swapped", "habit", behind, before)


def _by_kernels(pair: DualPixelPair, lens: MeasuredLens) -> State:
    """Compare how well measured kernels explain the pair in either order, tile by tile."""
    from dpanet.deconvolution.disparity import MARGIN, measure_mismatch  # imports torch, which takes seconds

    height, width = pair.left.shape[:2]
    side = min(TILE + 2 * MARGIN, height, width)
    if side <= 3 * MARGIN:
        return "undecided"
    ratios = []
    for row in range(TILES[0]):
        for column in range(TILES[1]):
            y, x = (row + 0.5) / TILES[0], (column + 0.5) / TILES[1]
            top, first = (
                int(np.clip(at * length - side / 2, 0, length - side))
                for at, length in ((y, height), (x, width))
            )
            tiles = [
                _gray_light(view[top : top + side, first : first + side], pair.encoding)
                for view in (pair.left, pair.right)
            ]
            cell = lens.cell_at((top + side / 2) / height, (first + side / 2) / width)
            pairs = lens.kernel_pairs(cell, [scale for scale in lens.scales if scale])
            straight, exchanged = (
                measure_mismatch(tiles[one], tiles[1 - one], pairs).min() for one in (0, 1)
            )
            if straight > 0 and exchanged > 0:
                ratios.append(exchanged / straight)
    if not ratios or max(np.median(ratios), 1 / np.median(ratios)) < CLEAR_RATIO:
        return "undecided"
    return "right" if np.median(ratios) > 1 else "swapped"


def _gray_light(view: Pixels, encoding: Encoding) -> NDArray[np.float32]:
    light = srgb_to_linear(view) if encoding == "srgb" else view
    return np.asarray(light.mean(axis=2), np.float32)
