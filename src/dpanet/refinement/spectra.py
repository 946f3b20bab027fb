"""Windows of a picture and the kernels of a lens as Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.lens import SIZE, Lens
from dpanet.pair import Pixels

Spectra = NDArray[np.complex64]
"""(..., rows, frequencies): rows of all signed vertical frequencies, columns of those from 0 upwards."""


class WindowSpectra:
    """Fourier transforms over a square window, of pixels and of kernels, up to a largest frequency.

    Args:
        side: of the window, px, even.
        reduction: 1 for all frequencies, 2 for those that the window has at half its size.
    """

    def __init__(self, side: int, reduction: int = 1) -> None:
        self.side = side
        self.kept = side // reduction
        """Side of the window in px after the reduction."""
        half = self.kept // 2
        self._rows = np.r_[: self.kept - half, side - half : side]
        frequencies = np.fft.fftfreq(side)[self._rows], np.arange(half + 1) / side
        self.frequency = np.hypot(frequencies[0][:, None], frequencies[1]).astype(np.float32)
        """(rows, frequencies), cycles a px of the picture."""
        offset = np.arange(SIZE) - SIZE // 2
        self._down, self._across = (
            np.exp(-2j * np.pi * f[:, None] * offset).astype(np.complex64) for f in frequencies
        )

    def window(self, length: int, middle: int) -> NDArray[np.int64]:
        """Return the pixels of a window around a place along a side of `length` px, reflected at the borders."""
        return _reflect(np.arange(middle - self.side // 2, middle + self.side // 2), length)

    def transform(self, pixels: Pixels) -> Spectra:
        """Return the transform of windows (..., side, side)."""
        spectra: Spectra = np.fft.rfft2(pixels)[..., self._rows, : self.kept // 2 + 1].astype(np.complex64)
        return spectra

    def inverse(self, spectra: Spectra) -> Pixels:
        """Return the windows (..., kept, kept) of spectra, which have lost what is finer."""
        share = np.float32((self.kept / self.side) ** 2)
        pixels: Pixels = np.fft.irfft2(spectra, (self.kept, self.kept)).astype(np.float32) * share
        return pixels

    def kernels(self, lens: Lens, y: float, x: float, scales: Sequence[float]) -> Spectra:
        """Return the transforms of a lens's kernels, (scales, 2, rows, frequencies), about the middle of each kernel.

        A kernel turned by 180 degrees, as that of the opposite scale is, has the conjugate transform.

        Args: lens, y, x, scales: as of `Lens.kernels`.
        """
        sizes = sorted({abs(scale) for scale in scales})
        turned = {size: i for i, size in enumerate(sizes)}
        chosen = self.transform_kernels(lens.kernels(y, x, sizes))[[turned[abs(scale)] for scale in scales]]
        negative = np.array(scales) < 0
        chosen[negative] = chosen[negative].conj()
        return chosen

    def transform_kernels(self, kernels: NDArray[np.floating]) -> Spectra:
        """Return the transforms of kernels (..., SIZE, SIZE) about the middle of each."""
        spectra: Spectra = (self._down @ kernels.astype(np.complex64)) @ self._across.T
        return spectra


def _reflect(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return indices within 0..length - 1, those beyond mirrored at the first and the last."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = np.mod(index, period)
    return np.where(index < length, index, period - index)
