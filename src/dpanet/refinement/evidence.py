"""How badly each blur scale explains a pair: what the views say of it, and what the network's picture says.

For the views y_l, y_r, the picture x, and the kernels K_l, K_r of a place and a scale, two residuals tell how wrong
that scale is:

    between the views        (y_l K_r - y_r K_l) B / sqrt(|K_l|^2 + |K_r|^2)
    views and picture        (y_v - K_v x) B,  both v

(Fourier domain, linear light). B passes the band in which views have detail but little noise. The first does not know
the picture: at the true scale, each view blurred as the other is the same. The second sees blur along columns too,
which moves nothing between the views. Noise, and whatever else no picture explains, is in both nearly alike: what the
second has more than the first is the picture's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.lens import Lens
from dpanet.pair import Pixels
from dpanet.refinement.spectra import Spectra, WindowSpectra

BLOCK = 8
"""Side in px of the blocks in which squares are averaged."""

CELL = 21
"""Largest side in blocks of the parts of which the kernels are those of their middle."""

WINDOW = 288
"""Side in px of the window around a part, whose border is context: more than half a kernel."""

DETAIL_FREQUENCY = 1 / 14
"""Cycles a px in the middle of the band B: brightness differs between the views below it, noise is above it."""

FAINT = 1e-3
"""Added to the energy of the kernels, so that frequencies which neither passes say nothing."""


BlockPart = tuple[slice, slice]
"""Rows and columns of the blocks of a part."""


@dataclass(frozen=True)
class Evidence:
    """Mean squares of the residuals, in blocks."""

    between_views: NDArray[np.float32]
    """(scales, rows, columns)."""
    with_picture: NDArray[np.float32]
    """(scales, rows, columns)."""


class EvidenceMeter:
    """Measures the evidence of the parts of a picture.

    Args:
        left: the left view, (H, W), proportional to light.
        right: the right view.
        picture: of the network.
        lens: whose field the picture fills.
        scales: that are tried.
    """

    def __init__(
        self, left: Pixels, right: Pixels, picture: Pixels, lens: Lens, scales: NDArray[np.float32]
    ) -> None:
        self.planes = np.stack([left, right, picture])
        self.blocks = count_blocks(*left.shape)
        """Rows and columns of blocks."""
        self.parts = cut_blocks(*left.shape)
        self.lens, self.scales = lens, [float(scale) for scale in scales]
        self.spectra = WindowSpectra(WINDOW, reduction=2)  # blurred views have little that is finer
        relative = np.square(self.spectra.frequency / np.float32(DETAIL_FREQUENCY))
        self.band = relative / np.square(1 + relative)
        self.passed = float(np.square(self.band).mean()) * (self.spectra.kept / WINDOW) ** 2
        """Share of the variance of white noise that a residual has of a view's."""

    def __call__(self, part: BlockPart) -> Evidence:
        """Measure a part."""
        kernels = self.spectra.kernels(self.lens, *self.place(part), self.scales)
        left, right, picture = self.transform(part)
        views = np.stack([left, right])
        found = np.empty((2, len(kernels), *(side.stop - side.start for side in part)), np.float32)
        for i, pair in enumerate(kernels):
            energy = np.square(pair.real).sum(0) + np.square(pair.imag).sum(0) + np.float32(FAINT)
            between = (left * pair[1] - right * pair[0]) * (self.band / np.sqrt(energy))
            with_picture = (views - pair * picture) * self.band
            residuals = np.square(self.spectra.inverse(np.stack([between, *with_picture])))
            found[0, i] = self._average(residuals[0], part)
            found[1, i] = self._average(residuals[1:].mean(0), part)
        return Evidence(*found)

    def _middle(self, part: BlockPart) -> list[int]:
        """Return the px (y, x) in the middle of a part."""
        return [(side.start + side.stop) * BLOCK // 2 for side in part]

    def place(self, part: BlockPart) -> tuple[float, float]:
        """Return the place in the field (y, x), each 0..1, of the middle of a part."""
        y, x = (
            min((middle + 0.5) / side, 1.0)
            for middle, side in zip(self._middle(part), self.planes.shape[1:], strict=True)
        )
        return y, x

    def transform(self, part: BlockPart) -> Spectra:
        """Return the transforms of the left and right view and the picture in the window around a part."""
        rows, columns = (
            self.spectra.window(side, middle)
            for side, middle in zip(self.planes.shape[1:], self._middle(part), strict=True)
        )
        return self.spectra.transform(self.planes[:, rows[:, None], columns])

    def inner(self, part: BlockPart) -> tuple[slice, slice]:
        """Return the px of a part in its reduced window, `BLOCK` / 2 a block along each side."""
        reduced = BLOCK * self.spectra.kept // self.spectra.side
        rows, columns = (
            slice((self.spectra.kept - n * reduced) // 2, (self.spectra.kept + n * reduced) // 2)
            for n in (side.stop - side.start for side in part)
        )
        return rows, columns

    def _average(self, squares: Pixels, part: BlockPart) -> NDArray[np.float32]:
        """Return the means over the blocks of a part."""
        rows, columns = (side.stop - side.start for side in part)
        inner = squares[self.inner(part)]
        means: NDArray[np.float32] = inner.reshape(rows, len(inner) // rows, columns, -1).mean((1, 3))
        return means

    def measure_all(self, pool: Executor, on_part: Callable[[], None] = lambda: None) -> Evidence:
        """Return the evidence of all blocks.

        Args:
            pool: that computes.
            on_part: called after each part.
        """
        shape = len(self.scales), *self.blocks
        evidence = Evidence(np.empty(shape, np.float32), np.empty(shape, np.float32))
        for (rows, columns), found in zip(self.parts, pool.map(self, self.parts), strict=True):
            evidence.between_views[:, rows, columns] = found.between_views
            evidence.with_picture[:, rows, columns] = found.with_picture
            on_part()
        return evidence


def count_blocks(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of blocks that cover a picture."""
    return -(-height // BLOCK), -(-width // BLOCK)


def cut_blocks(height: int, width: int) -> list[BlockPart]:
    """Return the parts of a picture, row by row."""
    rows, columns = (list(_cut(count)) for count in count_blocks(height, width))
    return [(down, across) for down in rows for across in columns]


def _cut(count: int) -> Iterator[slice]:
    """Yield the parts of a side of `count` blocks."""
    parts = -(-count // CELL)
    for i in range(parts):
        yield slice(count * i // parts, count * (i + 1) // parts)
