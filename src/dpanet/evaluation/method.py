"""A method of a comparison: anything that turns a pair of views into a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from dpanet.evaluation.scores import MethodInfo
from dpanet.pair import DualPixelPair, Picture


class Method(ABC):
    """A row of the tables."""

    info: MethodInfo
    """Name, kind and identity; the identity must change whenever the pictures may change."""
    device: str = "cpu"
    """Where the method computes, to be shown."""

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.info.name

    @abstractmethod
    def __call__(self, pair: DualPixelPair) -> Picture:
        """Return the deblurred picture, of the pair's size, encoding and scale."""

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32] | None:
        """Return the blur radius of each pixel, (H, W), up to gain and offset; None if the method has no map."""
        return None
