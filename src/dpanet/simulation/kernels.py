"""What a point of light becomes in each view: kernel pairs for a lens whose sensor sees through both halves.

Conventions: a kernel is K x K, K odd, centred, sums to 1; +x right, +y down. A pair is (left, right).
A negative blur scale (the other side of the focal plane) turns both kernels by 180 degrees, which for
mirrored halves swaps the views.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dpanet.errors import SettingsError

SIZE = 97
"""Side of every kernel here, px: holds the measured kernels (61 px) at a scale of 1.6."""

OVERSAMPLING = 2
"""Points a pixel and axis at which a kernel is evaluated; their mean is the pixel's value."""


def kernel_points(device: torch.device) -> tuple[Tensor, Tensor]:
    """Coordinates (y, x) in px of the oversampled kernel grid, each (SIZE*OVERSAMPLING,) squared."""
    count = SIZE * OVERSAMPLING
    line = (torch.arange(count, device=device) - (count - 1) / 2) / OVERSAMPLING
    y, x = torch.meshgrid(line, line, indexing="ij")
    return y, x


def to_pixels(fine: Tensor) -> Tensor:
    """(N, count, count) -> (N, SIZE, SIZE), each summing to 1."""
    kernel = F.avg_pool2d(fine[:, None], OVERSAMPLING)[:, 0]
    return kernel / kernel.sum((-1, -2), keepdim=True)


@dataclass(frozen=True)
class HalfDisc:
    """A disc of confusion of which each view sees one half, softly divided.

    radius: px, signed; positive: the left view's kernel lies on the left (-x) side.
    softness: of the ramp across x in units of the radius; near 0 a hard cut, above 1 both views
    see much of the whole. rim: brightness of the rim against the centre minus 1. edge: px over which
    the disc's border fades. squeeze: height of the aperture against its width.
    """

    radius: float
    softness: float = 0.6
    rim: float = 0.0
    edge: float = 0.8
    squeeze: float = 1.0


def half_disc(lenses: list[HalfDisc], device: torch.device | str = "cpu") -> Tensor:
    """Kernel pairs (N, 2, SIZE, SIZE); the right is the left mirrored in x.

    Raises: SettingsError if a disc does not fit into SIZE px.
    """
    y, x = kernel_points(torch.device(device))
    left = []
    for lens in lenses:
        if abs(lens.radius) + lens.edge > SIZE / 2:
            raise SettingsError(
                f"the blur radius is {lens.radius} px; at most {SIZE // 2 - 1} px fit, so choose less"
            )
        # In focus a point stays one pixel: below a pixel or so the border cannot fade, and nothing is divided.
        radius = max(abs(lens.radius), 0.45)
        edge = min(lens.edge, max(2 * abs(lens.radius) - 0.85, 0.02))
        distance = torch.sqrt(x**2 + (y / lens.squeeze) ** 2)
        disc = ((radius - distance) / edge + 0.5).clamp(0, 1)
        disc = disc * (1 + lens.rim * (distance / radius).clamp(max=1) ** 2)
        towards = -x if lens.radius >= 0 else x
        divided = min(abs(lens.radius) / 0.5, 1.0)
        ramp = (0.5 + 0.5 * divided * towards / (lens.softness * radius)).clamp(0, 1)
        left.append(disc * ramp)
    fine = torch.stack(left)
    return torch.stack((to_pixels(fine), to_pixels(fine.flip(-1))), dim=1)


class MeasuredKernels:
    """Kernel pairs measured over the field of a real lens, at any scale.

    Built from two arrays (cells, K, K), left and right. The centroid common to both views is removed:
    it is a shift of the whole lens, and a network trained with it learns to move the picture.
    """

    def __init__(self, left: np.ndarray, right: np.ndarray) -> None:
        if (
            left.ndim != 3
            or left.shape != right.shape
            or left.shape[1] != left.shape[2]
            or left.shape[1] % 2 == 0
        ):
            raise SettingsError(
                f"the measured kernels have shapes {left.shape} and {right.shape}; two arrays (cells, K, K) of one "
                "shape with K odd are needed"
            )
        pairs = np.stack((left, right), axis=1).astype(np.float64)
        pairs /= pairs.sum((-1, -2), keepdims=True)
        line = np.arange(pairs.shape[-1]) - pairs.shape[-1] // 2
        x = (pairs * line).sum((-1, -2)).mean(1)
        y = (pairs * line[:, None]).sum((-1, -2)).mean(1)
        self.pairs = torch.from_numpy(pairs.astype(np.float32))
        self.centroid = torch.from_numpy(np.stack((x, y), axis=1).astype(np.float32))
        """(cells, 2): x and y in px of the centroid common to both views, at scale 1."""
        spread = (pairs * (line**2 + line[:, None] ** 2)).sum((-1, -2)).mean(1) - x**2 - y**2
        self.radius = float(np.sqrt(2 * spread).mean())
        """Pixels; of the even disc that spreads light as far as both views' kernels together, at scale 1."""

    @classmethod
    def read(cls, folder: Path) -> MeasuredKernels:
        """From `blur_kernels_left.npy` and `blur_kernels_right.npy` (Xin et al., ICCV 2021)."""
        try:
            left, right = (np.load(folder / f"blur_kernels_{side}.npy") for side in ("left", "right"))
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{folder} holds no readable blur_kernels_left.npy and blur_kernels_right.npy ({error}); "
                "name the folder of a calibration"
            ) from error
        return cls(left, right)

    def __len__(self) -> int:
        return len(self.pairs)

    def at(self, cells: list[int], scales: list[float], device: torch.device | str = "cpu") -> Tensor:
        """Kernel pairs (N, 2, SIZE, SIZE) of grid `cells` at signed `scales`; both lists of N.

        k_s(p) = k(p / s) / s**2; s < 0 turns by 180 degrees; |s| below 0.02 counts as 0.02.
        """
        device = torch.device(device)
        pairs = self.pairs[cells].to(device)
        centroid = self.centroid[cells].to(device)
        y, x = kernel_points(device)
        scale = torch.tensor([math.copysign(max(abs(s), 0.02), s) for s in scales], device=device)
        half = pairs.shape[-1] / 2
        gx = (x / scale[:, None, None] + centroid[:, 0, None, None]) / half
        gy = (y / scale[:, None, None] + centroid[:, 1, None, None]) / half
        fine = F.grid_sample(pairs, torch.stack((gx, gy), dim=-1), align_corners=False)
        return to_pixels(fine.reshape(-1, *fine.shape[-2:])).reshape(-1, 2, SIZE, SIZE)
