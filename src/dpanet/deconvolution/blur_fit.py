"""Fits blur to the two views of a small window: its sharp truth, blurred, shifted and scaled in brightness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from dpanet.deconvolution.blur_families import KernelFamily, Place
from dpanet.simulation.kernels import SIZE

HALO = 60
"""Pixels of truth around a window: the reach of a kernel, and some for the shift."""

MAX_STEP = 1.5
"""Largest move of the truth in one step of the registration, px."""

MAX_STEPS = 4
"""Steps of the registration; it ends earlier once a step is below `CONVERGED`."""

CONVERGED = 0.01
"""Pixels."""

SCALE_DIVISIONS = 50
"""Parts of the distance between the scales tried first to which a scale is fitted."""

SHAPE_STRETCHES = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Scales at which the other shapes are tried, relative to the best scale of the first shape."""


@dataclass(frozen=True)
class Window:
    """A part of a scene in linear light, truth and views on one brightness scale."""

    truth: Tensor
    """(h + 2 halo, w + 2 halo)."""

    views: Tensor
    """(2, h, w), left and right."""

    rows: Tensor
    """(h,), y of the pixels in the field, 0..1."""

    columns: Tensor
    """(w,), x of the pixels in the field, 0..1."""

    offsets: bool = False
    """Whether each view may also differ from the truth by a constant, as where the truth was exposed separately."""

    @property
    def halo(self) -> int:
        """Pixels of truth around the views."""
        return (self.truth.shape[-1] - self.views.shape[-1]) // 2

    @property
    def center(self) -> Place:
        """The middle of the window in the field."""
        return float(self.rows.mean()), float(self.columns.mean())

    @cached_property
    def spectrum(self) -> Tensor:
        """The truth's Fourier transform."""
        spectrum: Tensor = torch.fft.rfft2(self.truth)
        return spectrum

    def downsample(self) -> Window:
        """Return the window at half the resolution; its sides must be even."""
        truth, views = (F.avg_pool2d(planes[None], 2)[0] for planes in (self.truth[None], self.views))
        rows, columns = (line.reshape(-1, 2).mean(1) for line in (self.rows, self.columns))
        return Window(truth[0], views, rows, columns, self.offsets)

    def blur_truth(self, kernels: Tensor, shift: Tensor) -> Tensor:
        """Blur the truth with N kernel pairs, moved by one shift; exact for shifts of parts of a pixel.

        Args:
            kernels: (N, 2, SIZE, SIZE).
            shift: (2,), x and y in px, +x right, +y down.
        Returns: (N, 2, h, w).
        """
        height, width = self.truth.shape
        placed = F.pad(kernels, (0, width - SIZE, 0, height - SIZE)).roll(
            (-(SIZE // 2), -(SIZE // 2)), dims=(-2, -1)
        )
        turns = shift[0] * torch.fft.rfftfreq(width) + shift[1] * torch.fft.fftfreq(height)[:, None]
        moved = self.spectrum * torch.polar(torch.ones_like(turns), -2 * torch.pi * turns)
        blurred: Tensor = torch.fft.irfft2(torch.fft.rfft2(placed) * moved, s=(height, width))
        halo = self.halo
        return blurred[..., halo : height - halo, halo : width - halo]


@dataclass(frozen=True)
class BlurFit:
    """The blur of one family that explains a window best."""

    scale: float
    """Signed blur scale, in the family's unit."""

    shape: int
    """Index into the family's shapes."""

    shift: Tensor
    """(2,), x and y in px by which the truth was moved, the same for both views."""

    gains: Tensor
    """(2,), brightness of the left and the right view relative to the truth, by least squares."""

    error: float
    """Mean squared difference of both views."""

    information: Tensor
    """(2, 2), inverse covariance of the shift, up to a factor."""


@dataclass(frozen=True)
class Comparison:
    """How well each of N blurred truths explains the views."""

    gains: Tensor
    """(N, 2), as of `BlurFit`."""

    error: Tensor
    """(N,), mean squared difference of both views."""

    step: Tensor
    """(N, 2), x and y in px: the move of the truth that reduces the error most."""

    expected_error: Tensor
    """(N,), the error after that move, to first order."""

    information: Tensor
    """(N, 2, 2), as of `BlurFit`."""


def compare_with_views(blurred: Tensor, views: Tensor, offsets: bool = False) -> Comparison:
    """Compare blurred truths with the views: one gain for each view, and one Gauss-Newton step for both.

    Args:
        blurred: (N, 2, h, w).
        views: (2, h, w).
        offsets: fit a constant for each view too.
    """
    slope_planes = list(torch.gradient(blurred, dim=(-1, -2)))
    if offsets:
        blurred, views, *slope_planes = (
            plane - plane.mean((-1, -2), keepdim=True) for plane in (blurred, views, *slope_planes)
        )
    power = (blurred**2).sum((-1, -2), keepdim=True).clamp(min=1e-12)
    gains = (blurred * views).sum((-1, -2), keepdim=True) / power
    residual = views - gains * blurred
    slopes = []
    for slope in slope_planes:
        scaled = gains * slope
        slopes.append(scaled - blurred * ((blurred * scaled).sum((-1, -2), keepdim=True) / power))
    basis = torch.stack(slopes, dim=1).flatten(2)
    normal = basis @ basis.mT
    gradient = -(basis @ residual.flatten(1)[..., None])[..., 0]
    ridge = 1e-6 * normal.diagonal(dim1=-2, dim2=-1).sum(-1) + 1e-12
    step = torch.linalg.solve(normal + ridge[:, None, None] * torch.eye(2), gradient).clamp(
        -MAX_STEP, MAX_STEP
    )
    error = (residual**2).mean((-1, -2, -3))
    decrease = 2 * (gradient * step).sum(-1) - (step[:, None] @ normal @ step[..., None])[:, 0, 0]
    return Comparison(
        gains=gains[..., 0, 0],
        error=error,
        step=step,
        expected_error=error - decrease / views.numel(),
        information=normal / error[:, None, None].clamp(min=1e-12),
    )


def fit_blur_coarsely(window: Window, family: KernelFamily, max_shift: float) -> BlurFit:
    """Choose among the scales and shapes tried first, at half the resolution, with one kernel for the window.

    Args:    max_shift: of the truth along each axis, px of the full resolution.
    Returns: a fit whose scale and shift are those of the full resolution.
    """
    half = window.downsample()
    no_shift = torch.zeros(2)

    def errors(scales: Sequence[float], shape: int) -> Tensor:
        kernels = family.kernels(window.center, [scale / 2 for scale in scales], shape)
        blurred = half.blur_truth(kernels, no_shift)
        return compare_with_views(blurred, half.views, half.offsets).expected_error

    tried = errors(family.scales, 0)
    scale, shape, least = family.scales[int(tried.argmin())], 0, float(tried.min())
    near = [scale * stretch for stretch in SHAPE_STRETCHES]
    near = [s for s in near if family.scales[0] <= s <= family.scales[-1]]
    for other in range(1, len(family.shapes)):
        tried = errors(near, other)
        if float(tried.min()) < least:
            scale, shape, least = near[int(tried.argmin())], other, float(tried.min())
    whole = [(window.center, torch.ones(()))]
    fit = _register(half, whole, family, scale / 2, shape, no_shift, max_shift / 2)
    return BlurFit(scale, shape, 2 * fit.shift, fit.gains, fit.error, fit.information / 4)


def fit_blur(window: Window, family: KernelFamily, max_shift: float = 3.0) -> BlurFit:
    """Find the kernel scale and the shift at which the sharp truth, blurred, best explains both views of a window.

    The shift is fitted at the coarse scale, then the scale by Brent's method between its neighbors among those
    tried first, then the shift again.

    Args: max_shift: of the truth along each axis, px.
    """
    coarse = fit_blur_coarsely(window, family, max_shift)
    regions = list(family.regions(window.rows, window.columns))
    shape = coarse.shape
    first = _register(window, regions, family, coarse.scale, shape, coarse.shift, max_shift)
    if len(family.scales) == 1:
        return first
    spacing = family.scales[1] - family.scales[0]
    low, high = max(coarse.scale - spacing, family.scales[0]), min(coarse.scale + spacing, family.scales[-1])

    def error(scale: float) -> float:
        blurred = _blur_by_regions(window, regions, family, float(scale), shape, first.shift)
        return float(compare_with_views(blurred, window.views, window.offsets).expected_error)

    options = {"xatol": spacing / SCALE_DIVISIONS}
    best = minimize_scalar(error, bounds=(low, high), method="bounded", options=options)
    second = _register(window, regions, family, float(best.x), shape, first.shift, max_shift)
    return min(first, second, key=lambda fit: fit.error)


def _blur_by_regions(
    window: Window,
    regions: Sequence[tuple[Place, Tensor]],
    family: KernelFamily,
    scale: float,
    shape: int,
    shift: Tensor,
) -> Tensor:
    """Blur the truth with the kernels of each region, blended by the regions' weights: (1, 2, h, w)."""
    kernels = torch.cat([family.kernels(place, [scale], shape) for place, _ in regions])
    weights = torch.stack([weight for _, weight in regions])[:, None]
    return (window.blur_truth(kernels, shift) * weights).sum(0, keepdim=True)


def _register(
    window: Window,
    regions: Sequence[tuple[Place, Tensor]],
    family: KernelFamily,
    scale: float,
    shape: int,
    shift: Tensor,
    max_shift: float,
) -> BlurFit:
    """Fit the shift by Gauss-Newton steps from `shift`; return the step of least error."""
    shift = shift.clamp(-max_shift, max_shift)
    best: BlurFit | None = None
    for _ in range(MAX_STEPS):
        blurred = _blur_by_regions(window, regions, family, scale, shape, shift)
        match = compare_with_views(blurred, window.views, window.offsets)
        if best is None or float(match.error) < best.error:
            best = BlurFit(scale, shape, shift, match.gains[0], float(match.error), match.information[0])
        moved = (shift + match.step[0]).clamp(-max_shift, max_shift)
        if float((moved - shift).abs().max()) < CONVERGED:
            break
        shift = moved
    assert best is not None
    return best
