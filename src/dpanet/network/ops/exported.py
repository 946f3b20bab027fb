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


def shifted_products(left: Tensor, right: Tensor, ry: int, rx: int) -> Tensor:
    """Return the cost volume as products with one shifted view for each displacement; arguments of `correlation`."""
    height, width = left.shape[-2:]
    padded = F.pad(right, (rx, rx, ry, ry))
    planes = [
        (left * padded[..., dy : dy + height, dx : dx + width]).mean(1, keepdim=True)
        for dy in range(2 * ry + 1)
        for dx in range(2 * rx + 1)
    ]
    return torch.cat(planes, dim=1)


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
