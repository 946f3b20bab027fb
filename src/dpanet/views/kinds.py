"""Views as developers have them: what kind they are, and pictures of that kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import PairError

if TYPE_CHECKING:
    from torch import Tensor

    from dpanet.images.reading import ImagePath
    from dpanet.views.pillow_images import Image

View = TypeVar("View", "Tensor", "Image")
"""What holds a view, and then the picture, if no NumPy array does."""

Arrays = tuple[NDArray[Any], NDArray[Any], Callable[[NDArray[Any]], Any]]
"""Both views, and what turns an array like them into what the left view was."""


def to_arrays(left: object, right: object) -> Arrays:
    """Return views as arrays, RGB with the channels last, and what turns such an array into the left view's kind.

    Args:
        left: a NumPy array, a torch tensor or a Pillow image. Neither torch nor Pillow is imported: as long as the
            caller has not, no view is of their kind.
        right: of the same kind.

    Raises:
        PairError: for views of another kind, or of two.
    """
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left, right, lambda array: array
    if _is_tensor(left) and _is_tensor(right):
        from dpanet.views import tensors

        tensor = left
        return *tensors.to_arrays(left, right), lambda array: tensors.from_array(array, tensor)
    if _is_image(left) and _is_image(right):
        from dpanet.views import pillow_images

        image = left
        views = pillow_images.to_array(left), pillow_images.to_array(right)
        return *views, lambda array: pillow_images.from_array(array, image)
    raise PairError(
        f"the views are {type(left).__name__} and {type(right).__name__}; give one DualPixelPair, or two NumPy "
        "arrays, tensors, Pillow images or names of files"
    )


def is_path(value: object) -> TypeGuard[ImagePath]:
    """Return whether a value is the name of a file."""
    return isinstance(value, str | os.PathLike)


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_image(value: object) -> TypeGuard[Image]:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)
