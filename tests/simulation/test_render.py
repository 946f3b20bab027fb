import pytest
import torch
from torch import Tensor

from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, Layer, blur, render

SIZE = 40
CANVAS = SIZE + 2 * MARGIN


def layer(
    color: Tensor, radii: list[float], opacity: Tensor | None = None, share: Tensor | None = None
) -> Layer:
    share = torch.ones(len(radii), 1, SIZE, SIZE) if share is None else share
    return Layer(
        scenes=torch.zeros(1, dtype=torch.long),
        color=color,
        opacity=opacity,
        kernels=ramped_disc([RampedDisc(r) for r in radii]),
        owner=torch.zeros(len(radii), dtype=torch.long),
        share=share,
    )


def picture(seed: int = 0) -> Tensor:
    return torch.rand(1, 3, CANVAS, CANVAS, generator=torch.Generator().manual_seed(seed))


def point() -> Tensor:
    canvas = torch.zeros(1, 1, CANVAS, CANVAS)
    canvas[..., CANVAS // 2, CANVAS // 2] = 1
    return canvas


def inner(canvas: Tensor) -> Tensor:
    return canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def test_a_point_becomes_the_kernel_in_place() -> None:
    kernels = ramped_disc([RampedDisc(8.0)])
    seen = blur(point(), kernels, torch.tensor([0]))
    middle = SIZE // 2
    for view in range(2):
        expected = kernels[0, view, MARGIN - 15 : MARGIN + 16, MARGIN - 15 : MARGIN + 16]
        torch.testing.assert_close(
            seen[view, 0, 0, middle - 15 : middle + 16, middle - 15 : middle + 16],
            expected,
            atol=1e-6,
            rtol=1e-4,
        )


def test_equals_a_direct_convolution() -> None:
    kernels = ramped_disc([RampedDisc(-11.0, softness=0.3)])
    color = picture()
    seen = blur(color, kernels, torch.tensor([0]))
    for view in range(2):
        kernel = kernels[0, view].flip(-1, -2).expand(3, 1, -1, -1)
        direct = torch.nn.functional.conv2d(color, kernel, groups=3)
        torch.testing.assert_close(seen[view], direct, atol=1e-5, rtol=1e-4)


def test_kernels_of_any_reach_together_do_what_each_does_alone() -> None:
    """Transforms are as large as each kernel needs; none is cut, none wraps around, planes need not be square."""
    lenses = [RampedDisc(r) for r in (0.0, 2.5, -6.9, 15.0, -31.0, 47.0)]
    kernels, owner = ramped_disc(lenses), torch.tensor([0, 1, 1, 0, 1, 0])
    planes = torch.cat((picture(), picture(5)))[..., : CANVAS - 11]
    seen = blur(planes, kernels, owner)
    assert seen.shape == (2, 6, 3, SIZE, SIZE - 11)
    for entry in range(len(lenses)):
        alone = blur(planes[owner[entry]][None], kernels[entry][None], torch.tensor([0]))
        torch.testing.assert_close(seen[:, entry], alone[:, 0], atol=1e-6, rtol=0)
        for view in range(2):
            kernel = kernels[entry, view].flip(-1, -2).expand(3, 1, -1, -1)
            direct = torch.nn.functional.conv2d(planes[owner[entry]][None], kernel, groups=3)[0]
            torch.testing.assert_close(seen[view, entry], direct, atol=1e-5, rtol=1e-4)


def test_no_blur_gives_the_photograph_back() -> None:
    left, right, truth = render([layer(picture(), [0.0])])
    for seen in (left, right, truth):
        torch.testing.assert_close(seen, inner(picture()), atol=1e-5, rtol=0)


def test_brightness_is_conserved_under_occlusion() -> None:
    """Behind and in front equally bright: whatever is blurred over whatever, nothing may darken or glow."""
    gray = torch.full((1, 3, CANVAS, CANVAS), 0.4)
    opacity = (picture(3)[:, :1] > 0.5).float()
    for behind, front in ((9.0, -6.0), (0.0, 12.0), (-12.0, 0.0)):
        left, right, _ = render([layer(gray, [behind]), layer(gray, [front], opacity)])
        torch.testing.assert_close(left, inner(gray), atol=1e-5, rtol=0)
        torch.testing.assert_close(right, inner(gray), atol=1e-5, rtol=0)


def test_what_lies_in_front_covers() -> None:
    opaque = torch.ones(1, 1, CANVAS, CANVAS)
    front = picture(1)
    left, _, truth = render([layer(picture(), [5.0]), layer(front, [-4.0], opaque)])
    alone, _, _ = render([layer(front, [-4.0])])
    torch.testing.assert_close(truth, inner(front))
    torch.testing.assert_close(left, alone, atol=1e-5, rtol=0)


def test_blur_varies_inside_a_layer() -> None:
    half = torch.zeros(2, 1, SIZE, SIZE)
    half[0, :, :, : SIZE // 2], half[1, :, :, SIZE // 2 :] = 1, 1
    left, _, _ = render([layer(picture(), [2.0, 14.0], share=half)])
    for radius, part in ((2.0, slice(0, SIZE // 2)), (14.0, slice(SIZE // 2, SIZE))):
        whole, _, _ = render([layer(picture(), [radius])])
        torch.testing.assert_close(left[..., part], whole[..., part], atol=1e-5, rtol=0)


def test_a_planted_wrong_kernel_breaks_the_law() -> None:
    """Shifted by one pixel, a kernel no longer gives what a direct convolution gives."""
    kernels = ramped_disc([RampedDisc(6.0)])
    seen = blur(picture(), kernels.roll(1, -1), torch.tensor([0]))
    direct = torch.nn.functional.conv2d(picture(), kernels[0, 0].flip(-1, -2).expand(3, 1, -1, -1), groups=3)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(seen[0], direct, atol=1e-5, rtol=1e-4)
