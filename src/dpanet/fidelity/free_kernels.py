"""Kernels without any model, by least squares from a window: a look at what the families leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dpanet.deconvolution.blur_fit import BlurFit, Window
from dpanet.images.writing import write_picture
from dpanet.pair import Picture, Pixels

SIDE = 49
"""Pixels a side of a free kernel."""

SMOOTHNESS = 1e-2
"""Weight of the kernel's squared differences from pixel to pixel, relative to the truth's variance."""

ITERATIONS = 80
"""Steps of the conjugate gradients."""

ENLARGED = 4
"""Pixels a side in the picture of one pixel of a kernel."""


@dataclass(frozen=True)
class FreeKernels:
    """The free kernels of one cell, beside those of the best fit."""

    title: str
    """Scene and cell."""
    kernels: Tensor
    """(2, SIDE, SIDE), left and right."""
    fitted: Tensor
    """(2, SIDE, SIDE), the kernels of the fitted family."""
    error: float
    """Mean squared difference of both views, white = 1, with the free kernels."""


def find_free_kernels(window: Window, fit: BlurFit) -> tuple[Tensor, float]:
    """Find the kernels (2, SIDE, SIDE) that best explain both views, smooth but otherwise free, and their error.

    Args: fit: its shift moves the truth. Gains and constants are free.
    """
    height, width = window.truth.shape
    halo = window.halo
    truth = window.truth - window.truth.mean()
    turns = fit.shift[0] * torch.fft.rfftfreq(width) + fit.shift[1] * torch.fft.fftfreq(height)[:, None]
    spectrum = torch.fft.rfft2(truth) * torch.polar(torch.ones_like(turns), -2 * torch.pi * turns)
    views = window.views - window.views.mean((-1, -2), keepdim=True)
    weight = SMOOTHNESS * float(truth.var()) * views[0].numel()
    reach = SIDE // 2

    def blur(kernels: Tensor) -> Tensor:
        placed = torch.zeros(2, height, width)
        placed[:, :SIDE, :SIDE] = kernels
        placed = placed.roll((-reach, -reach), dims=(-2, -1))
        blurred: Tensor = torch.fft.irfft2(torch.fft.rfft2(placed) * spectrum, s=(height, width))
        inner = blurred[:, halo : height - halo, halo : width - halo]
        return inner - inner.mean((-1, -2), keepdim=True)

    def correlate(residual: Tensor) -> Tensor:
        placed = torch.zeros(2, height, width)
        placed[:, halo : height - halo, halo : width - halo] = residual - residual.mean(
            (-1, -2), keepdim=True
        )
        found: Tensor = torch.fft.irfft2(torch.fft.rfft2(placed) * spectrum.conj(), s=(height, width))
        return found.roll((reach, reach), dims=(-2, -1))[:, :SIDE, :SIDE]

    def normal(kernels: Tensor) -> Tensor:
        return correlate(blur(kernels)) + weight * _roughness(kernels)

    kernels = torch.zeros(2, SIDE, SIDE)
    residual = correlate(views)
    direction, power = residual, float((residual**2).sum())
    for _ in range(ITERATIONS):
        applied = normal(direction)
        length = power / max(float((direction * applied).sum()), 1e-20)
        kernels = kernels + length * direction
        residual = residual - length * applied
        power, before = float((residual**2).sum()), power
        direction = residual + power / max(before, 1e-20) * direction
    return kernels, float(((views - blur(kernels)) ** 2).mean())


def _roughness(kernels: Tensor) -> Tensor:
    """Apply the discrete Laplacian with zeros around the kernel, negated."""
    padded = torch.nn.functional.pad(kernels, (1, 1, 1, 1))
    around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    return 4 * kernels - around


def draw_free_kernels(found: Sequence[FreeKernels]) -> Pixels:
    """Draw free kernels, left and right, over those of the fitted family; one pair of columns for each cell.

    Returns: (H, W, 3), 0..1; each pair is as bright as its own maximum.
    """
    columns = []
    for one in found:
        rows = [
            torch.cat(list(_frame(pair / pair.max().clamp(min=1e-9))), dim=-1)
            for pair in (one.kernels, one.fitted)
        ]
        columns.append(torch.cat(rows))
    picture = torch.cat(columns, dim=-1).clamp(0, 1) ** (1 / 2.2)
    large = picture.repeat_interleave(ENLARGED, 0).repeat_interleave(ENLARGED, 1).numpy()
    return np.asarray(np.repeat(large[..., None], 3, axis=2), np.float32)


def _frame(pair: Tensor) -> Tensor:
    return torch.nn.functional.pad(pair, (1, 1, 1, 1), value=0.3)


def write_free_kernels(found: Sequence[FreeKernels], path: Path, overwrite: bool = False) -> None:
    """Write the picture of free kernels as PNG. Raises: OutputError if it exists (without `overwrite`)."""
    write_picture(Picture(draw_free_kernels(found), "srgb"), path, 8, overwrite)
