"""Deformable convolution in strips of rows: gather by `embedding_bag`, then one matrix product.

For each strip, a bag of four rows of a table (the features, channels last, zeros around) gives one bilinear value of
all channels; the weights of the bag are bilinear weight times mask. Nothing is K*K times as large as the features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

STRIP_BYTES = 8 * 2**20
"""Largest size of what one strip reads, if it has several rows: small enough for a processor's cache."""


class DeformableStrips(torch.autograd.Function):
    """`deformable_convolution` of checked arguments; `dtype` is the type of the products and of the answer."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        offsets: Tensor,
        mask: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        dtype: torch.dtype,
    ) -> Tensor:
        ctx.save_for_backward(features, offsets, mask, weight)
        ctx.dtype, ctx.bias_type = dtype, None if bias is None else bias.dtype
        batch, _, height, width = features.shape
        taps = weight[0, 0].numel()
        groups = mask.shape[1] // taps
        with torch.autocast(features.device.type, enabled=False):
            table = _table(features, dtype, groups)
            mixing = _mixing(weight, groups, dtype)
            out = torch.empty(batch * height * width, weight.shape[0], dtype=dtype, device=features.device)
            added = None if bias is None else bias.to(dtype)
            for strip in _strips(features, offsets, mask, taps, dtype):
                read = strip.read(table)
                piece = out[strip.pixels]
                if added is None:
                    torch.mm(read, mixing, out=piece)
                else:
                    torch.addmm(added, read, mixing, out=piece)
        return out.reshape(batch, height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None, None]:
        features, offsets, mask, weight = ctx.saved_tensors
        batch, channels, height, width = features.shape
        taps = weight[0, 0].numel()
        groups = mask.shape[1] // taps
        with torch.autocast(features.device.type, enabled=False):
            exact = torch.promote_types(features.dtype, torch.float32)
            table = _table(features, exact, groups)
            mixing = _mixing(weight, groups, ctx.dtype)
            back_table = torch.zeros_like(table)
            back_mixing = torch.zeros_like(mixing, dtype=exact)
            back_offsets = torch.empty(
                batch * height * width, groups * taps, 2, dtype=exact, device=mask.device
            )
            back_mask = torch.empty(batch * height * width, groups * taps, dtype=exact, device=mask.device)
            rows = gradients[0].to(ctx.dtype).permute(0, 2, 3, 1).reshape(batch * height * width, -1)
            for strip in _strips(features, offsets, mask, taps, exact):
                grad = rows[strip.pixels]
                back_mixing += strip.read(table).to(ctx.dtype).t() @ grad
                back = (grad @ mixing.t()).to(exact).reshape(-1, table.shape[1])
                strip.add_back(back, back_table)
                by_offset, by_mask = strip.place_gradients(back, table)
                back_offsets[strip.pixels] = by_offset.reshape(-1, groups * taps, 2)
                back_mask[strip.pixels] = by_mask.reshape(-1, groups * taps)
        grad_features = back_table.reshape(batch, height + 3, width + 3, channels)[
            :, 1 : 1 + height, 1 : 1 + width
        ]
        grad_weight = back_mixing.t().reshape(-1, groups, taps, channels // groups).transpose(2, 3)
        grad_bias = None if ctx.bias_type is None else gradients[0].sum((0, 2, 3)).to(ctx.bias_type)
        return (
            grad_features.permute(0, 3, 1, 2).to(features.dtype),
            back_offsets.reshape(batch, height, width, -1).permute(0, 3, 1, 2).to(offsets.dtype),
            back_mask.reshape(batch, height, width, -1).permute(0, 3, 1, 2).to(mask.dtype),
            grad_weight.reshape(weight.shape).to(weight.dtype),
            grad_bias,
            None,
        )


@dataclass
class _Strip:
    """Where and with what weight the taps of a strip of rows read: N reads, in the order pixel, group, tap."""

    pixels: slice
    """Of all pixels of the batch."""
    first: Tensor
    """(N,) row of the table that has the upper left one of the four pixels that each read mixes."""
    steps: tuple[int, int, int, int]
    """From there to the rows of upper left, upper right, lower left, lower right."""
    fraction: tuple[Tensor, Tensor]
    """(N,) position between the four pixels, y and x, 0..1."""
    place: tuple[Tensor, Tensor]
    """(N,) y and x themselves, limited to the ring."""
    last: tuple[int, int]
    """Largest y and x."""
    mask: Tensor
    """(N,)."""

    def read(self, table: Tensor) -> Tensor:
        """Return what all taps read, (pixels, C*K*K), in the order group, tap, channel of the group."""
        fy, fx = self.fraction
        weights = fy.new_empty(len(fy), 4)
        lower = self.mask * fy
        upper = self.mask - lower
        for column, row in ((1, upper), (3, lower)):
            right = torch.mul(row, fx, out=weights[:, column])
            torch.sub(row, right, out=weights[:, column - 1])
        rows = self.first.new_empty(len(self.first), 4)
        for column, step in enumerate(self.steps):
            torch.add(self.first, step, out=rows[:, column])
        values = F.embedding_bag(rows, table, per_sample_weights=weights.to(table.dtype), mode="sum")
        return values.reshape(self.pixels.stop - self.pixels.start, -1)

    def add_back(self, back: Tensor, table: Tensor) -> None:
        """Add the gradient of each read, (N, C/G), to the rows of the table that it has read."""
        first, order = self.first.sort()
        low, high = int(first[0]), int(first[-1]) + 1
        counts = torch.bincount(first - low)
        begins = counts.cumsum(0) - counts
        fy, fx, mask = self.fraction[0][order], self.fraction[1][order], self.mask[order]
        shares = ((1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx)
        for step, share in zip(self.steps, shares, strict=True):
            table[low + step : high + step] += F.embedding_bag(
                order, back, begins, per_sample_weights=(mask * share).to(back.dtype), mode="sum"
            )

    def place_gradients(self, back: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients (N, 2) of the offsets and (N,) of the mask, from that of each read, (N, C/G)."""
        fy, fx = self.fraction
        # Of each of the four pixels: its features times the gradient, summed over the channels.
        a, b, c, d = (
            torch.linalg.vecdot(table.index_select(0, self.first + step), back) for step in self.steps
        )
        upper, lower = a + fx * (b - a), c + fx * (d - c)
        left, right = a + fy * (c - a), b + fy * (d - b)
        # Beyond the ring, moving a place changes nothing.
        inside_y, inside_x = (
            (place > 0) & (place < last) for place, last in zip(self.place, self.last, strict=True)
        )
        by_y = (lower - upper) * self.mask * inside_y
        by_x = (right - left) * self.mask * inside_x
        return torch.stack((by_y, by_x), 1), upper + fy * (lower - upper)


def _strips(
    features: Tensor, offsets: Tensor, mask: Tensor, taps: int, dtype: torch.dtype
) -> Iterator[_Strip]:
    """Yield the strips of all pictures, from the first row of the first one to the last of the last.

    Places are counted in the table of `_table`: its ring is row and column 0, and rows and columns from H+1, W+1.
    """
    batch, channels, height, width = features.shape
    reads, device = mask.shape[1], features.device
    groups, size = reads // taps, math.isqrt(taps)
    exact = torch.promote_types(offsets.dtype, torch.float32)
    offset_rows = offsets.permute(0, 2, 3, 1).reshape(batch * height, width, reads, 2)
    mask_rows = mask.permute(0, 2, 3, 1).reshape(batch * height, width, reads)
    tap = torch.arange(taps, device=device).repeat(groups)
    group = torch.arange(reads, device=device) // taps
    shift_y, shift_x = (shift - size // 2 + 1 for shift in (tap // size, tap % size))
    places_x = (torch.arange(width, device=device)[:, None] + shift_x).to(exact)
    across = groups * (width + 3)
    rows = batch * (height + 3) * across
    index = torch.int32 if rows < 2**31 else torch.int64
    count = max(1, STRIP_BYTES // (width * taps * channels * dtype.itemsize))
    for start in range(0, batch * height, count):
        numbers = torch.arange(start, min(start + count, batch * height), device=device)
        end = start + len(numbers)
        places_y = ((numbers % height)[:, None] + shift_y).to(exact)[:, None]
        begin = ((numbers // height)[:, None] * (rows // batch) + group).to(index)[:, None]
        # An offset that is no number gives a weight that is none; its row is limited to the table apart.
        y = (offset_rows[start:end, :, :, 0].to(exact) + places_y).clamp_(0, height + 1)
        x = (offset_rows[start:end, :, :, 1].to(exact) + places_x).clamp_(0, width + 1)
        top, left = y.floor(), x.floor()
        first = top.to(index).clamp_(0, height + 1).mul_(across)
        first += left.to(index).clamp_(0, width + 1).mul_(groups)
        first += begin
        yield _Strip(
            slice(start * width, end * width),
            first.flatten(),
            (0, groups, across, across + groups),
            ((y - top).flatten(), (x - left).flatten()),
            (y.flatten(), x.flatten()),
            (height + 1, width + 1),
            mask_rows[start:end].to(exact).flatten(),
        )


def _table(features: Tensor, dtype: torch.dtype, groups: int) -> Tensor:
    """Return features, (B, C, H, W), as rows (B*(H+3)*(W+3)*G, C/G), with a ring of zeros around each picture.

    The ring is one pixel wide on the left and above, two on the right and below, where a place on it has neighbors.
    """
    rows = F.pad(features.to(dtype).permute(0, 2, 3, 1), (0, 0, 1, 2, 1, 2))
    return rows.reshape(-1, features.shape[1] // groups)


def _mixing(weight: Tensor, groups: int, dtype: torch.dtype) -> Tensor:
    """Return the weight, (D, C, K, K), as a matrix (C*K*K, D) whose rows are in the order of `_Strip.read`."""
    out_channels, channels = weight.shape[:2]
    blocks = weight.reshape(out_channels, groups, channels // groups, -1).transpose(2, 3)
    return blocks.reshape(out_channels, -1).t().to(dtype)
