"""Refinement by the optics: what the network's picture does not explain of the views is put back into it.

For a blur scale s, with the kernels K_v of that place and scale and the residuals r_v = y_v - K_v x of the views y_v,
the picture x is corrected by

    d_s = sum_v conj(K_v) r_v / (sum_v |K_v|^2 + BALANCE)

(Fourier domain, linear light). The scale of each block is found first (`evidence.py`, `scale_map.py`); between two
scales of `_Corrector`, and between two blocks, the correction is the mean of both. Where the residuals are hardly
above the noise of the views, the picture explains them, and nothing is corrected; where no picture would, half is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError
from dpanet.lenses.lens import Lens
from dpanet.pair import Pixels
from dpanet.refinement.evidence import BLOCK, Evidence, EvidenceMeter
from dpanet.refinement.parts import Part, cut_parts
from dpanet.refinement.scale_map import NOTHING, average, find_scales
from dpanet.refinement.spectra import WindowSpectra

BALANCE = 0.025
"""Added to the energy of the kernels: frequencies that they hardly pass are corrected less."""

NOISE = 2.0
"""How many times the views' noise a residual must have to be believed in the least."""

TRUST_RADIUS = 20.0
"""Standard deviation in px of the Gaussian mean of residuals, and of the noise, where they are compared."""

SCALES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
"""|scale| that are tried, both signs, and 0. They are closest where blur is small: there it changes fastest."""

WINDOW = 384
"""Side in px of the window around a part, whose border is context."""


@dataclass(frozen=True)
class Refined:
    """A refined picture."""

    picture: Pixels
    """(H, W, 3), in the light of the picture that was given."""
    scale: NDArray[np.float32]
    """(H, W), signed blur scale of the lens."""
    explained: float
    """dB by which the views differ less from the picture once it is blurred by the lens."""


def refine(
    left: Pixels,
    right: Pixels,
    picture: Pixels,
    lens: Lens,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Refined:
    """Refine a picture by what the lens makes of it.

    Args:
        left: the left view, (H, W, 3), proportional to light, 1.0 = white.
        right: the right view, of the same shape and light.
        picture: of the network, of the same shape and light.
        lens: whose field the picture fills.
        threads: that compute.
        progress: called with (parts done, all parts).

    Raises:
        PairError: for arrays of different shapes.

    Source: the residual step of a deconvolution with known kernels; evidence and mixture are this project's.
    """
    if not left.shape == right.shape == picture.shape or picture.ndim != 3:
        raise PairError(
            f"the views are {left.shape} and {right.shape}, the picture is {picture.shape}; give arrays (H, W, 3) of "
            "one shape"
        )
    is_gray = all(
        np.array_equal(a[..., 0], a[..., 1]) and np.array_equal(a[..., 0], a[..., 2]) for a in (left, right)
    )
    channels = 1 if is_gray else 3
    planes = [a[..., :channels].transpose(2, 0, 1) for a in (left, right, picture)]  # of large pairs, no copy
    if is_gray:  # of which the network's picture has three nearly equal channels
        planes[2] = picture.mean(2, dtype=np.float32)[None]
    scales = spread_scales(lens)
    meter = EvidenceMeter(planes[0].mean(0), planes[1].mean(0), planes[2].mean(0), lens, scales)
    height, width = picture.shape[:2]
    parts = list(cut_parts(height, width))
    report = Report(len(meter.parts) + len(parts), progress)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        evidence = meter.measure_all(pool, report)
        blocks = find_scales(evidence, scales)
        noise = _measure_noise(meter.planes[:2], blocks.shape) * np.float32(meter.passed)
        known = _weigh(evidence, blocks, scales, noise)
        explained = _measure_explained(evidence.with_picture, blocks, scales)
        del meter, evidence  # which large pairs have no room for beside what follows
        between = (scales[:-1] + scales[1:]) / 2
        corrector = _Corrector(planes, lens, np.sort(np.concatenate([scales, between])), blocks, known)
        total = np.zeros((height, width, channels), np.float32)
        weight = np.zeros((height, width, 1), np.float32)
        for part, correction in zip(parts, pool.map(corrector, parts), strict=True):
            total[part.rows, part.columns] += (part.ramp * correction).transpose(1, 2, 0)
            weight[part.rows, part.columns, 0] += part.ramp
            report()
    total /= weight
    refined = picture + total if is_gray else np.add(total, picture, out=total)
    rows, columns = blocks.shape
    scale = _enlarge(slice(0, height), rows) @ blocks @ _enlarge(slice(0, width), columns).T
    return Refined(refined, np.asarray(scale, np.float32), explained)


def spread_scales(lens: Lens) -> NDArray[np.float32]:
    """Return the scales that are tried, rising; fewer px apart if the kernels of `SCALES` would be too large."""
    positive = np.array(SCALES, np.float32) * np.float32(min(1.0, lens.max_scale / SCALES[-1]))
    return np.concatenate([-positive[::-1], np.zeros(1, np.float32), positive])


class Report:
    """Counts parts of the work.

    Args:
        count: of all parts.
        progress: called with (parts done, all parts).
    """

    def __init__(self, count: int, progress: Callable[[int, int], None] | None) -> None:
        self.count, self.progress, self.done = count, progress, 0

    def __call__(self) -> None:
        """Count one more."""
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.count)


def _weigh(
    evidence: Evidence, blocks: NDArray[np.float32], scales: NDArray[np.float32], noise: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how much of the correction each block gets, 0..1.

    None where the residual may be noise, half where no picture would leave less of it.

    Args:
        evidence: of all blocks.
        blocks: (rows, columns), blur scale of each block.
        scales: (scales,), that were tried.
        noise: (rows, columns), variance of the noise in the residuals.
    """
    inevitable, residual = (
        average(_at_scale(squares, blocks, scales), TRUST_RADIUS)
        for squares in (evidence.between_views, evidence.with_picture)
    )
    residual = np.maximum(residual, np.float32(1e-12))
    above_noise = np.maximum(0, 1 - np.float32(NOISE) * average(noise, TRUST_RADIUS) / residual)
    trusted: NDArray[np.float32] = above_noise * (1 - np.minimum(inevitable / residual, 1) / 2)
    return trusted


def _at_scale(
    squares: NDArray[np.float32], blocks: NDArray[np.float32], scales: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return each block's mean square (rows, columns) at the tried scale next to its own."""
    nearest = np.abs(blocks[..., None] - scales).argmin(-1)[None]
    found: NDArray[np.float32] = np.take_along_axis(squares, nearest, 0)[0]
    return found


def _measure_explained(
    squares: NDArray[np.float32], blocks: NDArray[np.float32], scales: NDArray[np.float32]
) -> float:
    """Return how many dB the residuals with the picture are lower at the blocks' scales than in focus."""
    in_focus, left = squares[np.abs(scales).argmin()].mean(), _at_scale(squares, blocks, scales).mean()
    return float(10 * np.log10((in_focus + NOTHING) / (left + NOTHING)))


def _measure_noise(views: Pixels, blocks: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the variance of the noise in each block, from the finest diagonal band of the views (2, H, W)."""
    missing = [(0, BLOCK * n - side) for n, side in zip(blocks, views.shape[1:], strict=True)]
    views = np.pad(views, ((0, 0), *missing), "symmetric")
    diagonal = views[:, ::2, ::2] - views[:, 1::2, ::2] - views[:, ::2, 1::2] + views[:, 1::2, 1::2]
    squares = np.square(diagonal * np.float32(0.5))
    variance: NDArray[np.float32] = squares.reshape(2, blocks[0], BLOCK // 2, blocks[1], BLOCK // 2).mean(
        (0, 2, 4)
    )
    return variance


def _enlarge(side: slice, count: int) -> NDArray[np.float32]:
    """Return the shares (px, blocks) of `count` blocks in the pixels of a part of a side: linear interpolation."""
    place = ((np.arange(side.start, side.stop) + 0.5) / BLOCK - 0.5).clip(0, count - 1)
    shares: NDArray[np.float32] = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(count))).astype(
        np.float32
    )
    return shares


class _Corrector:
    """Computes the correction of a part.

    Args:
        planes: left, right and the picture, each (channels, H, W).
        lens: whose kernels blur the picture.
        scales: (scales,), rising, at which corrections are computed.
        blocks: (rows, columns), blur scale of each block.
        known: (rows, columns), how much of the correction each block gets.
    """

    def __init__(
        self,
        planes: list[Pixels],
        lens: Lens,
        scales: NDArray[np.float32],
        blocks: NDArray[np.float32],
        known: NDArray[np.float32],
    ) -> None:
        self.planes, self.lens, self.scales = planes, lens, scales
        self.size = planes[0].shape[1:]
        self.known = known
        self.lower = (np.searchsorted(scales, blocks, "right") - 1).clip(0, len(scales) - 2)
        """(rows, columns), the next of the scales below that of each block."""
        below, above = scales[self.lower], scales[self.lower + 1]
        self.share = ((blocks - below) / (above - below)).clip(0, 1)
        """(rows, columns), of the scale above it."""
        self.spectra = WindowSpectra(WINDOW)

    def __call__(self, part: Part) -> Pixels:
        """Return the correction (channels, rows, columns)."""
        center = part.center
        rows, columns = (
            self.spectra.window(length, middle) for length, middle in zip(self.size, center, strict=True)
        )
        left, right, picture = (
            self.spectra.transform(plane[:, rows[:, None], columns]) for plane in self.planes
        )
        views = np.stack([left, right], 1)  # (channels, 2, rows, frequencies)
        weights = dict(self._weights(part))
        y, x = ((middle + 0.5) / length for middle, length in zip(center, self.size, strict=True))
        kernels = self.spectra.kernels(self.lens, y, x, [float(self.scales[i]) for i in weights])
        inner = tuple(
            slice(side.start - middle + WINDOW // 2, side.stop - middle + WINDOW // 2)
            for side, middle in zip((part.rows, part.columns), center, strict=True)
        )
        result = np.zeros((len(picture), *part.ramp.shape), np.float32)
        for weight, pair in zip(weights.values(), kernels, strict=True):
            residual = views - pair * picture[:, None]
            energy = np.square(np.abs(pair)).sum(0) + np.float32(BALANCE)
            correction = self.spectra.inverse((np.conj(pair) * residual).sum(1) / energy)
            result += weight * correction[:, inner[0], inner[1]]
        return result

    def _weights(self, part: Part) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the scales that count in a part, by their number, and how much (rows, columns)."""
        down, across = (
            _enlarge(side, count)
            for side, count in zip((part.rows, part.columns), self.known.shape, strict=True)
        )
        near = tuple(
            slice(side.start // BLOCK - 1 if side.start >= BLOCK else 0, side.stop // BLOCK + 2)
            for side in (part.rows, part.columns)
        )
        lower, share, known = (a[near] for a in (self.lower, self.share, self.known))
        for i in np.unique(np.stack([lower, lower + 1])):
            blocks = known * ((lower == i) * (1 - share) + (lower == i - 1) * share)
            if blocks.any():
                yield int(i), down[:, near[0]] @ blocks.astype(np.float32) @ across[:, near[1]].T
