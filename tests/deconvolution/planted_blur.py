"""Windows whose views are a texture seen through known kernels, so that fits have a known answer."""

import numpy as np
import torch
from torch import Tensor

from dpanet.deconvolution.blur_fit import HALO, Window
from dpanet.simulation.kernels import SIZE
from dpanet.simulation.measured_kernels import MeasuredKernels

SIDE = 64
"""Pixels a side of a window."""


def slanted_lens(grid: tuple[int, int] = (1, 1)) -> MeasuredKernels:
    """Return slanted halves of a soft disc, wider from cell to cell."""
    y, x = np.mgrid[:61, :61] - 30.0
    left = []
    for cell in range(grid[0] * grid[1]):
        radius = 7 + 1.5 * cell
        disc = 1 / (1 + np.exp((np.hypot(x, y) - radius) * 1.5))
        left.append(disc / (1 + np.exp((x + 0.2 * y) / 2)))
    return MeasuredKernels(np.stack(left), np.stack(left)[..., ::-1].copy(), grid)


def texture(height: int, width: int) -> Tensor:
    """Return a positive picture with power at all frequencies up to a third of a cycle a pixel."""
    noise = torch.randn(height, width, generator=torch.Generator().manual_seed(4))
    fy, fx = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)
    shaped = torch.fft.rfft2(noise) / (0.02 + torch.hypot(fy, fx)) * torch.exp(-6 * (fx**2 + fy**2))
    picture: Tensor = torch.fft.irfft2(shaped, s=(height, width))
    return 0.4 + 0.12 * picture / picture.std()


def places(count: int) -> Tensor:
    """Return the centers of `count` pixels in a field of width 1."""
    return (torch.arange(count) + 0.5) / count


def window(truth: Tensor, views: Tensor) -> Window:
    """Return a window that is the whole field."""
    return Window(truth, views, places(views.shape[-2]), places(views.shape[-1]))


def blur_by_loop(
    truth: Tensor,
    kernels: Tensor,
    shift: tuple[float, float] = (0, 0),
    gains: tuple[float, float] = (1, 1),
) -> Tensor:
    """Return views (2, SIDE, SIDE) from a plain loop over the kernels' pixels, in float64."""
    turns = torch.fft.fftfreq(len(truth), dtype=torch.float64)
    phase = torch.exp(-2j * torch.pi * (turns * shift[0] + turns[:, None] * shift[1]))
    moved = torch.fft.ifft2(torch.fft.fft2(truth.double()) * phase).real
    views = torch.zeros(2, SIDE, SIDE, dtype=torch.float64)
    for view in range(2):
        for dy, dx in kernels[view].nonzero().tolist():
            top, first = HALO - (dy - SIZE // 2), HALO - (dx - SIZE // 2)
            views[view] += kernels[view, dy, dx] * moved[top : top + SIDE, first : first + SIDE]
        views[view] *= gains[view]
    return views.float()
