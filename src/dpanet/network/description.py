"""What a network needs and can do, for whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Description:
    """The needs and capabilities of a network."""

    multiple_of: int
    """Pixels; both sides of the input must be a multiple of it (pad by reflection)."""
    halo: int
    """Pixels of context that a tile needs on each side: from there on, what lies outside of it changes the picture by
    less than 1/255."""
    encoding: Literal["linear", "srgb"] = "srgb"
    """Encoding of the pictures that the network was trained on."""
    whole_image: bool = False
    """Whether no tile equals the same place of the whole picture (as in the published graph, by its central crop)."""
    tta: int = 1
    """Test-time augmentation: mirror images of a pair whose outputs are averaged by default; 1, 2 or 4."""
    has_defocus: bool = False
    """Whether `with_defocus(left, right)` returns a defocus map beside the picture."""
    scales: int = 1
    """Number of pictures that `with_scales(left, right)` returns: the picture and smaller ones."""
    tile_pixels: int = 1_400_000
    """Pixels of the largest tile that is chosen for the network: those of which it takes some 0.4 GB of memory."""
