"""Modulated deformable convolution, one number at a time."""

import math

import torch
from torch import Tensor


def deformable_convolution(x: Tensor, offsets: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    batch, channels, height, width = x.shape
    size = weight.shape[-1]
    groups = mask.shape[1] // size**2
    out = bias.reshape(1, -1, 1, 1).repeat(batch, 1, height, width)

    def pixel(n: int, c: int, y: int, x_: int) -> Tensor:
        inside = 0 <= y < height and 0 <= x_ < width
        return x[n, c, y, x_] if inside else x.new_zeros(())

    for n in range(batch):
        for y in range(height):
            for x_ in range(width):
                for c in range(channels):
                    group = c // (channels // groups)
                    for tap in range(size**2):
                        read = group * size**2 + tap
                        py = y + tap // size - size // 2 + float(offsets[n, 2 * read, y, x_])
                        px = x_ + tap % size - size // 2 + float(offsets[n, 2 * read + 1, y, x_])
                        top, first = math.floor(py), math.floor(px)
                        fy, fx = py - top, px - first
                        value = (
                            (1 - fy) * (1 - fx) * pixel(n, c, top, first)
                            + (1 - fy) * fx * pixel(n, c, top, first + 1)
                            + fy * (1 - fx) * pixel(n, c, top + 1, first)
                            + fy * fx * pixel(n, c, top + 1, first + 1)
                        )
                        out[n, :, y, x_] += (
                            weight[:, c, tap // size, tap % size] * mask[n, read, y, x_] * value
                        )
    return out


def arguments(
    height: int, width: int, taps: int, groups: int, reach: float, batch: int = 1
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Random features (4 channels), offsets of about `reach` px, mask, weight (3 out) and bias, float64."""
    generator = torch.Generator().manual_seed(taps * 100 + groups)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    reads = taps * taps * groups
    return (
        normal(batch, 4, height, width),
        reach * normal(batch, 2 * reads, height, width),
        torch.sigmoid(normal(batch, reads, height, width)),
        normal(3, 4, taps, taps),
        normal(3),
    )
