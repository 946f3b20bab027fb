"""At how many bits pictures are compared: the choice that moves published figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dpanet.datasets.captures import Capture
from dpanet.errors import ConfigError
from dpanet.pair import DualPixelPair, Picture, Pixels


@dataclass(frozen=True)
class Depth:
    """How views are read and outputs and truths are compared.

    bits: 16 compares as the files and the method gave it, in floating point; 8 first rounds output and truth to
    256 levels between black and white. official: as the published code does: views and truth are read at 8 bits
    (the low byte dropped), the output is *truncated* to 8 bits.

    Raises: ConfigError for other bits.
    """

    bits: int = 16
    official: bool = False

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise ConfigError(f"bits is {self.bits}; pictures are compared at 8 or 16")

    def capture(self, capture: Capture) -> Capture:
        """The capture as a method and the score get to see it."""
        if not self.official:
            return capture
        pair, white = capture.pair, capture.white
        left, right, truth = (
            _low_byte_dropped(pixels, white) for pixels in (pair.left, pair.right, capture.truth.pixels)
        )
        return replace(
            capture,
            pair=DualPixelPair(left, right, pair.encoding, pair.metadata),
            truth=Picture(truth, capture.truth.encoding, capture.truth.metadata),
        )

    def compared(self, output: Pixels, truth: Pixels) -> tuple[Pixels, Pixels]:
        """Output and truth, white = 1.0, (H, W, 3) each, at the depth at which they are compared."""
        if self.official:
            return _levels(output, np.floor), truth
        if self.bits == 8:
            return _levels(output, np.rint), _levels(truth, np.rint)
        return output, truth


def _low_byte_dropped(pixels: Pixels, white: float) -> Pixels:
    """16-bit codes of `pixels` (white at `white`) shifted to 8 bits: 65535 and 65280 both become 255."""
    codes = np.rint(np.clip(pixels / white, 0, 1) * 65535)
    return np.asarray(np.floor(codes / 256) / 255 * white, np.float32)


def _levels(pixels: Pixels, how: np.ufunc) -> Pixels:
    return np.asarray(how(np.clip(pixels, 0, 1) * np.float32(255)) / np.float32(255), np.float32)
