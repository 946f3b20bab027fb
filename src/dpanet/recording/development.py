"""What a camera's own processing does to a picture on its way to a file: tone, sharpening, lossy compression."""

from __future__ import annotations

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

SHARPENING_REACH = 4
"""Pixels on each side that the blur of `sharpen` takes into account."""


def sharpen(display: Tensor, amount: float, sigma: float) -> Tensor:
    """Sharpen by unsharp masking, as cameras do to every picture, sharp or not.

    Args:    display: (C, H, W), display values 0..1. amount: how much of the difference from the blurred picture is
             added. sigma: of the Gaussian blur, px.
    Returns: (C, H, W), 0..1; edges have halos.
    """
    place = torch.arange(-SHARPENING_REACH, SHARPENING_REACH + 1.0, device=display.device)
    line = torch.exp(-0.5 * (place / sigma) ** 2)
    line = line / line.sum()
    planes = F.pad(display[:, None], [SHARPENING_REACH] * 4, mode="reflect")
    blurred = F.conv2d(F.conv2d(planes, line[None, None, None]), line[None, None, :, None])[:, 0]
    return (display + amount * (display - blurred)).clamp(0, 1)


def compress(display: Tensor, quality: int) -> Tensor:
    """Compress as JPEG and decode again; its blocks and rounding stand for those of videos too.

    Args:    display: (C, H, W), display values 0..1, C 1 or 3. quality: of JPEG, 1 to 100.
    Returns: (C, H, W), 0..1, in steps of 1/255.
    """
    codes = (display.permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    gray = codes.shape[2] == 1
    _, data = cv2.imencode(".jpg", codes if gray else codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
    assert decoded is not None, "OpenCV reads what it wrote"
    decoded = decoded[..., None] if gray else decoded[..., ::-1]
    return torch.from_numpy(decoded.copy()).permute(2, 0, 1).to(display) / 255
