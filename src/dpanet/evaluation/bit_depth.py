"""The bit depth at which pictures are compared: a choice that moves published figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dpanet.datasets.captures import Capture
from dpanet.errors import ConfigError
from dpanet.pair import DualPixelPair, Picture, Pixels


@dataclass(frozen=True)
class BitDepth:
    """How views are read, and how outputs and truths are rounded before they are compared.

    Raises:
        ConfigError: If `bits` is neither 8 nor 16.
    """

    bits: int = 16
    """16: compare in floating point, without rounding. 8: first round output and truth to 256 levels."""
    official: bool = False
    """As the published code does: read views and truth at 8 bits (drop the low byte), *truncate* outputs to 8."""

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise ConfigError(f"bits is {self.bits}; pictures are compared at 8 or 16")

    def read(self, capture: Capture) -> Capture:
        """Return the capture with the views and the truth as the methods and the scores get them."""
        if not self.official:
            return capture
        pair, white = capture.pair, capture.white
        left, right, truth = (
            _drop_low_byte(pixels, white) for pixels in (pair.left, pair.right, capture.truth.pixels)
        )
        return replace(
            capture,
            pair=DualPixelPair(left, right, pair.encoding, pair.metadata),
            truth=Picture(truth, capture.truth.encoding, capture.truth.metadata),
        )

    def quantize(self, output: Pixels, truth: Pixels) -> tuple[Pixels, Pixels]:
        """Return output and truth, (H, W, 3), white = 1.0, at the depth at which they are compared."""
        if self.official:
            return _quantize(output, np.floor), truth
        if self.bits == 8:
            return _quantize(output, np.rint), _quantize(truth, np.rint)
        return output, truth


def _drop_low_byte(pixels: Pixels, white: float) -> Pixels:
    """Shift the 16-bit codes of `pixels` (white at `white`) to 8 bits: 65535 and 65280 both become 255."""
    codes = np.rint(np.clip(pixels / white, 0, 1) * 65535)
    return np.asarray(np.floor(codes / 256) / 255 * white, np.float32)


def _quantize(pixels: Pixels, rounding: np.ufunc) -> Pixels:
    return np.asarray(rounding(np.clip(pixels, 0, 1) * np.float32(255)) / np.float32(255), np.float32)
