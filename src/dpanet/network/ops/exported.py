"""Both operations of alignment in forms that file formats of networks can express.

Inside `exporting`, `correlation` and `deformable_convolution` compute by these forms. They give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Form = Literal["onnx", "plain"]
"""``onnx``: deformable convolutions become ONNX's operator DeformConv; ``plain``: torch's grid sampling stays."""

STRIP = 32
"""Columns that one matrix product of `strip_products` correlates."""

_MANY_DISPLACEMENTS = 54
"""From so many on, `strip_products` is used: the published network has 81, `compact` 27."""

_FORM: ContextVar[Form | None] = ContextVar("form", default=None)


@contextmanager
def exporting(form: Form) -> Iterator[None]:
    """Let the operations take a form that can be exported with any height and width."""
    token = _FORM.set(form)
    try:
        yield
    finally:
        _FORM.reset(token)


def export_form() -> Form | None:
    """Return the form inside `exporting`, else None."""
    return _FORM.get()


def exported_correlation(left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
    """Return the cost volume in the form that is faster for the size of its window; arguments of `correlation`."""
    if (2 * ry + 1) * (2 * rx + 1) < _MANY_DISPLACEMENTS:
        return shifted_products(left, right, ry, rx)
    return strip_products(left, right, ry, rx)


def shifted_products(left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
    """Return the cost volume as products with one shifted view for each displacement; arguments of `correlation`."""
    # A product with a row of equal weights is the mean over channels, and twice as fast in ONNX Runtime.
    mean = left.new_full((1, 1, left.shape[1]), 1 / left.shape[1])
    planes = [
        mean @ (left * F.pad(right, (-dx, dx, -dy, dy))).flatten(2)  # cropped on one side, zeros on the other
        for dy in range(-ry, ry + 1)
        for dx in range(-rx, rx + 1)
    ]
    return torch.cat(planes, dim=1).reshape(left.shape[0], -1, *left.shape[2:])


def strip_products(left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
    """Return the cost volume as products of strips of columns; arguments of `correlation`, of one picture.

    One matrix product for each vertical displacement: strips of the left rows times windows of the right ones, which
    are wider by 2rx columns. Of its numbers a band is used.
    """
    channels, height, width = left.shape[1:]
    count = (width + STRIP - 1) // STRIP
    across = 2 * rx + 1
    # The left view by rows, (H, N, STRIP, C), and the right one with zeros around, (H + 2ry, N, C, STRIP + 2rx).
    strips = F.pad(left[0] / channels, (0, STRIP - 1))[..., : count * STRIP]
    strips = strips.permute(1, 2, 0).reshape(height, count, STRIP, channels)
    wide = F.pad(right[0], (rx, 2 * STRIP - 1 - rx, ry, ry))[..., : (count + 1) * STRIP]
    wide = wide.permute(1, 0, 2).reshape(height + 2 * ry, channels, count + 1, STRIP)
    windows = torch.cat((wide[:, :, :-1], wide[:, :, 1:, : 2 * rx]), dim=3).permute(0, 2, 1, 3)
    planes = []
    for dy in range(2 * ry + 1):
        products = (strips @ windows[dy : dy + height]).flatten(2)
        # Entry (i, d) of the band is entry (i, i + d) of the product: in rows that are longer by one it is column d.
        band = F.pad(products, (0, STRIP)).reshape(height, count, STRIP, STRIP + across)
        planes.append(band[..., :across])
    volume = torch.cat(planes, dim=3).reshape(height, count * STRIP, -1)[:, :width]
    return volume.permute(2, 0, 1)[None]


def unshuffle(view: Tensor, side: int) -> Tensor:
    """Return `F.pixel_unshuffle` as a convolution with ones and zeros, which runtimes compute faster."""
    count = view.shape[1] * side**2
    weight = torch.eye(count, dtype=view.dtype, device=view.device).reshape(count, view.shape[1], side, side)
    return F.conv2d(view, weight, stride=side)


def onnx_deformable_convolution(
    features: Tensor, offsets: Tensor, mask: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """Return ONNX's DeformConv (opset 19), which only an ONNX export can trace."""
    size = weight.shape[-1]
    y: Tensor = torch.onnx.ops.symbolic(
        "DeformConv",
        (features, weight, offsets, weight.new_zeros(weight.shape[0]) if bias is None else bias, mask),
        attrs={
            "kernel_shape": [size, size],
            "pads": [size // 2] * 4,
            "strides": [1, 1],
            "dilations": [1, 1],
            "group": 1,
            "offset_group": mask.shape[1] // size**2,
        },
        dtype=features.dtype,
        shape=(features.shape[0], weight.shape[0], *features.shape[2:]),
        version=19,
    )
    return y
