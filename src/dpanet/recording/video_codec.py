"""What a video codec such as H.264 leaves of two views that follow one another in a video.

The first picture is coded in blocks of a cosine transform, whose coefficients are rounded in even steps, small ones
to zero; the next one as its difference from what was decoded. So faint texture loses contrast or vanishes, and nearly
the same error is in both views. Not modeled: motion, blocks of other sizes, the choice of steps by place.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 8
"""Side of a block, px."""

ROUNDING = 1 / 6
"""What is added to a coefficient, in steps, before it is rounded down: less than 1/2, so that small ones vanish."""

FINER = 0.5
"""Step of the difference of the second picture, relative to that of the first."""

TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
"""From red, green and blue to brightness and two differences of color (ITU-R BT.601)."""


def code_as_video(
    left: Tensor, right: Tensor, step: float, start: tuple[int, int] = (0, 0)
) -> tuple[Tensor, Tensor]:
    """Code two views as frames of a video and decode them again.

    Args:
        left: (C, H, W), display values 0..1, C 1 or 3; the colors are coded at half the resolution.
        right: the same.
        step: of the coefficients, in display values; 5 to 30 of 255 for usual videos.
        start: (y, x) in px, 0 to 7, of the first block, as of a part cut out of a larger picture.
    Returns: both views, 0..1, of the same shape.
    """
    if left.shape[0] == 1:
        return _code(left, right, step, start)
    matrix = TO_YCC.to(left)
    one, other = (torch.tensordot(matrix, view, 1) for view in (left, right))
    brightness = _code(one[:1], other[:1], step, start)
    half, other_half = (F.avg_pool2d(view[1:], 2, ceil_mode=True) for view in (one, other))
    color = _code(half, other_half, step, start)
    size = left.shape[1:]
    back = torch.linalg.inv(matrix)
    decoded = [
        torch.tensordot(back, torch.cat([y, F.interpolate(c[None], size, mode="bilinear")[0]]), 1).clamp(0, 1)
        for y, c in zip(brightness, color, strict=True)
    ]
    return decoded[0], decoded[1]


def _code(one: Tensor, other: Tensor, step: float, start: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Code two pictures (C, H, W) of any values: their mean, then the difference of each from the decoded mean."""
    height, width = one.shape[1:]
    top, first = start
    pad = (first, (-width - first) % BLOCK, top, (-height - top) % BLOCK)
    pair = F.pad(torch.stack([one, other]), pad, mode="replicate")
    mean = pair.mean(0)
    # Codecs predict a block from its neighbors and code what differs; a picture of the blocks' means stands for that.
    smooth = F.interpolate(F.avg_pool2d(mean[None], BLOCK), size=mean.shape[1:], mode="bilinear")[0]
    decoded = _smooth_block_edges(smooth + _round_coefficients(mean - smooth, step), step)
    pair = decoded + _round_coefficients(pair - decoded, FINER * step)
    cut = pair[..., top : top + height, first : first + width]
    return cut[0], cut[1]


def _round_coefficients(planes: Tensor, step: float) -> Tensor:
    """Round the cosine transform of each block of planes (..., H, W), whose sides are multiples of a block."""
    matrix = _cosines().to(planes)
    height, width = planes.shape[-2:]
    blocks = planes.reshape(-1, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(2, 3)
    coefficients = matrix @ blocks @ matrix.T
    rounded = coefficients.sign() * torch.floor(coefficients.abs() / step + ROUNDING) * step
    decoded: Tensor = matrix.T @ rounded @ matrix
    return decoded.transpose(2, 3).reshape(planes.shape)


def _cosines() -> Tensor:
    """Return the orthonormal cosine transform of a line of a block, (BLOCK, BLOCK)."""
    line = torch.arange(BLOCK)
    matrix = torch.cos(math.pi * (line + 0.5) * line[:, None] / BLOCK) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def _smooth_block_edges(planes: Tensor, step: float) -> Tensor:
    """Smooth what jumps by less than two steps between two blocks, as codecs do after decoding."""
    planes = planes.clone()
    for lines in (planes, planes.transpose(-1, -2)):  # views of the same memory: columns, then rows
        edge = torch.arange(BLOCK, lines.shape[-1], BLOCK)
        jump = lines[..., edge] - lines[..., edge - 1]
        jump = torch.where(jump.abs() < 2 * step, jump, 0)
        for place, share in ((-2, 1 / 8), (-1, 3 / 8), (0, -3 / 8), (1, -1 / 8)):
            lines[..., edge + place] += share * jump
    return planes
