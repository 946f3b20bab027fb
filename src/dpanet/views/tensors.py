"""Torch tensors as NumPy arrays with the channels last, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


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
