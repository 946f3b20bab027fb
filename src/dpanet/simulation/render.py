"""Render a scene: layers are blurred and composited from back to front.

Linear light throughout. A layer of color c and opacity a adds (c * a) convolved with kernel k_v to view v, and
multiplies what is behind it by 1 - (a convolved with k_v).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from dpanet.simulation.kernels import SIZE

MARGIN = SIZE // 2
"""Pixels on each side of a canvas that blur into the scene; they are not part of the result."""

STEP = 8
"""The radius of kernels is rounded up to a multiple of this many px."""

NEGLIGIBLE = 1e-10
"""Value of a kernel that counts as zero: all its pixels together have less than a millionth of the light."""


@dataclass(frozen=True)
class Layer:
    """One layer of the M scenes of a batch that have it, with N kernel pairs."""

    scenes: Tensor
    """(M,), the scenes' indices in the batch."""
    color: Tensor
    """(M, C, H, W), linear light."""
    opacity: Tensor | None
    """(M, 1, H, W), 0..1; None for a background."""
    kernels: Tensor
    """(N, 2, K, K), left and right; several for one entry let the blur vary inside the layer."""
    owner: Tensor
    """(N,), the entry 0..M-1 that each kernel pair blurs."""
    share: Tensor
    """(N, 1, h, w), weight of each kernel pair at each rendered pixel; those of one owner sum to 1."""
    radius: Tensor | None = None
    """(N,), signed blur radius in px of each kernel pair; needed for a defocus map only."""


def render(layers: Iterable[Layer]) -> tuple[Tensor, Tensor, Tensor]:
    """Render layers into both views and the truth.

    Args:    layers: back to front; the first is the background of every scene.
    Returns: left, right, truth, each (B, C, h, w) with h = H - 2*MARGIN, linear; truth is the unblurred scene.
    """
    views: Tensor | None = None
    truth: Tensor | None = None
    for layer in layers:
        sharp = _inner(layer.color)
        if views is None or truth is None:
            views, truth = _blur_layer(layer, layer.color), sharp.clone()
            continue
        assert layer.opacity is not None
        planes = torch.cat((layer.color * layer.opacity, layer.opacity), dim=1)
        seen = _blur_layer(layer, planes)
        views[:, layer.scenes] = views[:, layer.scenes] * (1 - seen[:, :, -1:]) + seen[:, :, :-1]
        opacity = _inner(layer.opacity)
        truth[layer.scenes] = truth[layer.scenes] * (1 - opacity) + sharp * opacity
    assert views is not None and truth is not None
    return views[0], views[1], truth


def defocus_map(layers: list[Layer]) -> Tensor:
    """Compute the signed blur radius (B, 1, h, w) in px of the unblurred scene; layers as in `render`."""
    total: Tensor | None = None
    for layer in layers:
        assert layer.radius is not None
        parts = layer.share * layer.radius.reshape(-1, 1, 1, 1)
        count = len(layer.scenes)
        own = parts.new_zeros(count, *parts.shape[1:]).index_add_(0, layer.owner, parts)
        if total is None:
            total = own
            continue
        assert layer.opacity is not None
        opacity = _inner(layer.opacity)
        total[layer.scenes] = total[layer.scenes] * (1 - opacity) + own * opacity
    assert total is not None
    return total


def _blur_layer(layer: Layer, planes: Tensor) -> Tensor:
    """Blur planes (M, C, H, W) of a layer for both views: (2, M, C, h, w)."""
    blurred = blur(planes, layer.kernels, layer.owner)
    if len(layer.owner) == len(planes):  # one kernel each, and all of it
        return blurred
    blurred = blurred * layer.share
    return blurred.new_zeros(2, *planes.shape[:2], *blurred.shape[-2:]).index_add_(1, layer.owner, blurred)


def blur(planes: Tensor, kernels: Tensor, owner: Tensor) -> Tensor:
    """Convolve planes with kernel pairs.

    By Fourier transforms, as large as the radius of each kernel needs; the part that wraps around is cut off. Their
    size depends on the kernel alone, so that a scene is the same whatever else is in the batch.

    Args:    planes: (M, C, H, W). kernels: (N, 2, K, K). owner: (N,), the entry of `planes` for each kernel pair.
    Returns: (2, N, C, H - 2*MARGIN, W - 2*MARGIN), left and right.
    """
    inner = planes.shape[-2] - 2 * MARGIN, planes.shape[-1] - 2 * MARGIN
    groups: dict[tuple[int, int], list[int]] = {}
    for entry, radius in enumerate(_kernel_radii(kernels)):
        groups.setdefault((_transform_size(inner[0], radius), _transform_size(inner[1], radius)), []).append(
            entry
        )
    if len(groups) == 1:
        return _convolve(planes, kernels, owner, *groups)
    blurred = planes.new_empty(2, len(kernels), planes.shape[1], *inner)
    for periods, entries in groups.items():
        which = torch.tensor(entries, device=planes.device)
        used, place = owner[which].unique(return_inverse=True)  # type: ignore[no-untyped-call]
        blurred[:, which] = _convolve(planes[used], kernels[which], place, periods)
    return blurred


def _kernel_radii(kernels: Tensor) -> list[int]:
    """Return the radius in px of the smallest square with all the light of each pair, but for `NEGLIGIBLE`."""
    light = kernels.amax(1) > NEGLIGIBLE
    middle = kernels.shape[-1] // 2
    distance = (torch.arange(kernels.shape[-1], device=kernels.device) - middle).abs()
    return [
        int(radius) for radius in (torch.maximum(light.amax(-1), light.amax(-2)) * distance).amax(-1).tolist()
    ]


def _transform_size(inner: int, radius: int) -> int:
    """Return a length that is fast to transform, for `inner` px and kernels of that radius, in few sizes."""
    return int(next_fast_len(inner + 2 * min(-(-radius // STEP) * STEP, MARGIN), real=True))


def _convolve(planes: Tensor, kernels: Tensor, owner: Tensor, periods: tuple[int, int]) -> Tensor:
    """Convolve as `blur` does, with transforms of `periods` (rows, columns) px."""
    inner = [side - 2 * MARGIN for side in planes.shape[-2:]]
    ends = [min((period - side) // 2, MARGIN) for period, side in zip(periods, inner, strict=True)]
    rows, columns = (slice(MARGIN - end, MARGIN + side + end) for end, side in zip(ends, inner, strict=True))
    spectrum = torch.fft.rfft2(planes[..., rows, columns], s=periods)[owner]
    middle = kernels.shape[-1] // 2
    reach = [min(end, middle) for end in ends]
    down, across = (slice(middle - r, middle + r + 1) for r in reach)
    transfer = torch.fft.rfft2(kernels[..., down, across], s=periods).transpose(0, 1)
    # The kernel's middle is not moved to the origin; the result is cut out where that moves it.
    rows, columns = (slice(e + r, e + r + side) for e, r, side in zip(ends, reach, inner, strict=True))
    views = []
    for view in transfer:
        lines = torch.fft.ifft(spectrum * view[:, None], dim=-2)[..., rows, :]
        views.append(torch.fft.irfft(lines, n=periods[1])[..., columns])
    return torch.stack(views)


def _inner(planes: Tensor) -> Tensor:
    """Cut the margin off."""
    return planes[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
