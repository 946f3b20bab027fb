"""Where in a scene a method gains most and least: squares that are scored alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
        truth, side = self.pictures["truth"], self.side
        corners = [(x, y) for y in _starts(truth.shape[0], side) for x in _starts(truth.shape[1], side)]
        before, after = (self._psnrs(self.pictures[part], truth, corners) for part in PARTS[:2])
        shown = {part: for_display(picture, self.encoding) for part, picture in self.pictures.items()}
        limit = -20 * np.log10(VISIBLE)
        seen = [(self._psnrs(shown[part], shown["truth"], corners) < limit).tolist() for part in PARTS[:2]]
        found = sorted(
            (
                WindowScore(x + self.border, y + self.border, side, float(before[index]), float(after[index]))
                for index, (x, y) in enumerate(corners)
                if seen[0][index] or seen[1][index]
            ),
            key=lambda window: window.gain,
        )
        return tuple(found if len(found) <= 2 * COUNT else (*found[:COUNT], *found[-COUNT:]))

    def save(self, windows: Sequence[WindowScore], folder: Path, scene: str, method: str) -> list[Path]:
        """Write the pictures of windows, and return their paths; see `window_path`."""
        paths = []
        for window in windows:
            x, y = window.x - self.border, window.y - self.border
            for part, picture in self.pictures.items():
                path = window_path(folder, scene, method, window, part)
                make_folder(path.parent)
                cut = for_display(picture[y : y + window.side, x : x + window.side], self.encoding)
                paths.append(save_picture(cut, path))
        return paths

    def _psnrs(self, one: Pixels, other: Pixels, corners: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
        """Return the PSNR in dB of each window; infinite where both are equal."""
        squares = np.square(one - other).mean(axis=2)
        means = [float(squares[y : y + self.side, x : x + self.side].mean()) for x, y in corners]
        with np.errstate(divide="ignore"):
            return np.asarray(-10 * np.log10(means), np.float64)


def window_path(folder: Path, scene: str, method: str, window: WindowScore, part: str) -> Path:
    """Return the file of a window's picture in the folder of an evaluation; `part` is one of `PARTS`."""
    return folder / "scenes" / scene / method / f"{window.x}-{window.y}-{part}.png"


def _starts(length: int, side: int) -> range:
    """Return where windows side by side begin along a side of the picture, with as much left over at both ends."""
    return range((length % side) // 2, length - side + 1, side)
