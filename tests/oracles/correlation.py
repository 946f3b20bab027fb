"""Correlation, one number at a time."""

import torch
from torch import Tensor


def correlation(left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
    batch, channels, height, width = left.shape
    out = left.new_zeros(batch, (2 * ry + 1) * (2 * rx + 1), height, width)
    for dy in range(-ry, ry + 1):
        for dx in range(-rx, rx + 1):
            for y in range(height):
                for x in range(width):
                    if 0 <= y + dy < height and 0 <= x + dx < width:
                        match = (left[:, :, y, x] * right[:, :, y + dy, x + dx]).sum(1) / channels
                        out[:, (dy + ry) * (2 * rx + 1) + dx + rx, y, x] = match
    return out


def views(height: int, width: int, channels: int = 3, batch: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    left, right = torch.randn(2, batch, channels, height, width, dtype=torch.float64, generator=generator)
    return left, right
