"""Kernel pairs: the images of a point of light in both views, through the two halves of a lens.

Conventions: a kernel is K x K, K odd, centered, sums to 1; +x right, +y down. A pair is (left, right).
A negative blur scale (the other side of the focal plane) turns both kernels by 180 degrees, which for
mirrored halves swaps the views.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.errors import ConfigError

SIZE = 97
"""Side of every kernel here, px: the measured kernels (61 px) fit at a scale of 1.6."""

OVERSAMPLING = 2
"""Points in each pixel, along each axis, at which a kernel is evaluated; their mean is the pixel's value."""


def kernel_points(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the coordinates y and x in px of the oversampled grid, each (n, n) with n = SIZE * OVERSAMPLING."""
    count = SIZE * OVERSAMPLING
    line = (torch.arange(count, device=device) - (count - 1) / 2) / OVERSAMPLING
    y, x = torch.meshgrid(line, line, indexing="ij")
    return y, x


def to_pixels(fine: Tensor) -> Tensor:
    """Average N oversampled kernels (N, n, n) to pixels: (N, SIZE, SIZE), each summing to 1."""
    kernel = F.avg_pool2d(fine[:, None], OVERSAMPLING)[:, 0]
    return kernel / kernel.sum((-1, -2), keepdim=True)


@dataclass(frozen=True)
class RampedDisc:
    """A disc of confusion that a soft ramp across x divides between the two views."""

    radius: float
    """px, signed; positive if the left view's kernel is on the left (-x) side."""
    softness: float = 0.6
    """Width of the ramp in radii: near 0 a hard cut; above 1 both views see much of the whole disc."""
    rim: float = 0.0
    """Brightness of the rim against the center, minus 1."""
    edge: float = 0.8
    """px over which the border of the disc fades."""
    squeeze: float = 1.0
    """Height of the aperture against its width."""
    clip: tuple[float, float] = (0.0, 0.0)
    """(x, y) of the barrel's stop, as wide as the aperture, against the aperture, in signed radii.

    Off the axis of a lens the disc becomes the overlap of both, and each view loses another part."""

    @property
    def reach(self) -> float:
        """Distance in px from the middle to the outermost light, along the longer axis."""
        return (abs(self.radius) + self.edge / 2) * max(1.0, self.squeeze)


def ramped_disc(lenses: list[RampedDisc], device: torch.device | str = "cpu") -> Tensor:
    """Compute the kernel pairs of N discs with a ramp.

    Returns: (N, 2, SIZE, SIZE), left and right, each summing to 1; the right one is the left one mirrored in x of the
             lens whose `clip` is mirrored.
    Raises:  ConfigError if a disc does not fit into SIZE px.
    """
    device = torch.device(device)
    fine = _ramped_discs(lenses, device)
    # `clip` may leave a view no grid point of a disc within one pixel; such a disc is computed without its clip.
    dark = (fine.sum((-1, -2)) == 0).any(1).nonzero()[:, 0].tolist()
    if dark:
        fine[dark] = _ramped_discs([replace(lenses[i], clip=(0.0, 0.0)) for i in dark], device)
    return to_pixels(fine.flatten(0, 1)).reshape(-1, 2, SIZE, SIZE)


def view_brightness(lenses: list[RampedDisc], device: torch.device | str = "cpu") -> Tensor:
    """Compute the light that reaches left and right (N, 2), as a share of what they get without `clip`."""
    clipped, whole = (
        _ramped_discs(some, torch.device(device)).sum((-1, -2))
        for some in (lenses, [replace(lens, clip=(0.0, 0.0)) for lens in lenses])
    )
    return clipped / whole


def _ramped_discs(lenses: list[RampedDisc], device: torch.device) -> Tensor:
    """Compute the light in left and right on the oversampled grid, (N, 2, n, n), not normalized."""
    y, x = kernel_points(device)
    pairs = []
    for lens in lenses:
        if lens.reach > SIZE / 2:
            most = SIZE / 2 / max(1.0, lens.squeeze) - lens.edge / 2
            raise ConfigError(
                f"the blur radius is {lens.radius} px; at most {most:.1f} px fit, so choose less"
            )
        # In focus a point is one pixel: towards a radius of 0 the border becomes hard and both views become equal.
        radius = max(abs(lens.radius), 0.45)
        edge = min(lens.edge, max(2 * abs(lens.radius) - 0.85, 0.02))
        distance = torch.sqrt(x**2 + (y / lens.squeeze) ** 2)
        disc = ((radius - distance) / edge + 0.5).clamp(0, 1)
        disc = disc * (1 + lens.rim * (distance / radius).clamp(max=1) ** 2)
        divided = min(abs(lens.radius) / 0.5, 1.0)
        if any(lens.clip):
            beside_x, beside_y = (lens.radius * divided * shift for shift in lens.clip)
            stop = torch.sqrt((x - beside_x) ** 2 + ((y - beside_y) / lens.squeeze) ** 2)
            disc = disc * ((radius - stop) / edge + 0.5).clamp(0, 1)
        towards = -x if lens.radius >= 0 else x
        slope = 0.5 * divided * towards / (lens.softness * radius)
        pairs.append(torch.stack((disc * (0.5 + slope).clamp(0, 1), disc * (0.5 - slope).clamp(0, 1))))
    return torch.stack(pairs)
