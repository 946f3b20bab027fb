"""Torch tensors as NumPy arrays with the channels last, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet.errors import PairError


def to_arrays(left: Tensor, right: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both views as of `to_array`.

    Raises:
        PairError: if they differ in shape or type, or have another shape; it names the tensors' own.
    """
    shapes = tuple(left.shape), tuple(right.shape)
    if shapes[0] != shapes[1] or left.dtype != right.dtype:
        raise PairError(
            f"the left view is a tensor of {shapes[0]} {left.dtype} and the right view of {shapes[1]} {right.dtype}; "
            "give two views of one shape and type"
        )
    if left.ndim not in (2, 3, 4) or (left.ndim > 2 and left.shape[-3] != 3):
        raise PairError(
            f"the views are tensors of shape {shapes[0]}; give (H, W), (3, H, W) or (B, 3, H, W), RGB"
        )
    return to_array(left), to_array(right)


def to_array(tensor: Tensor) -> NDArray[Any]:
    """Return (H, W), (3, H, W) or (B, 3, H, W) as (H, W), (H, W, 3) or (B, H, W, 3); bfloat16 as float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    array: NDArray[Any] = tensor.numpy()
    return array if array.ndim < 3 else np.moveaxis(array, -3, -1)


def from_array(array: NDArray[Any], like: Tensor) -> Tensor:
    """Return an array of `to_array` as a tensor of the layout, type and device of `like`."""
    if array.ndim >= 3:
        array = np.moveaxis(array, -1, -3)
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.device, like.dtype)
