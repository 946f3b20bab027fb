"""Methods without a network: doing nothing, and classical deconvolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.deconvolution.blocks import BlockDeconvolution
from dpanet.evaluation.method import Method
from dpanet.evaluation.scores import NOTHING, MethodInfo
from dpanet.pair import DualPixelPair, Picture


class DoNothing(Method):
    """The ordinary photograph: the mean of the views in their own encoding. Every method must beat it."""

    info = MethodInfo(NOTHING, "baseline", NOTHING)

    def __call__(self, pair: DualPixelPair) -> Picture:
        return pair.combined


class ClassicalMethod(Method):
    """A deconvolution as a row of the tables.

    Args:
        deconvolution: Wiener's filter or Richardson and Lucy's iteration.
    """

    def __init__(self, deconvolution: BlockDeconvolution) -> None:
        self.deconvolution = deconvolution
        self.info = MethodInfo(deconvolution.name, "baseline", deconvolution.identity)

    def __call__(self, pair: DualPixelPair) -> Picture:
        return self.deconvolution(pair)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """Return the blur scale by which each pixel is deconvolved, (H, W), signed."""
        return self.deconvolution.defocus_map(pair)
