"""The Butterworth ring: a disc of confusion that is darker inside, as spherical aberration renders it.

Source: Abuolaim et al., Learning to Reduce Defocus Blur by Realistically Modeling Dual-Pixel Data (RDPD, ICCV
2021). There a kernel has k = 2 * radius + 1 px for whole radii; here the same shape is evaluated at any radius,
is mirrored in x only (theirs turns by 180 degrees, the same for a ring), and shrinks to one pixel in focus.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import OVERSAMPLING, SIZE, kernel_points, to_pixels

ORDERS = (3, 6, 9)
CUTOFFS = (2.5, 2.0)
FLOORS = (0.1, 0.2)
"""Orders, cut-offs and floors of the paper; their combinations are its twelve rings."""


@dataclass(frozen=True)
class Ring:
    """One Butterworth ring."""

    radius: float
    """px, signed as in `RampedDisc`: positive if the left view's kernel is on the left (-x) side."""
    order: int = 3
    """How steeply the dark middle ends."""
    cutoff: float = 2.5
    """The dark middle ends at a radius of (k - 1) / cutoff px, where it is half as bright as far outside."""
    floor: float = 0.1
    """Brightness of the center against the rim."""

    @property
    def sigma(self) -> float:
        """Standard deviation in px of the Gaussian that softens this ring.

        That of a window of k / 7 px, k = 2 * radius + 1, by OpenCV's rule 0.3 * ((window - 1) / 2 - 1) + 0.8; below a
        radius of 1 px it falls to zero.
        """
        radius = abs(self.radius)
        return (0.5 + 0.15 * (2 * radius + 1) / 7) * min(radius, 1.0)


def butterworth(rings: list[Ring], device: torch.device | str = "cpu") -> Tensor:
    """Compute the kernel pairs of N rings.

    Returns: (N, 2, SIZE, SIZE), left and right; the right one is the left one mirrored in x, each sums to 1.
    Raises:  ConfigError if a ring does not fit into SIZE px.
    """
    y, x = kernel_points(torch.device(device))
    squared = x**2 + y**2
    left = []
    for ring in rings:
        blurred = abs(ring.radius) + 3 * ring.sigma
        if blurred > SIZE / 2:
            raise ConfigError(
                f"the blur radius is {ring.radius} px, {blurred:.1f} px with its soft border; at most {SIZE / 2} px "
                "fit, so choose less"
            )
        radius = max(abs(ring.radius), 0.45)
        # The high-pass: 0 in the center, 1 in the corners of the k x k square.
        ends = (2 * radius / ring.cutoff) ** 2
        corner = 1 / (1 + (ends / (2 * radius**2)) ** ring.order)
        high = 1 / (1 + (ends / squared) ** ring.order) / corner
        edge = min(1.0, max(2 * abs(ring.radius) - 0.85, 0.02))  # the border fades over a pixel
        disc = ((radius - torch.sqrt(squared)) / edge + 0.5).clamp(0, 1)
        whole = _blur(disc * (ring.floor + (1 - ring.floor) * high), ring.sigma * OVERSAMPLING)
        towards = -x if ring.radius >= 0 else x
        half_width = radius + (2 * radius + 1) / 14  # the ramp spans the ring and the Gaussian's window
        divided = min(abs(ring.radius) / 0.5, 1.0)
        left.append(whole * (0.5 + 0.5 * divided * towards / half_width).clamp(0, 1))
    fine = torch.stack(left)
    return torch.stack((to_pixels(fine), to_pixels(fine.flip(-1))), dim=1)


def _blur(fine: Tensor, sigma: float) -> Tensor:
    """Convolve a square grid with a Gaussian of `sigma` grid points along both axes."""
    if sigma == 0:
        return fine
    line = torch.arange(len(fine), device=fine.device, dtype=fine.dtype)
    gaussian = torch.exp(-0.5 * ((line[:, None] - line) / sigma) ** 2)
    gaussian = gaussian / gaussian.sum(0).amax()
    return gaussian @ fine @ gaussian
