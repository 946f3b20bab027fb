"""The pair of `dpanet demo`, which ships with the package so that nothing has to be simulated."""

from __future__ import annotations

from pathlib import Path

from dpanet.images.reading import read_pair, read_picture
from dpanet.pair import DualPixelPair, Picture

FOLDER = Path(__file__).parent / "demo"
"""left.webp, right.webp and truth.webp, lossless, as `tools/demo_pair.py` wrote them."""


def read_demo_pair() -> tuple[DualPixelPair, Picture]:
    """Read a simulated pair and its truth, 512 x 512, display-encoded; the blur grows from left to right.

    The photograph is scikit-image's `astronaut` (NASA, public domain).
    """
    pair = read_pair(FOLDER / "left.webp", FOLDER / "right.webp")
    return pair, read_picture(FOLDER / "truth.webp")
