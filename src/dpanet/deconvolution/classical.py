"""Deconvolution without learning: the blur is measured from the two views, and undone in blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from skimage import restoration

from dpanet.deconvolution.disparity import Plane, blur_map
from dpanet.deconvolution.lens import HalfDiscLens, Lens, MeasuredLens, trimmed
from dpanet.errors import ConfigError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.pair import DualPixelPair, Picture, Pixels
from dpanet.simulation.kernels import MeasuredKernels

STEP = 64
"""Pixels from one block to the next."""
LAP = 32
"""Pixels over which one block passes into the next."""
CONTEXT = 64
"""Pixels of surroundings that a block is deconvolved with at most."""
IN_FOCUS = 0.04
"""Share of the largest blur scale below which a block stays as it is."""
FLOOR = 0.3
"""Radians per pixel; the frequency below which Wiener's prior falls no further."""
DARK = 1e-6
"""Of white; what Richardson and Lucy's iteration takes for no light."""
FINENESS = 80
"""Steps of the largest blur scale to which scales are rounded, so that kernels can be kept."""


class Deconvolution(ABC):
    """The combined picture, each block deconvolved with its own kernel (left + right) / 2, in linear light.

    The blur scale of a block comes from the disparity of the views (`blur_map`). Blocks in focus stay exactly
    as they are. At the border the picture goes on by reflection. Values are not clipped. Beside the picture, a
    few copies of it are held in memory.

    Args: kernels: measured, of the camera; None for an ideal half disc.
    """

    kind: Literal["baseline"] = "baseline"
    name: str

    def __init__(self, kernels: MeasuredKernels | None = None) -> None:
        self.lens: Lens = HalfDiscLens() if kernels is None else MeasuredLens(kernels)

    @property
    @abstractmethod
    def settings(self) -> str:
        """What decides the picture beside the kernels."""

    @property
    def identity(self) -> str:
        return f"{self.name} {self.settings} {self.lens.identity}"

    @abstractmethod
    def deconvolve(self, block: Plane, kernel: Plane) -> Plane:
        """Undo the blur of one channel of one block, same size; the border of its context does not matter."""

    def __call__(self, pair: DualPixelPair) -> Picture:
        """Deblur a pair; the picture has its encoding, scale and metadata."""
        linear = pair.encoding == "linear"
        left, right = (v if linear else srgb_to_linear(v) for v in (pair.left, pair.right))
        scale = max(float(left.max()), float(right.max()))
        if scale <= 0:
            return pair.combined
        left, right = left / np.float32(scale), right / np.float32(scale)
        made = self._deblur(left, right) * np.float32(scale)
        return Picture(made if linear else linear_to_srgb(made), pair.encoding, pair.metadata)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """(H, W), the signed blur scale by which a pair is deconvolved, in the lens's unit."""
        left, right = (v if pair.encoding == "linear" else srgb_to_linear(v) for v in (pair.left, pair.right))
        white = np.float32(max(float(left.max()), float(right.max()), 1e-9))
        return blur_map((left / white).mean(2), (right / white).mean(2), self.lens).spread()

    def _deblur(self, left: Pixels, right: Pixels) -> Pixels:
        scales = blur_map(left.mean(2), right.mean(2), self.lens)
        combined = (left + right) * np.float32(0.5)
        gray = bool((combined[..., :1] == combined).all())
        planes = [combined[..., 0]] if gray else list(np.moveaxis(combined, 2, 0))
        padded = [np.pad(plane, CONTEXT, mode="symmetric") for plane in planes]
        made = [np.zeros_like(plane) for plane in planes]
        height, width = combined.shape[:2]
        known: dict[tuple[int, float], Plane] = {}
        for top, bottom, down in _blocks(height):
            for first, end, across in _blocks(width):
                weight = np.outer(down, across)
                inside = (slice(top, bottom), slice(first, end))
                blur = scales.around(top, bottom, first, end) / self.lens.scales[-1]
                blur = round(blur * FINENESS) / FINENESS
                cell = self.lens.cell((top + bottom) / 2 / height, (first + end) / 2 / width)
                if abs(blur) >= IN_FOCUS and (cell, blur) not in known:
                    pair = self.lens.at(cell, [blur * self.lens.scales[-1]])[0]
                    known[cell, blur] = trimmed(pair.mean(0))
                for plane, full, target in zip(planes, padded, made, strict=True):
                    if abs(blur) < IN_FOCUS:
                        target[inside] += weight * plane[inside]
                        continue
                    kernel = known[cell, blur]
                    context = min(CONTEXT, self.context(kernel.shape[0] // 2))
                    cut = CONTEXT - context
                    around = full[
                        top + cut : bottom + 2 * CONTEXT - cut, first + cut : end + 2 * CONTEXT - cut
                    ]
                    found = self.deconvolve(around, kernel)
                    target[inside] += (
                        weight * found[context : context + bottom - top, context : context + end - first]
                    )
        return np.stack(made * 3 if gray else made, axis=2)

    @staticmethod
    def context(radius: int) -> int:
        """Pixels of surroundings that a block needs for a kernel of that radius."""
        return 2 * radius + 8


class Wiener(Deconvolution):
    """Wiener's filter, scikit-image's `wiener`.

    The prior is on the gradient, as natural pictures' power falls with the square of the frequency, and on a
    little of the picture itself (`FLOOR`): the kernel is never exact, and where a disc passes almost nothing,
    at low frequencies already, the Laplacian that is usual there would let errors grow into ripples.

    balance: of the prior; more is smoother. The default was chosen on simulated pairs.
    """

    name = "wiener"

    def __init__(self, kernels: MeasuredKernels | None = None, balance: float = 0.015) -> None:
        super().__init__(kernels)
        if not balance > 0:
            raise ConfigError(f"balance is {balance}; it must be above 0")
        self.balance = balance

    @property
    def settings(self) -> str:
        return f"balance={self.balance:g}"

    def deconvolve(self, block: Plane, kernel: Plane) -> Plane:
        mean = block.mean()
        f = np.hypot(fft.fftfreq(block.shape[0])[:, None], fft.rfftfreq(block.shape[1])[None])
        prior = (2 * np.pi * f + FLOOR).astype(np.complex64)
        found = restoration.wiener(_faded(block - mean), kernel, self.balance, prior, clip=False)
        return np.asarray(found + mean, np.float32)


class RichardsonLucy(Deconvolution):
    """Richardson and Lucy's iteration.

    scikit-image's `richardson_lucy` with the kernel transformed once, started at the blurred picture.

    iterations: more is sharper and noisier. The default was chosen on simulated pairs.
    """

    name = "richardson-lucy"

    def __init__(self, kernels: MeasuredKernels | None = None, iterations: int = 15) -> None:
        super().__init__(kernels)
        if iterations < 1:
            raise ConfigError(f"iterations is {iterations}; it must be at least 1")
        self.iterations = iterations

    @property
    def settings(self) -> str:
        return f"iterations={self.iterations}"

    def deconvolve(self, block: Plane, kernel: Plane) -> Plane:
        light = np.maximum(block, np.float32(DARK))  # the iteration multiplies
        reach = kernel.shape[0]
        placed = np.zeros(block.shape, np.float32)
        placed[:reach, :reach] = kernel
        transfer = fft.rfft2(np.roll(placed, (-(reach // 2), -(reach // 2)), (0, 1)))
        back = transfer.conj()
        scene = light.copy()
        for _ in range(self.iterations):
            seen = fft.irfft2(fft.rfft2(scene) * transfer, block.shape)
            scene *= fft.irfft2(fft.rfft2(light / np.maximum(seen, DARK)) * back, block.shape)
            np.maximum(scene, DARK, out=scene)
        return scene


def _blocks(length: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """(first, end, weights) of the blocks of a side; ramps of `LAP` px at most, all weights sum to 1."""
    count = max(1, round(length / STEP))
    middles = [i * length // count for i in range(count + 1)]
    half = min(LAP, length // count) // 2
    for n, (a, b) in enumerate(pairwise(middles)):
        first, end = (a - half if n else 0), (b + half if n < count - 1 else length)
        weight = np.ones(end - first, np.float32)
        t = (np.arange(2 * half, dtype=np.float32) + np.float32(0.5)) / np.float32(2 * half)
        ramp = t * t * (3 - 2 * t)
        if n:
            weight[: 2 * half] = ramp
        if n < count - 1:
            weight[-2 * half :] = 1 - ramp
        yield first, end, weight


def _faded(block: Plane) -> Plane:
    """The block faded to zero at its outermost pixels, so that what wraps around makes no edge."""
    ramps = []
    for length in block.shape:
        distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
        ramps.append(np.clip(distance / 8, 0, 1).astype(np.float32))
    return block * np.outer(*ramps)
