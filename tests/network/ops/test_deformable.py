import pytest
import torch
import torch.nn.functional as F
from oracles.deformable import arguments
from oracles.deformable import deformable_convolution as oracle
from oracles.memory import peak_of

from dpanet.errors import ShapeError
from dpanet.network.ops import deformable_convolution

# Offsets of 20 px leave a picture of 5 x 6 px on every side.
CASES = [
    (5, 6, 3, 1, 1.0),
    (5, 6, 3, 1, 20.0),
    (4, 7, 1, 2, 3.0),
    (6, 4, 3, 4, 2.0),
    (1, 1, 3, 1, 1.0),
    (3, 9, 5, 2, 2.0),
]


@pytest.mark.parametrize(("height", "width", "taps", "groups", "reach"), CASES)
def test_equals_the_oracle(height: int, width: int, taps: int, groups: int, reach: float) -> None:
    given = arguments(height, width, taps, groups, reach, batch=2)
    torch.testing.assert_close(deformable_convolution(*given), oracle(*given))


@pytest.mark.parametrize(("taps", "groups"), [(3, 1), (1, 2), (3, 2)])
def test_gradcheck(taps: int, groups: int) -> None:
    given = [t.requires_grad_() for t in arguments(3, 4, taps, groups, 1.3)]
    assert torch.autograd.gradcheck(deformable_convolution, given)


@pytest.mark.parametrize(("dy", "dx"), [(-3, 0), (3, 0), (0, -3), (0, 3), (-9, 9), (2, -1)])
def test_whole_displacement_shifts_and_fills_with_zero(dy: int, dx: int) -> None:
    features = torch.arange(1.0, 31.0, dtype=torch.float64).reshape(1, 1, 5, 6)
    offsets = torch.tensor([dy, dx], dtype=torch.float64).reshape(1, 2, 1, 1).expand(1, 2, 5, 6)
    ones = torch.ones(1, 1, 5, 6, dtype=torch.float64)
    moved = deformable_convolution(features, offsets, ones, torch.ones(1, 1, 1, 1, dtype=torch.float64))
    expected = torch.zeros_like(features)
    for y in range(5):
        for x in range(6):
            if 0 <= y + dy < 5 and 0 <= x + dx < 6:
                expected[0, 0, y, x] = features[0, 0, y + dy, x + dx]
    torch.testing.assert_close(moved, expected)


def test_no_offset_and_full_trust_is_a_plain_convolution() -> None:
    features, offsets, mask, weight, bias = arguments(8, 9, 3, 2, 1.0)
    plain = deformable_convolution(features, 0 * offsets, torch.ones_like(mask), weight, bias)
    torch.testing.assert_close(plain, F.conv2d(features, weight, bias, padding=1))


def test_with_and_without_gradients_agree() -> None:
    given = arguments(7, 6, 3, 2, 2.0)
    with torch.no_grad():
        quiet = deformable_convolution(*given)
    torch.testing.assert_close(deformable_convolution(*[t.requires_grad_() for t in given]), quiet)


def test_coordinates_stay_exact_in_bfloat16() -> None:
    """In bfloat16 the place of column 700 cannot be told from 702; the features may round, not the place."""
    features = torch.zeros(1, 1, 4, 720)
    features[..., 700] = 1
    offsets = torch.zeros(1, 2, 4, 720)
    offsets[:, 1] = 1
    moved = deformable_convolution(
        features.bfloat16(), offsets.bfloat16(), torch.ones(1, 1, 4, 720).bfloat16(), torch.ones(1, 1, 1, 1)
    )
    assert moved[0, 0, 0].float().argmax() == 699
    assert float(moved[0, 0, 0, 699]) == pytest.approx(1, abs=0.01)


def test_planted_faults_are_caught() -> None:
    features, offsets, mask, weight, bias = arguments(5, 6, 3, 1, 1.5)
    answer = oracle(features, offsets, mask, weight, bias)
    pairs = offsets.reshape(1, 9, 2, 5, 6)
    swapped = pairs.flip(2).reshape(offsets.shape)  # (dx, dy)
    in_blocks = pairs.transpose(1, 2).reshape(offsets.shape)  # all dy, then all dx
    for wrong in (
        (features, swapped, mask, weight, bias),
        (features, in_blocks, mask, weight, bias),
        (features, -offsets, mask, weight, bias),
        (features, offsets, mask.flip(1), weight, bias),
        (features, offsets, mask, weight.transpose(-1, -2), bias),
    ):
        with pytest.raises(AssertionError):
            torch.testing.assert_close(deformable_convolution(*wrong), answer)


@pytest.mark.parametrize("gradients", [False, True])
def test_memory_never_holds_a_copy_for_each_tap(gradients: bool) -> None:
    channels, size = 64, 64
    features = torch.randn(1, channels, size, size).requires_grad_(gradients)
    offsets, mask = torch.randn(1, 18, size, size), torch.rand(1, 9, size, size)
    weight = torch.randn(8, channels, 3, 3).requires_grad_(gradients)
    copy = features.numel() * 4

    def call() -> object:
        out = deformable_convolution(features, offsets, mask, weight)
        if gradients:
            out.sum().backward()
        return out

    assert peak_of(call) < 7 * copy


@pytest.mark.parametrize("fault", ["offsets", "mask", "weight", "groups", "even"])
def test_shapes_that_do_not_fit_are_refused(fault: str) -> None:
    features, offsets, mask, weight, bias = arguments(5, 6, 3, 1, 1.0)
    wrong = {
        "offsets": (features, offsets[:, :-1], mask, weight, bias),
        "mask": (features, offsets, mask[:, :-1], weight, bias),
        "weight": (features, offsets, mask, weight[:, :-1], bias),
        "groups": (features, offsets.repeat(1, 3, 1, 1), mask.repeat(1, 3, 1, 1), weight, bias),
        "even": (features, offsets, mask, weight[..., :2, :2], bias),
    }[fault]
    with pytest.raises(ShapeError, match=r"2\*G\*K\*K"):
        deformable_convolution(*wrong)
