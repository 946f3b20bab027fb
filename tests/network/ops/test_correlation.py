import pytest
import torch
from oracles.correlation import correlation as oracle
from oracles.correlation import views

from dpanet.errors import ShapeError
from dpanet.network.ops import correlation
from dpanet.network.ops.correlation import STRIP
from dpanet.network.ops.exported import exported_correlation, exporting, strip_products

CASES = [
    (1, 1, 4, 4),
    (2, 80, 0, 16),
    (5, 7, 4, 4),
    (6, STRIP, 1, 4),
    (3, STRIP + 1, 2, 3),
    (4, 2 * STRIP + 5, 0, 2),
    (7, 5, 1, 0),
]


@pytest.mark.parametrize(("height", "width", "ry", "rx"), CASES)
def test_equals_the_oracle(height: int, width: int, ry: int, rx: int) -> None:
    left, right = views(height, width)
    torch.testing.assert_close(correlation(left, right, (ry, rx)), oracle(left, right, ry, rx))


@pytest.mark.parametrize(("height", "width", "ry", "rx"), CASES)
def test_exported_forms_equal_the_oracle(height: int, width: int, ry: int, rx: int) -> None:
    left, right = views(height, width, batch=1)
    expected = oracle(left, right, ry, rx)
    torch.testing.assert_close(exported_correlation(left, right, ry, rx), expected)
    torch.testing.assert_close(strip_products(left, right, ry, rx), expected)
    with exporting("plain"):
        torch.testing.assert_close(correlation(left, right, (ry, rx)), expected)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_trace_of_the_exported_form_takes_any_size() -> None:
    traced = torch.jit.trace(  # type: ignore[no-untyped-call]
        lambda left, right: strip_products(left, right, 4, 4), tuple(views(6, 48, batch=1)), check_trace=False
    )
    for height, width in ((3, STRIP), (5, 2 * STRIP + 3), (4, 6)):
        left, right = views(height, width, batch=1)
        torch.testing.assert_close(traced(left, right), oracle(left, right, 4, 4))


@pytest.mark.parametrize(("height", "width", "ry", "rx"), CASES)
def test_gradient_equals_the_oracles(height: int, width: int, ry: int, rx: int) -> None:
    left, right = (v.requires_grad_() for v in views(height, width))
    weights = torch.randn(2, (2 * ry + 1) * (2 * rx + 1), height, width, dtype=torch.float64)
    ours = torch.autograd.grad((correlation(left, right, (ry, rx)) * weights).sum(), (left, right))
    slow = torch.autograd.grad((oracle(left, right, ry, rx) * weights).sum(), (left, right))
    torch.testing.assert_close(ours, slow)


def test_gradcheck() -> None:
    left, right = (v.requires_grad_() for v in views(3, STRIP + 2, channels=1, batch=1))
    assert torch.autograd.gradcheck(lambda a, b: correlation(a, b, (1, 2)), (left, right))


@pytest.mark.parametrize(("dy", "dx"), [(-4, -4), (-4, 4), (4, -4), (4, 4), (0, 3), (-2, 0)])
def test_displacement_peaks_where_it_says(dy: int, dx: int) -> None:
    left = torch.randn(1, 64, 24, 40, generator=torch.Generator().manual_seed(3))
    right = left.roll((dy, dx), (-2, -1))
    peak = int(correlation(left, right).mean((0, 2, 3)).argmax())
    assert divmod(peak, 9) == (dy + 4, dx + 4)


def test_outside_the_picture_counts_as_zero() -> None:
    ones = torch.ones(1, 2, 6, 6)
    planes = correlation(ones, ones)
    for dy, dx in ((-4, 0), (4, 0), (0, -4), (0, 4)):
        plane = planes[0, (dy + 4) * 9 + dx + 4]
        expected = torch.zeros(6, 6)
        expected[max(-dy, 0) : 6 - max(dy, 0), max(-dx, 0) : 6 - max(dx, 0)] = 1
        torch.testing.assert_close(plane, expected)


def test_swapped_views_mirror_the_displacement() -> None:
    left, right = views(6, 9)
    forth, back = correlation(left, right, 2), correlation(right, left, 2)
    torch.testing.assert_close(forth[:, 2 * 5 + 3, :, :-1], back[:, 2 * 5 + 1, :, 1:])  # dx = +1 and -1


def test_channels_last_and_bfloat16_agree_with_float32() -> None:
    left, right = (v.float() for v in views(9, 40, channels=16))
    exact = correlation(left, right)
    last = [v.to(memory_format=torch.channels_last) for v in (left, right)]
    torch.testing.assert_close(correlation(*last), exact)
    torch.testing.assert_close(
        correlation(left.bfloat16(), right.bfloat16()).float(), exact, atol=0.03, rtol=0.03
    )


@pytest.mark.parametrize("shape", [(1, 3, 8, 9), (1, 2, 8, 8), (2, 3, 8, 8)])
def test_views_that_differ_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="of one shape"):
        correlation(torch.zeros(1, 3, 8, 8), torch.zeros(shape))


def test_a_radius_beyond_the_strips_is_refused() -> None:
    correlation(*views(3, 70), (0, STRIP // 2))
    with pytest.raises(ShapeError, match="at most 16"):
        correlation(*views(3, 70), (0, STRIP // 2 + 1))


def test_planted_faults_are_caught() -> None:
    left, right = views(5, 7)
    right_answer = oracle(left, right, 4, 4)
    transposed = right_answer.reshape(2, 9, 9, 5, 7).transpose(1, 2).reshape(2, 81, 5, 7)
    for wrong in (transposed, oracle(right, left, 4, 4), right_answer.flip(1)):
        with pytest.raises(AssertionError):
            torch.testing.assert_close(correlation(left, right), wrong)


def test_memory_never_holds_a_copy_for_each_displacement() -> None:
    from oracles.memory import peak_of

    left, right = torch.randn(2, 1, 32, 128, 128)
    copy = left.numel() * 4
    answer = (81 + 1) * 128 * 128 * 4  # what is returned is no copy of the features
    assert peak_of(lambda: correlation(left, right)) < 2 * answer + 8 * copy
