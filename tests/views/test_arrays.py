"""Views as NumPy arrays and torch tensors: the same kind, shape and type comes back."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ImageWarning, PairError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.network.description import Description

RNG = np.random.default_rng(12)


class Weighted(nn.Module):
    """Three parts of the left view and one of the right."""

    description = Description(multiple_of=8, halo=8)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left * 0.75 + right * 0.25


deblur = Deblurrer(Weighted(), device="cpu", precision="float32")

DTYPES = ("uint8", "uint16", "float16", "float32", "float64")


def views(dtype: str, *shape: int) -> np.ndarray:
    """Both views, (2, *shape)."""
    if dtype.startswith("uint"):
        return RNG.integers(0, np.iinfo(dtype).max, (2, *shape), dtype, endpoint=True)
    return RNG.random((2, *shape)).astype(dtype)


def expect(made: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    wanted = left.astype(float) * 0.75 + right.astype(float) * 0.25
    half_a_step = 0.51 if left.dtype.kind == "u" else 1e-3 if left.dtype == np.float16 else 1e-6
    np.testing.assert_allclose(made.astype(float), wanted, atol=half_a_step)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (2, 20, 30, 3), (1, 20, 30, 3)])
def test_numpy_arrays(dtype: str, shape: tuple[int, ...]) -> None:
    left, right = views(dtype, *shape)
    before = left.copy()
    made = deblur(left, right)
    assert isinstance(made, np.ndarray)
    assert (made.shape, made.dtype) == (shape, np.dtype(dtype))
    expect(made, left, right)
    np.testing.assert_array_equal(left, before)


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
@pytest.mark.parametrize("shape", [(20, 30), (3, 20, 30), (2, 3, 20, 30)])
def test_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    arrays = views("float32" if dtype == "bfloat16" else dtype, *shape)
    left, right = (torch.from_numpy(view).to(getattr(torch, dtype)) for view in arrays)
    made = deblur(left, right)
    assert isinstance(made, Tensor)
    assert (tuple(made.shape), made.dtype, made.device) == (shape, left.dtype, left.device)
    if dtype == "bfloat16":
        torch.testing.assert_close(
            made.float(), left.float() * 0.75 + right.float() * 0.25, atol=4e-3, rtol=0
        )
    else:
        expect(made.numpy(), left.numpy(), right.numpy())


def test_arrays_of_linear_light() -> None:
    left, right = views("float32", 20, 30, 3) * np.float32(0.2)
    white = max(left.max(), right.max())
    shown = [linear_to_srgb(view / white) for view in (left, right)]
    wanted = srgb_to_linear(shown[0] * np.float32(0.75) + shown[1] * np.float32(0.25)) * white
    np.testing.assert_allclose(deblur(left, right, encoding="linear"), wanted, atol=1e-6)


def test_whole_numbers_are_clipped_and_floats_are_not() -> None:
    class Brighter(Weighted):
        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return left + 1

    brighter = Deblurrer(Brighter(), device="cpu", precision="float32")
    left = np.full((16, 16, 3), 200, np.uint8)
    assert (brighter(left, left) == 255).all()
    assert brighter(left / 255.0, left / 255.0).max() > 1.5


VIEW = np.zeros((20, 30, 3), np.uint8)


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        (VIEW, VIEW[:-1], r"the left view is \(20, 30, 3\) uint8 and the right view \(19, 30, 3\) uint8"),
        (VIEW, VIEW.astype(np.uint16), "of one shape and type"),
        (VIEW[..., :2], VIEW[..., :2], r"the views have shape \(20, 30, 2\); give"),
        (VIEW.astype(np.int32), VIEW.astype(np.int32), "the views are of type int32; give uint8, uint16 or floats"),
        (VIEW[:8], VIEW[:8], "at least 16 px a side"),
        (VIEW, torch.from_numpy(VIEW), "the views are ndarray and Tensor; give one DualPixelPair"),
        (torch.zeros(20, 30, 3), torch.zeros(20, 30, 3), r"shape \(20, 30, 3\); give \(H, W\), \(3, H, W\)"),
        (torch.zeros(3, 20, 30), torch.zeros(3, 19, 30), r"of \(3, 20, 30\) torch.float32 .* \(3, 19, 30\)"),
        (torch.zeros(20, 30), torch.zeros(20, 30).half(), r"of one shape and type"),
        (np.zeros((3, 20, 30)), np.zeros((3, 20, 30)), r"shape \(3, 20, 30\); give .* or \(B, H, W, 3\), RGB$"),
        (VIEW, None, "the views are ndarray and NoneType"),
        (np.full((20, 30), np.nan), np.full((20, 30), np.nan), "contains NaN"),
    ],
)  # fmt: skip
def test_unusable_views(left: Any, right: Any, says: str) -> None:
    with pytest.raises(PairError, match=says):
        deblur(left, right)


CODES = views("uint8", 20, 30, 3)


@pytest.mark.parametrize("brightness", [1.0, 0.1], ids=["day", "night"])
def test_floats_whose_white_is_255_are_noticed(brightness: float) -> None:
    left, right = CODES * np.float32(brightness)
    for pair in ((left, right), tuple(torch.from_numpy(view).movedim(-1, 0) for view in (left, right))):
        with pytest.warns(
            ImageWarning, match=f"largest value of {max(left.max(), right.max()):g}, and white is 1"
        ):
            deblur(*pair)


def test_a_picture_with_lamps_above_white_is_taken_as_it_is() -> None:
    left, right = views("float32", 200, 300, 3)
    left[10:15, 20:40], right[10:15, 20:40] = 300, 300  # a hundredth would be 600 pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = deblur(left, right)
        deblur(CODES[0] / 255.0, CODES[1] / 255.0)
        deblur(*CODES)
        deblur(*CODES.astype(np.float32), encoding="linear")
    expect(made[60:], left[60:], right[60:])
