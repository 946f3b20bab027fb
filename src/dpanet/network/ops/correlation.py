"""Correlate each pixel of the left view with a window of the right view."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from dpanet.errors import ShapeError
from dpanet.network.ops.exported import export_form, exported_correlation

STRIP = 32
"""Columns that one matrix product correlates; of its (STRIP, STRIP + 2rx) products only a band is used."""


def correlation(left: Tensor, right: Tensor, radius: int | tuple[int, int] = 4) -> Tensor:
    """Return the cost volume: each left pixel times the right pixels of a window around it.

    Memory: about three copies of `right` at a time, forward and backward, not one for each displacement.

    Args:
        left: (B, C, H, W).
        right: likewise, of the same shape, type and device.
        radius: of the window in px of this level, one number or (vertical, horizontal); horizontal at most 16.

    Returns:
        (B, (2ry+1)*(2rx+1), H, W). Channel (dy+ry)*(2rx+1) + (dx+rx) is the mean over C of
        left[y, x] * right[y+dy, x+dx], zero outside the picture; +x right, +y down.

    Raises:
        ShapeError: if the views differ or the horizontal radius is above 16.

    Source:
        DPANet (Li et al., 2025), correlation layer; cost volume of PWC-Net (Sun et al., 2018).
    """
    if left.shape != right.shape or left.dim() != 4:
        raise ShapeError(
            f"correlation was given views of shapes {tuple(left.shape)} and {tuple(right.shape)}; "
            "it needs two (B, C, H, W) tensors of one shape"
        )
    ry, rx = (radius, radius) if isinstance(radius, int) else radius
    if 2 * rx > STRIP:  # windows of the backward pass would overlap twice
        raise ShapeError(
            f"the correlation's horizontal radius is {rx}; at most {STRIP // 2} px are supported"
        )
    if export_form() is not None:
        return exported_correlation(left, right, ry, rx)
    planes: Tensor = _Correlation.apply(left, right, ry, rx)  # type: ignore[no-untyped-call]
    return planes


class _Correlation(torch.autograd.Function):
    """Rows of left times rows of right, in strips of columns, as batched matrix products.

    Written by hand because autograd would keep a window copy for each vertical displacement.
    """

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
        ctx.save_for_backward(left, right)
        ctx.radius = ry, rx
        height, width = left.shape[-2:]
        rows_left, rows_right = _rows(left, 0, 0), _rows(right, ry, rx)
        strips = _strips(rows_left, STRIP) / left.shape[1]
        across = 2 * rx + 1
        planes = strips.new_empty(*strips.shape[:4], 2 * ry + 1, across)
        for dy in range(2 * ry + 1):
            windows = _strips(rows_right[:, dy : dy + height], STRIP + 2 * rx)
            planes[..., dy, :] = _band(strips @ windows.transpose(-1, -2), rx)
        return planes.reshape(*strips.shape[:2], -1, (2 * ry + 1) * across)[:, :, :width].permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        left, right = ctx.saved_tensors
        ry, rx = ctx.radius
        height, width = left.shape[-2:]
        rows_left, rows_right = _rows(left, 0, 0), _rows(right, ry, rx)
        strips = _strips(rows_left, STRIP)
        back_left = torch.zeros_like(strips)
        back_right = torch.zeros_like(rows_right)
        count = strips.shape[2]
        grad = F.pad(gradients[0].permute(0, 2, 3, 1) / left.shape[1], (0, 0, 0, count * STRIP - width))
        grad = grad.to(left.dtype).reshape(*grad.shape[:2], count, STRIP, -1)
        for dy in range(2 * ry + 1):
            windows = _strips(rows_right[:, dy : dy + height], STRIP + 2 * rx)
            products = windows.new_zeros(*strips.shape[:4], STRIP + 2 * rx)
            _band(products, rx).copy_(grad[..., dy * (2 * rx + 1) : (dy + 1) * (2 * rx + 1)])
            back_left += products @ windows
            pieces = products.transpose(-1, -2) @ strips
            target = back_right[:, dy : dy + height]
            # Windows overlap by 2rx columns: what lies in one strip's width is added as a whole, the rest apart.
            whole = pieces[..., :STRIP, :].reshape(*pieces.shape[:2], count * STRIP, -1)
            target[:, :, : count * STRIP] += whole
            if rx:
                ends = _strips(target[:, :, STRIP:], 2 * rx)
                ends += pieces[..., STRIP:, :]
        grad_left = back_left.reshape(*back_left.shape[:2], count * STRIP, -1)[:, :, :width]
        grad_right = back_right[:, ry : ry + height, rx : rx + width]
        return grad_left.permute(0, 3, 1, 2), grad_right.permute(0, 3, 1, 2), None, None


def _rows(view: Tensor, ry: int, rx: int) -> Tensor:
    """(B, C, H, W) -> (B, H + 2ry, N*STRIP + 2rx, C), contiguous, zeros around."""
    rest = -view.shape[-1] % STRIP
    return F.pad(view.permute(0, 2, 3, 1), (0, 0, rx, rx + rest, ry, ry)).contiguous()


def _strips(rows: Tensor, window: int) -> Tensor:
    """A view (B, H, N, window, C) of rows (B, H, W, C): one window every STRIP columns."""
    count = (rows.shape[2] - window) // STRIP + 1
    b, h, w, c = rows.stride()
    return rows.as_strided((*rows.shape[:2], count, window, rows.shape[3]), (b, h, w * STRIP, w, c))


def _band(products: Tensor, rx: int) -> Tensor:
    """A view (..., STRIP, 2rx+1) of products (..., STRIP, STRIP + 2rx): entry (i, d) is products[i, i + d]."""
    *outer, row, column = products.stride()
    return products.as_strided((*products.shape[:-1], 2 * rx + 1), (*outer, row + column, column))
