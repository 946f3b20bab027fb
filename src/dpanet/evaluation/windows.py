"""Where in a scene a method gains most and least: squares that are scored alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dpanet.evaluation.pictures import for_display, save_picture
from dpanet.evaluation.protocol import Compared
from dpanet.evaluation.scores import WindowScore
from dpanet.files.output import make_folder
from dpanet.pair import Encoding, Pixels

SIDE = 176
"""Side of a window, px: two beside each other fit on a phone."""
COUNT = 5
"""Windows with the largest and with the smallest gain that are kept of a scene."""
VISIBLE = 2 / 255
"""Root mean square error of display values below which nobody sees an error."""
PARTS = ("input", "output", "truth")
"""Pictures of a window, in the order in which they are shown."""


class WindowFinder:
    """Scores the windows of one method's picture on one scene.

    Windows lie side by side. Errors are those of the protocol: colors matched and the truth moved, if it does so. A
    window in which nobody sees an error of the input or of the output is left out.

    Args:
        compared: The method's picture and the truth, as the protocol compares them.
        nothing: The input as the protocol compares it with that same truth.
        border: Pixels that the protocol drops on each side.
        encoding: Of all pictures.
    """

    def __init__(self, compared: Compared, nothing: Pixels, border: int, encoding: Encoding) -> None:
        self.pictures = dict(zip(PARTS, (nothing, compared.output, compared.truth), strict=True))
        self.border, self.encoding = border, encoding
        height, width = compared.truth.shape[:2]
        self.side = min(SIDE, height, width)

    def scores(self) -> tuple[WindowScore, ...]:
        """Return the `COUNT` windows with the smallest and those with the largest gain, the smallest first."""
        height, width = self.pictures["truth"].shape[:2]
        corners = [(x, y) for y in _starts(height, self.side) for x in _starts(width, self.side)]
        found = [window for x, y in corners if (window := self._score(x, y)) is not None]
        found.sort(key=lambda window: window.gain)
        return tuple(found if len(found) <= 2 * COUNT else (*found[:COUNT], *found[-COUNT:]))

    def save(self, windows: Sequence[WindowScore], folder: Path, scene: str, method: str) -> list[Path]:
        """Write the pictures of windows, and return their paths; see `window_path`."""
        paths = []
        for window in windows:
            x, y = window.x - self.border, window.y - self.border
            for part, picture in self.pictures.items():
                path = window_path(folder, scene, method, window, part)
                make_folder(path.parent)
                paths.append(save_picture(for_display(self._cut(picture, x, y), self.encoding), path))
        return paths

    def _cut(self, picture: Pixels, x: int, y: int) -> Pixels:
        return picture[y : y + self.side, x : x + self.side]

    def _score(self, x: int, y: int) -> WindowScore | None:
        """Return the score of one window; None if nobody sees an error in it."""
        squares = [self._cut(picture, x, y) for picture in self.pictures.values()]
        shown = [for_display(square, self.encoding) for square in squares]
        if max(_mean_square(one, shown[2]) for one in shown[:2]) <= VISIBLE**2:
            return None
        before, after = (_psnr(_mean_square(one, squares[2])) for one in squares[:2])
        return WindowScore(x + self.border, y + self.border, self.side, before, after)


def window_path(folder: Path, scene: str, method: str, window: WindowScore, part: str) -> Path:
    """Return the file of a window's picture in the folder of an evaluation; `part` is one of `PARTS`."""
    return folder / "scenes" / scene / method / f"{window.x}-{window.y}-{part}.png"


def _starts(length: int, side: int) -> range:
    """Return where windows side by side begin along a side of the picture, with as much left over at both ends."""
    return range((length % side) // 2, length - side + 1, side)


def _mean_square(one: Pixels, other: Pixels) -> float:
    return float(np.square(one - other, dtype=np.float64).mean())


def _psnr(mean_square: float) -> float:
    return math.inf if mean_square == 0 else -10 * math.log10(mean_square)
