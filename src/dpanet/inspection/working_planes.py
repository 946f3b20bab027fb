"""Reduce a pair to two small gray planes, on which blocks are matched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dpanet.inspection.block_match import Plane
from dpanet.pair import DualPixelPair, Pixels

WORKING_SIDE = 1400
"""Longer side in px up to which a picture is not reduced."""


@dataclass(frozen=True)
class WorkingPlanes:
    """Both views, reduced and gray; display-like values, their mean over both views is 1."""

    left: Plane
    right: Plane
    factor: float
    """Pixels of the picture in one of the planes."""


def reduce_pair(pair: DualPixelPair, side: int = WORKING_SIDE) -> WorkingPlanes:
    """Reduce both views by averaging, until the longer side is at most `side` px.

    Linear values are square-rooted, so that bright places do not decide alone.
    """
    height, width = pair.left.shape[:2]
    factor = max(1.0, max(height, width) / side)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    left, right = (_reduce(view, size, pair.encoding == "linear") for view in (pair.left, pair.right))
    mean = float(left.mean() + right.mean()) / 2
    if mean > 0:
        left, right = left / np.float32(mean), right / np.float32(mean)
    return WorkingPlanes(left, right, factor)


def _reduce(view: Pixels, size: tuple[int, int], linear: bool) -> Plane:
    small = view if size == view.shape[1::-1] else cv2.resize(view, size, interpolation=cv2.INTER_AREA)
    gray = np.maximum(small.mean(axis=2, dtype=np.float32), np.float32(0))
    return np.asarray(np.sqrt(gray) if linear else gray, np.float32)
