"""Mirror images of a pair, for averaging the outputs of a network over them (test-time augmentation)."""

from __future__ import annotations

from dataclasses import dataclass

from dpanet.pair import Pixels


@dataclass(frozen=True)
class Mirror:
    """One mirror image of a pair.

    Mirrored left to right, the two views change places: the left half of the lens then lies on the left again, and
    the sign of a defocus map stays the same.
    """

    left_right: bool = False
    """Mirror the columns (x)."""
    top_bottom: bool = False
    """Mirror the rows (y)."""

    def apply(self, left: Pixels, right: Pixels) -> tuple[Pixels, Pixels]:
        """Return the left and the right view of the mirrored pair; arrays (H, W, C), not copied."""
        if self.left_right:
            left, right = right, left
        return self._flip(left), self._flip(right)

    def undo(self, output: Pixels) -> Pixels:
        """Return an output for the mirrored pair, (H, W, C), in the orientation of the pair itself; not copied."""
        return self._flip(output)

    def _flip(self, pixels: Pixels) -> Pixels:
        return pixels[:: -1 if self.top_bottom else 1, :: -1 if self.left_right else 1]


MIRRORS = (
    Mirror(),
    Mirror(left_right=True),
    Mirror(top_bottom=True),
    Mirror(left_right=True, top_bottom=True),
)
"""The first 1, 2 or 4 of them are averaged."""
