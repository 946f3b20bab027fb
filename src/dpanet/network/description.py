"""What a network says of itself, so that tiling asks and never guesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Description:
    """What whoever feeds a network must know.

    multiple_of: px; both sides of what it is given must be a multiple (pad by reflection).
    halo: px of context a tile needs on each side for its middle to come out as in the whole picture.
    encoding: what the network was trained to see.
    passes: mirror images of a pair whose pictures are averaged, unless told otherwise.
    whole_image: a tile never comes out as in the whole picture (the published graph's central crop).
    """

    multiple_of: int
    halo: int
    encoding: Literal["linear", "srgb"] = "srgb"
    whole_image: bool = False
    passes: int = 1
