"""The sRGB curve (IEC 61966-2-1) for tensors, on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def to_linear(display: Tensor) -> Tensor:
    """Convert display-encoded values, 0..1, to linear light, 0..1."""
    return torch.where(
        display <= 0.04045, display / 12.92, ((display.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    )


def to_display(linear: Tensor) -> Tensor:
    """Convert linear light, 0..1, to display-encoded values, 0..1."""
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )
