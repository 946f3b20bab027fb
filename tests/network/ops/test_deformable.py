import pytest
import torch
import torch.nn.functional as F
from oracles.deformable import arguments
from oracles.deformable import deformable_convolution as oracle
from oracles.memory import peak_of

from dpanet.errors import ShapeError
from dpanet.network.ops import deformable_convolution, deformable_strips
from dpanet.network.ops.exported import exporting

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
    with exporting("plain"):
        torch.testing.assert_close(deformable_convolution(*given), oracle(*given))


@pytest.mark.parametrize(
    ("height", "width", "taps", "groups", "reach"), [(3, 4, 3, 2, 2.0), (4, 7, 1, 2, 3.0)]
)
def test_gradient_equals_the_oracles(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int, taps: int, groups: int, reach: float
) -> None:
    """The gradients of features, mask, weight and bias; the oracle's places have none."""
    monkeypatch.setattr(deformable_strips, "STRIP_BYTES", 1)
    given = [t.requires_grad_() for t in arguments(height, width, taps, groups, reach, batch=2)]
    weights = torch.randn(2, 3, height, width, dtype=torch.float64)
    inputs = [given[0], *given[2:]]
    ours = torch.autograd.grad((deformable_convolution(*given) * weights).sum(), inputs)
    slow = torch.autograd.grad((oracle(given[0], given[1].detach(), *given[2:]) * weights).sum(), inputs)
    torch.testing.assert_close(ours, slow)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_strips_of_any_height_agree_with_single_taps(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Strips of 2 rows straddle the border of two pictures of 5 rows; all gradients, those of places too."""
    given = [t.requires_grad_() for t in arguments(5, 6, 3, 2, 2.0, batch=2)]
    monkeypatch.setattr(deformable_strips, "STRIP_BYTES", rows * 6 * 9 * 4 * 8)
    strips = deformable_convolution(*given)
    with exporting("plain"):
        single = deformable_convolution(*given)
    torch.testing.assert_close(strips, single)
    weights = torch.randn_like(strips)
    torch.testing.assert_close(
        torch.autograd.grad((strips * weights).sum(), given),
        torch.autograd.grad((single * weights).sum(), given),
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30, -1e30])
@pytest.mark.parametrize("index", [0, 1])
def test_bad_offsets_read_nothing_outside(bad: float, index: int) -> None:
    features, offsets, mask, weight, bias = (t.float() for t in arguments(5, 6, 3, 1, 1.0))
    spoiled = offsets.clone()
    spoiled[:, index::2, 2, 3] = bad
    spoiled.requires_grad_()
    out = deformable_convolution(features, spoiled, mask, weight, bias)
    out.nansum().backward()
    if bad == bad:  # what lies outside is zero
        torch.testing.assert_close(out[0, :, 2, 3], bias)
        assert bool((spoiled.grad[:, :, 2, 3] == 0).all())
    others = torch.ones(5, 6, dtype=torch.bool)
    others[2, 3] = False
    torch.testing.assert_close(
        out[..., others], deformable_convolution(features, offsets, mask, weight, bias)[..., others]
    )


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_autocast_agrees_with_float32(memory_format: torch.memory_format) -> None:
    given = [t.float() for t in arguments(9, 10, 3, 2, 2.0)]
    exact = deformable_convolution(*given)
    given[:3] = [t.to(memory_format=memory_format) for t in given[:3]]
    torch.testing.assert_close(deformable_convolution(*given), exact)
    given = [t.requires_grad_() for t in given]
    with torch.autocast("cpu", torch.bfloat16):
        rounded = deformable_convolution(*given)
    assert rounded.dtype is torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, atol=0.05, rtol=0.03)
    for ours, slow in zip(
        torch.autograd.grad(rounded.float().square().sum(), given),
        torch.autograd.grad(deformable_convolution(*given).square().sum(), given),
        strict=True,
    ):
        assert float((ours - slow).norm() / slow.norm()) < 0.03


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
def test_memory_never_holds_a_copy_for_each_tap(monkeypatch: pytest.MonkeyPatch, gradients: bool) -> None:
    monkeypatch.setattr(deformable_strips, "STRIP_BYTES", 2**17)
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
