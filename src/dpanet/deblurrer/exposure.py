"""Conversion between the values of a pair and those that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpanet.deblurrer.white import find_white
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.images.pixel_rows import PairRows
from dpanet.pair import DualPixelPair, Encoding, Pixels

_LOWEST = {"srgb": np.float32(-1), "linear": np.float32(-1 / 12.92)}
"""The smallest value that a network sees, in both encodings: below 0 there is only noise."""


@dataclass(frozen=True)
class Exposure:
    """Scale and encoding of a pair, and encoding of the network.

    Networks are trained on pictures of normal exposure, clipped at white. So a linear pair is divided by its white
    for the network (`find_white`), and the output is multiplied by it. What lies above white, of any pair, is taken
    off and added to the output again: highlights come back as bright as they were, as blurred as they were.
    """

    white: float
    """Value of the pair that the network sees as 1.0: the white of a linear pair, 1.0 of any other."""
    pair: Encoding
    """Encoding of the pair."""
    network: Encoding
    """Encoding of the network."""

    @classmethod
    def of(cls, pair: DualPixelPair | PairRows, network: Encoding) -> Exposure:
        """Return the exposure of a pair for a network of the encoding `network`."""
        white = find_white((pair.left, pair.right)) if pair.encoding == "linear" else 1.0
        return cls(white, pair.encoding, network)

    def to_network(self, view: Pixels) -> Pixels:
        """Convert a view of the pair, (H, W, 3), to what the network takes, clipped at white; always a copy."""
        clipped = self._clip(view)
        if self.white != 1.0:
            clipped /= np.float32(self.white)
        return _convert(clipped, self.pair, self.network)

    def excess(self, left: Pixels, right: Pixels) -> Pixels | None:
        """Return what `to_network` clips off the views, (H, W, 3), as the mean of both, in the scale of the pair.

        None if that is nothing, as of every view of whole numbers.
        """
        lowest, white = self._limits()
        if all(lowest <= view.min() and view.max() <= white for view in (left, right)):
            return None
        half = np.float32(0.5)
        return (left - self._clip(left)) * half + (right - self._clip(right)) * half

    def to_picture(self, output: Pixels, excess: Pixels | None, encoding: Encoding) -> Pixels:
        """Convert an output of the network, (H, W, 3), to the scale of the pair and to `encoding`.

        Args:
            output: of the network.
            excess: of the views, as `excess` returns it; added to the output.
            encoding: of the picture.
        """
        if self.white == 1.0:
            picture = _convert(output, self.network, encoding)
        else:
            light = _convert(output, self.network, self.pair) * np.float32(self.white)
            picture = _convert(light, self.pair, encoding)
        if excess is not None:
            clipped = excess != 0
            values = _convert(output[clipped], self.network, self.pair) * np.float32(self.white)
            picture = np.array(picture)
            picture[clipped] = _convert(values + excess[clipped], self.pair, encoding)
        return picture

    def _clip(self, view: Pixels) -> Pixels:
        return np.clip(view, *self._limits())

    def _limits(self) -> tuple[np.float32, np.float32]:
        white = np.float32(self.white)
        return _LOWEST[self.pair] * white, white


def _convert(pixels: Pixels, encoding: Encoding, target: Encoding) -> Pixels:
    if encoding == target:
        return pixels
    return linear_to_srgb(pixels) if target == "srgb" else srgb_to_linear(pixels)
