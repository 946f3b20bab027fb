"""What refinement starts from: less than the network's picture."""

from __future__ import annotations

import numpy as np

from dpanet.pair import Pixels

KEPT = np.float32(0.85)
"""Share that is kept of what the network adds to the mean of the views. Networks add too much to real captures; where
the lens shows that it is there, refinement puts it back, so that this holds for what the lens does not pass."""


def keep_part(left: Pixels, right: Pixels, picture: Pixels) -> Pixels:
    """Return the mean of the views and `KEPT` of what the network's picture adds to it, all (H, W, 3)."""
    mean: Pixels = left + right
    mean *= np.float32(0.5)
    added = picture - mean
    added *= KEPT
    mean += added
    return mean
