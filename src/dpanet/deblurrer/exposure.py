"""Conversion between the values of a pair and those that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.pair import DualPixelPair, Encoding, Pixels


@dataclass(frozen=True)
class Exposure:
    """Scale and encoding of a pair, and encoding of the network.

    Networks are trained on pictures of normal exposure. So a linear pair is divided by its largest value for the
    network, and the output is multiplied by it. Nothing is clipped.
    """

    white: float
    """Value of the pair that the network sees as 1.0: the largest of a linear pair, 1.0 of any other."""
    pair: Encoding
    """Encoding of the pair."""
    network: Encoding
    """Encoding of the network."""

    @classmethod
    def of(cls, pair: DualPixelPair, network: Encoding) -> Exposure:
        """Return the exposure of a pair for a network of the encoding `network`."""
        white = 1.0
        if pair.encoding == "linear":
            white = max(float(pair.left.max()), float(pair.right.max())) or 1.0
        return cls(white, pair.encoding, network)

    def to_network(self, view: Pixels) -> Pixels:
        """Convert a view of the pair, (H, W, 3), to what the network takes."""
        return _convert(view / np.float32(self.white), self.pair, self.network)

    def to_picture(self, output: Pixels, encoding: Encoding) -> Pixels:
        """Convert an output of the network, (H, W, 3), to the scale of the pair and to `encoding`."""
        if self.white == 1.0:
            return _convert(output, self.network, encoding)
        light = _convert(output, self.network, self.pair) * np.float32(self.white)
        return _convert(light, self.pair, encoding)


def _convert(pixels: Pixels, encoding: Encoding, target: Encoding) -> Pixels:
    if encoding == target:
        return pixels
    return linear_to_srgb(pixels) if target == "srgb" else srgb_to_linear(pixels)
