"""Layers of a scene, blurred and laid over each other as light does it.

Linear light throughout. A layer of color c and opacity a reaches view v as (c * a) convolved with its
kernel k_v, and covers what lies behind by 1 - a convolved with k_v. Back to front.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from dpanet.simulation.kernels import SIZE

MARGIN = SIZE // 2
"""Pixels on each side of a canvas that a kernel may reach into; cut off from what is rendered."""

STEP = 8
"""Pixels by which the reach of kernels is rounded up."""

NOTHING = 1e-10
"""A kernel's value below which it counts as zero: less than a millionth of the light of all its pixels."""


@dataclass(frozen=True)
class Layer:
    """One layer of several scenes at once.

    scenes: (M,) the scenes of the batch that have it. color: (M, C, H, W), linear. opacity: (M, 1, H, W),
    or None for a background. kernels: (N, 2, K, K), the kernel pairs in use. owner: (N,) the entry of
    0..M-1 a kernel belongs to. share: (N, 1, h, w), how much of that kernel applies at each rendered pixel;
    the shares of one owner sum to 1. Several kernels an owner make the blur vary inside the layer.
    radius: (N,) signed blur radius in px of each kernel, where a defocus map is wanted.
    """

    scenes: Tensor
    color: Tensor
    opacity: Tensor | None
    kernels: Tensor
    owner: Tensor
    share: Tensor
    radius: Tensor | None = None


def render(layers: Iterable[Layer]) -> tuple[Tensor, Tensor, Tensor]:
    """Render layers, back to front, the first covering every scene.

    Returns: left, right, truth, each (B, C, h, w) with h = H - 2*MARGIN, linear; truth is the unblurred scene.
    """
    views: Tensor | None = None
    truth: Tensor | None = None
    for layer in layers:
        sharp = _inner(layer.color)
        if views is None or truth is None:
            views, truth = _seen(layer, layer.color), sharp.clone()
            continue
        assert layer.opacity is not None
        planes = torch.cat((layer.color * layer.opacity, layer.opacity), dim=1)
        seen = _seen(layer, planes)
        views[:, layer.scenes] = views[:, layer.scenes] * (1 - seen[:, :, -1:]) + seen[:, :, :-1]
        opacity = _inner(layer.opacity)
        truth[layer.scenes] = truth[layer.scenes] * (1 - opacity) + sharp * opacity
    assert views is not None and truth is not None
    return views[0], views[1], truth


def defocus_map(layers: list[Layer]) -> Tensor:
    """The signed blur radius (B, 1, h, w) in px of what is seen in the unblurred scene, layers as in `render`."""
    found: Tensor | None = None
    for layer in layers:
        assert layer.radius is not None
        parts = layer.share * layer.radius.reshape(-1, 1, 1, 1)
        count = len(layer.scenes)
        own = parts.new_zeros(count, *parts.shape[1:]).index_add_(0, layer.owner, parts)
        if found is None:
            found = own
            continue
        assert layer.opacity is not None
        opacity = _inner(layer.opacity)
        found[layer.scenes] = found[layer.scenes] * (1 - opacity) + own * opacity
    assert found is not None
    return found


def _seen(layer: Layer, planes: Tensor) -> Tensor:
    """Planes (M, C, H, W) as both views see them: (2, M, C, h, w)."""
    blurred = blur(planes, layer.kernels, layer.owner)
    if len(layer.owner) == len(planes):  # one kernel each, and all of it
        return blurred
    blurred = blurred * layer.share
    return blurred.new_zeros(2, *planes.shape[:2], *blurred.shape[-2:]).index_add_(1, layer.owner, blurred)


def blur(planes: Tensor, kernels: Tensor, owner: Tensor) -> Tensor:
    """Convolve planes[owner] (M, C, H, W) with kernel pairs (N, 2, K, K): (2, N, C, H - 2*MARGIN, W - 2*MARGIN).

    By Fourier transform, no larger than a kernel's own reach needs; what wraps around is cut off. The size depends on
    the kernel alone, so that a scene is the same whatever else is in the batch.
    """
    inner = planes.shape[-2] - 2 * MARGIN, planes.shape[-1] - 2 * MARGIN
    groups: dict[tuple[int, int], list[int]] = {}
    for entry, reach in enumerate(_reaches(kernels)):
        groups.setdefault((_period(inner[0], reach), _period(inner[1], reach)), []).append(entry)
    if len(groups) == 1:
        return _convolved(planes, kernels, owner, *groups)
    found = planes.new_empty(2, len(kernels), planes.shape[1], *inner)
    for periods, entries in groups.items():
        which = torch.tensor(entries, device=planes.device)
        used, place = owner[which].unique(return_inverse=True)  # type: ignore[no-untyped-call]
        found[:, which] = _convolved(planes[used], kernels[which], place, periods)
    return found


def _reaches(kernels: Tensor) -> list[int]:
    """How many pixels from its middle each pair is above zero, as far as float32 can tell in a sum."""
    light = kernels.amax(1) > NOTHING
    middle = kernels.shape[-1] // 2
    distance = (torch.arange(kernels.shape[-1], device=kernels.device) - middle).abs()
    return [
        int(reach) for reach in (torch.maximum(light.amax(-1), light.amax(-2)) * distance).amax(-1).tolist()
    ]


def _period(inner: int, reach: int) -> int:
    """The next length that is quick to transform; reaches are taken in steps, to have few of them."""
    return int(next_fast_len(inner + 2 * min(-(-reach // STEP) * STEP, MARGIN), real=True))


def _convolved(planes: Tensor, kernels: Tensor, owner: Tensor, periods: tuple[int, int]) -> Tensor:
    """`blur`, with transforms of `periods` (rows, columns) px."""
    inner = [side - 2 * MARGIN for side in planes.shape[-2:]]
    ends = [min((period - side) // 2, MARGIN) for period, side in zip(periods, inner, strict=True)]
    rows, columns = (slice(MARGIN - end, MARGIN + side + end) for end, side in zip(ends, inner, strict=True))
    spectrum = torch.fft.rfft2(planes[..., rows, columns], s=periods)[owner]
    middle = kernels.shape[-1] // 2
    reach = [min(end, middle) for end in ends]
    down, across = (slice(middle - r, middle + r + 1) for r in reach)
    transfer = torch.fft.rfft2(kernels[..., down, across], s=periods).transpose(0, 1)
    # The kernel's middle is not moved to the origin; what it moves the picture by is left out instead.
    rows, columns = (slice(e + r, e + r + side) for e, r, side in zip(ends, reach, inner, strict=True))
    views = []
    for view in transfer:
        lines = torch.fft.ifft(spectrum * view[:, None], dim=-2)[..., rows, :]
        views.append(torch.fft.irfft(lines, n=periods[1])[..., columns])
    return torch.stack(views)


def _inner(planes: Tensor) -> Tensor:
    return planes[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
