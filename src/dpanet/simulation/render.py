"""Layers of a scene, blurred and laid over each other as light does it.

Linear light throughout. A layer of colour c and opacity a reaches view v as (c * a) convolved with its
kernel k_v, and covers what lies behind by 1 - a convolved with k_v. Back to front.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from dpanet.simulation.kernels import SIZE

MARGIN = SIZE // 2
"""Pixels on each side of a canvas that a kernel may reach into; cut off from what is rendered."""


@dataclass(frozen=True)
class Layer:
    """One layer of several scenes at once.

    scenes: (M,) the scenes of the batch that have it. colour: (M, C, H, W), linear. opacity: (M, 1, H, W),
    or None for a background. kernels: (N, 2, K, K), the kernel pairs in use. owner: (N,) the entry of
    0..M-1 a kernel belongs to. share: (N, 1, h, w), how much of that kernel applies at each rendered pixel;
    the shares of one owner sum to 1. Several kernels an owner make the blur vary inside the layer.
    radius: (N,) signed blur radius in px of each kernel, where a defocus map is wanted.
    """

    scenes: Tensor
    colour: Tensor
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
        sharp = _inner(layer.colour)
        if views is None or truth is None:
            views, truth = _seen(layer, layer.colour), sharp.clone()
            continue
        assert layer.opacity is not None
        planes = torch.cat((layer.colour * layer.opacity, layer.opacity), dim=1)
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
    blurred = blur(planes, layer.kernels, layer.owner) * layer.share
    if len(layer.owner) == len(planes):
        return blurred
    return blurred.new_zeros(2, *planes.shape[:2], *blurred.shape[-2:]).index_add_(1, layer.owner, blurred)


def blur(planes: Tensor, kernels: Tensor, owner: Tensor) -> Tensor:
    """Convolve planes[owner] (M, C, H, W) with kernel pairs (N, 2, K, K): (2, N, C, H - 2*MARGIN, W - 2*MARGIN).

    Circular, by Fourier transform: what wraps around falls into the margin, which is cut off.
    """
    height, width = planes.shape[-2:]
    spectrum = torch.fft.rfft2(planes)[owner]
    placed = planes.new_zeros(*kernels.shape[:2], height, width)
    placed[..., : kernels.shape[-2], : kernels.shape[-1]] = kernels
    placed = placed.roll((-(kernels.shape[-2] // 2), -(kernels.shape[-1] // 2)), dims=(-2, -1))
    transfer = torch.fft.rfft2(placed).transpose(0, 1)
    views = []
    for view in transfer:
        columns = torch.fft.ifft(spectrum * view[:, None], dim=-2)[..., MARGIN:-MARGIN, :]
        views.append(torch.fft.irfft(columns, n=width)[..., MARGIN:-MARGIN])
    return torch.stack(views)


def _inner(planes: Tensor) -> Tensor:
    return planes[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
