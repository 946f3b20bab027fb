"""Explains the two views of a small window by its sharp truth, blurred, shifted and dimmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from dpanet.deconvolution.blur_families import Family, Place
from dpanet.simulation.kernels import SIZE

HALO = 60
"""Pixels of truth around a window: the reach of a kernel, and some for the shift."""
STEP = 1.5
"""Largest move of the truth in px in one round of the registration."""
ROUNDS = 4
"""Rounds of the registration; it ends when it moves by less than `SETTLED` px."""
SETTLED = 0.01
FINENESS = 50
"""The scale is found to this part of the distance between the scales tried first."""
STRETCHES = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Scales at which another shape is tried, relative to the best one of the first shape."""


@dataclass(frozen=True)
class Window:
    """truth: (h + 2 halo, w + 2 halo). views: (2, h, w), left and right. All linear, of one scale.

    rows, columns: (h,) and (w,), where the pixels lie in the field, 0..1.
    """

    truth: Tensor
    views: Tensor
    rows: Tensor
    columns: Tensor

    @property
    def halo(self) -> int:
        return (self.truth.shape[-1] - self.views.shape[-1]) // 2

    @property
    def centre(self) -> Place:
        return float(self.rows.mean()), float(self.columns.mean())

    @cached_property
    def spectrum(self) -> Tensor:
        found: Tensor = torch.fft.rfft2(self.truth)
        return found

    def halved(self) -> Window:
        """The same at half the resolution; the sides must be even."""
        truth, views = (F.avg_pool2d(planes[None], 2)[0] for planes in (self.truth[None], self.views))
        return Window(truth[0], views, *(line.reshape(-1, 2).mean(1) for line in (self.rows, self.columns)))

    def blurred(self, kernels: Tensor, shift: Tensor) -> Tensor:
        """The truth through kernel pairs (N, 2, SIZE, SIZE), moved by `shift` (x, y) px: (N, 2, h, w).

        Exact for any shift: it is a slope of the phase.
        """
        height, width = self.truth.shape
        placed = F.pad(kernels, (0, width - SIZE, 0, height - SIZE)).roll(
            (-(SIZE // 2), -(SIZE // 2)), dims=(-2, -1)
        )
        turns = shift[0] * torch.fft.rfftfreq(width) + shift[1] * torch.fft.fftfreq(height)[:, None]
        moved = self.spectrum * torch.polar(torch.ones_like(turns), -2 * torch.pi * turns)
        seen: Tensor = torch.fft.irfft2(torch.fft.rfft2(placed) * moved, s=(height, width))
        halo = self.halo
        return seen[..., halo : height - halo, halo : width - halo]


@dataclass(frozen=True)
class Fit:
    """scale, shape: of the family. shift: (x, y) in px by which the truth was moved, the same for both views.

    gains: of the left and the right view, least squares. error: mean squared difference of both views.
    information: (2, 2), how surely the shift is known: inverse of its covariance but for a factor.
    """

    scale: float
    shape: int
    shift: Tensor
    gains: Tensor
    error: float
    information: Tensor


@dataclass(frozen=True)
class Match:
    """How well N blurred truths explain the views, as they lie and if they were moved by `step` (N, 2) px.

    error, expected: (N,), mean squared difference before and (to first order) after the move.
    """

    gains: Tensor
    error: Tensor
    step: Tensor
    expected: Tensor
    information: Tensor


def match(blurred: Tensor, views: Tensor) -> Match:
    """Compare (N, 2, h, w) with (2, h, w): a gain for each view, and one small move for both."""
    power = (blurred**2).sum((-1, -2), keepdim=True).clamp(min=1e-12)
    gains = (blurred * views).sum((-1, -2), keepdim=True) / power
    residual = views - gains * blurred
    slopes = []
    for slope in torch.gradient(blurred, dim=(-1, -2)):
        dimmed = gains * slope
        slopes.append(dimmed - blurred * ((blurred * dimmed).sum((-1, -2), keepdim=True) / power))
    basis = torch.stack(slopes, dim=1).flatten(2)
    normal = basis @ basis.mT
    pull = -(basis @ residual.flatten(1)[..., None])[..., 0]
    ridge = 1e-6 * normal.diagonal(dim1=-2, dim2=-1).sum(-1) + 1e-12
    step = torch.linalg.solve(normal + ridge[:, None, None] * torch.eye(2), pull).clamp(-STEP, STEP)
    error = (residual**2).mean((-1, -2, -3))
    won = 2 * (pull * step).sum(-1) - (step[:, None] @ normal @ step[..., None])[:, 0, 0]
    count = views.numel()
    return Match(
        gains[..., 0, 0], error, step, error - won / count, normal / error[:, None, None].clamp(min=1e-12)
    )


def rough_fit(window: Window, family: Family, limit: float) -> Fit:
    """The best of the scales and shapes tried first, at half the resolution, one kernel for the whole window."""
    half = window.halved()
    still = torch.zeros(2)

    def errors(scales: Sequence[float], shape: int) -> Tensor:
        kernels = family.kernels(window.centre, [scale / 2 for scale in scales], shape)
        return match(half.blurred(kernels, still), half.views).expected

    tried = errors(family.scales, 0)
    scale, shape, least = family.scales[int(tried.argmin())], 0, float(tried.min())
    near = [scale * stretch for stretch in STRETCHES]
    near = [s for s in near if family.scales[0] <= s <= family.scales[-1]]
    for other in range(1, len(family.shapes)):
        tried = errors(near, other)
        if float(tried.min()) < least:
            scale, shape, least = near[int(tried.argmin())], other, float(tried.min())
    fit = _settled(half, [(window.centre, torch.ones(()))], family, scale / 2, shape, still, limit / 2)
    return Fit(scale, shape, 2 * fit.shift, fit.gains, fit.error, fit.information / 4)


def fine_fit(window: Window, family: Family, limit: float = 3.0) -> Fit:
    """The best continuous scale at full resolution, kernels blended over the window, the truth moved up to `limit`.

    The shift is found at the rough scale, then the scale by Brent's method between its neighbours among those tried
    first, then the shift again.
    """
    rough = rough_fit(window, family, limit)
    parts = list(family.parts(window.rows, window.columns))
    shape = rough.shape
    best = _settled(window, parts, family, rough.scale, shape, rough.shift, limit)
    if len(family.scales) == 1:
        return best
    spacing = family.scales[1] - family.scales[0]
    low, high = max(rough.scale - spacing, family.scales[0]), min(rough.scale + spacing, family.scales[-1])
    found = minimize_scalar(
        lambda scale: float(
            match(_seen(window, parts, family, float(scale), shape, best.shift), window.views).expected
        ),
        bounds=(low, high),
        method="bounded",
        options={"xatol": spacing / FINENESS},
    )
    again = _settled(window, parts, family, float(found.x), shape, best.shift, limit)
    return min(best, again, key=lambda fit: fit.error)


def _seen(
    window: Window,
    parts: Sequence[tuple[Place, Tensor]],
    family: Family,
    scale: float,
    shape: int,
    shift: Tensor,
) -> Tensor:
    kernels = torch.cat([family.kernels(place, [scale], shape) for place, _ in parts])
    shares = torch.stack([share for _, share in parts])[:, None]
    return (window.blurred(kernels, shift) * shares).sum(0, keepdim=True)


def _settled(
    window: Window,
    parts: Sequence[tuple[Place, Tensor]],
    family: Family,
    scale: float,
    shape: int,
    shift: Tensor,
    limit: float,
) -> Fit:
    """Register by Gauss-Newton, from `shift`; the best round counts."""
    shift = shift.clamp(-limit, limit)
    best: Fit | None = None
    for _ in range(ROUNDS):
        found = match(_seen(window, parts, family, scale, shape, shift), window.views)
        if best is None or float(found.error) < best.error:
            best = Fit(scale, shape, shift, found.gains[0], float(found.error), found.information[0])
        moved = (shift + found.step[0]).clamp(-limit, limit)
        if float((moved - shift).abs().max()) < SETTLED:
            break
        shift = moved
    assert best is not None
    return best
