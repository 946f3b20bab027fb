"""Deconvolution of a picture in overlapping blocks, each with the kernel of its own blur scale."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpanet.deconvolution.disparity import Plane, estimate_blur_map
from dpanet.deconvolution.lens import Lens, MeasuredLens, RampedDiscLens, trim_kernel
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.pair import DualPixelPair, Picture, Pixels
from dpanet.simulation.measured_kernels import MeasuredKernels

STRIDE = 64
"""Pixels from one block to the next."""

OVERLAP = 32
"""Pixels over which neighboring blocks are blended."""

CONTEXT = 64
"""Largest number of surrounding pixels with which a block is deconvolved."""

IN_FOCUS = 0.04
"""Share of the largest blur scale below which a block is not deconvolved."""

SCALE_STEPS = 80
"""Steps from 0 to the largest blur scale; scales are rounded to them, so that kernels can be reused."""


class BlockDeconvolution(ABC):
    """Deconvolves the combined picture block by block with (left + right) / 2 of its kernel pair, in linear light.

    The blur scale of each block is estimated from the disparity of the views (`estimate_blur_map`). Blocks in
    focus are left as they are. The border is extended by reflection. Values are not clipped. A few copies of the
    picture are in memory at once.
    """

    name: str

    def __init__(self, kernels: MeasuredKernels | None = None) -> None:
        """Use the measured kernels of the camera, or an ideal disc with a ramp if `kernels` is None."""
        self.lens: Lens = RampedDiscLens() if kernels is None else MeasuredLens(kernels)

    @property
    @abstractmethod
    def config(self) -> str:
        """The filter's parameters as text, such as ``iterations=15``."""

    @property
    def identity(self) -> str:
        """Text that is equal for two methods only if they produce the same pictures."""
        return f"{self.name} {self.config} {self.lens.identity}"

    @abstractmethod
    def deconvolve(self, block: Plane, kernel: Plane) -> Plane:
        """Deconvolve one channel of one block.

        Args:
            block: (h, w), linear light, with its context; results in the context are discarded.
            kernel: (k, k), k odd, sums to 1.
        Returns: (h, w).
        """

    def __call__(self, pair: DualPixelPair) -> Picture:
        """Deblur a pair; the result has its encoding, scale and metadata."""
        left, right = _linear_views(pair)
        white = max(float(left.max()), float(right.max()))
        if white <= 0:
            return pair.combined
        left, right = left / np.float32(white), right / np.float32(white)
        sharp = self._deblur(left, right) * np.float32(white)
        pixels = sharp if pair.encoding == "linear" else linear_to_srgb(sharp)
        return Picture(pixels, pair.encoding, pair.metadata)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """Return the signed blur scale at each pixel, (H, W), in the lens's unit, by which a pair is deblurred."""
        left, right = _linear_views(pair)
        white = np.float32(max(float(left.max()), float(right.max()), 1e-9))
        return estimate_blur_map((left / white).mean(2), (right / white).mean(2), self.lens).per_pixel()

    def _deblur(self, left: Pixels, right: Pixels) -> Pixels:
        blur_map = estimate_blur_map(left.mean(2), right.mean(2), self.lens)
        combined = (left + right) * np.float32(0.5)
        gray = bool((combined[..., :1] == combined).all())
        channels = [combined[..., 0]] if gray else list(np.moveaxis(combined, 2, 0))
        padded = [np.pad(channel, CONTEXT, mode="symmetric") for channel in channels]
        results = [np.zeros_like(channel) for channel in channels]
        height, width = combined.shape[:2]
        kernels: dict[tuple[int, float], Plane] = {}
        for top, bottom, row_weights in overlapping_blocks(height):
            for first, end, column_weights in overlapping_blocks(width):
                weights = np.outer(row_weights, column_weights)
                inside = (slice(top, bottom), slice(first, end))
                blur = blur_map.median_scale(top, bottom, first, end) / self.lens.scales[-1]
                blur = round(blur * SCALE_STEPS) / SCALE_STEPS
                if abs(blur) < IN_FOCUS:
                    for channel, result in zip(channels, results, strict=True):
                        result[inside] += weights * channel[inside]
                    continue
                cell = self.lens.cell_at((top + bottom) / 2 / height, (first + end) / 2 / width)
                if (cell, blur) not in kernels:
                    pair = self.lens.kernel_pairs(cell, [blur * self.lens.scales[-1]])[0]
                    kernels[cell, blur] = trim_kernel(pair.mean(0))
                kernel = kernels[cell, blur]
                context = min(CONTEXT, self.context(kernel.shape[0] // 2))
                unused = CONTEXT - context
                around = (
                    slice(top + unused, bottom + 2 * CONTEXT - unused),
                    slice(first + unused, end + 2 * CONTEXT - unused),
                )
                within = (slice(context, context + bottom - top), slice(context, context + end - first))
                for channel, result in zip(padded, results, strict=True):
                    result[inside] += weights * self.deconvolve(channel[around], kernel)[within]
        return np.stack(results * 3 if gray else results, axis=2)

    @staticmethod
    def context(radius: int) -> int:
        """Return the number of surrounding pixels that a block needs for a kernel of that radius in px."""
        return 2 * radius + 8


def overlapping_blocks(length: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield (first, end, weights) of the blocks along a side of `length` px.

    Weights are smooth ramps over at most `OVERLAP` px; at each pixel they sum to 1 over all blocks.
    """
    count = max(1, round(length / STRIDE))
    borders = [i * length // count for i in range(count + 1)]
    half = min(OVERLAP, length // count) // 2
    for n, (a, b) in enumerate(pairwise(borders)):
        first, end = (a - half if n else 0), (b + half if n < count - 1 else length)
        weights = np.ones(end - first, np.float32)
        t = (np.arange(2 * half, dtype=np.float32) + np.float32(0.5)) / np.float32(2 * half)
        ramp = t * t * (3 - 2 * t)
        if n:
            weights[: 2 * half] = ramp
        if n < count - 1:
            weights[-2 * half :] = 1 - ramp
        yield first, end, weights


def _linear_views(pair: DualPixelPair) -> tuple[Pixels, Pixels]:
    if pair.encoding == "linear":
        return pair.left, pair.right
    return srgb_to_linear(pair.left), srgb_to_linear(pair.right)
