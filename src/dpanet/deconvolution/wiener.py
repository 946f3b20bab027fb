"""Wiener deconvolution, block by block."""

from __future__ import annotations

import numpy as np
from scipy import fft
from skimage import restoration

from dpanet.deconvolution.blocks import BlockDeconvolution
from dpanet.deconvolution.disparity import Plane
from dpanet.errors import ConfigError
from dpanet.simulation.measured_kernels import MeasuredKernels

PRIOR_FLOOR = 0.3
"""Radians per pixel; the frequency below which the prior falls no further."""

FADE = 8
"""Pixels over which a block is faded to zero at its border."""


class Wiener(BlockDeconvolution):
    """Wiener's filter (scikit-image's `wiener`).

    The prior is on the gradient, since the power of natural pictures falls with the square of the frequency, and
    on a little of the picture itself (`PRIOR_FLOOR`). The usual prior, the Laplacian, is nearly zero at low
    frequencies; where a disc passes almost nothing, errors of the kernel would grow into ripples.
    """

    name = "wiener"

    def __init__(self, kernels: MeasuredKernels | None = None, balance: float = 0.015) -> None:
        """Set the weight of the prior: more is smoother. The default was chosen on simulated pairs.

        Raises: ConfigError for a balance that is not above 0.
        """
        super().__init__(kernels)
        if not balance > 0:
            raise ConfigError(f"balance is {balance}; it must be above 0")
        self.balance = balance

    @property
    def config(self) -> str:
        return f"balance={self.balance:g}"

    def deconvolve(self, block: Plane, kernel: Plane) -> Plane:
        mean = block.mean()
        frequency = np.hypot(fft.fftfreq(block.shape[0])[:, None], fft.rfftfreq(block.shape[1])[None])
        prior = (2 * np.pi * frequency + PRIOR_FLOOR).astype(np.complex64)
        faded = _fade_border(block - mean)
        sharp = restoration.wiener(faded, kernel, self.balance, prior, clip=False)
        return np.asarray(sharp + mean, np.float32)


def _fade_border(block: Plane) -> Plane:
    """Fade the block to zero at its outermost pixels, so that wrapping around makes no edge."""
    ramps = []
    for length in block.shape:
        distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
        ramps.append(np.clip(distance / FADE, 0, 1).astype(np.float32))
    return block * np.outer(*ramps)
