"""Modulated deformable convolution (DCNv2) made of torch's own operations; nothing is compiled."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from dpanet.errors import ShapeError
from dpanet.network.ops.deformable_strips import DeformableStrips
from dpanet.network.ops.exported import export_form, onnx_deformable_convolution


def deformable_convolution(
    features: Tensor, offsets: Tensor, mask: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Convolve features, each tap reading at its offset, weighted by its mask.

    Reading is bilinear, zero outside the picture. There are never K*K copies of the features: a processor computes
    strips of rows (`DeformableStrips`); other devices and exports take one tap at a time, each again in the backward
    pass. Coordinates are float32 whatever the type of the features: in bfloat16 they would be wrong by whole pixels.
    What an offset that is no number reads is not defined, but it is never outside the features.

    Args:
        features: (B, C, H, W).
        offsets: (B, G*K*K*2, H, W), px, (dy, dx) interleaved for each tap, taps in raster order, groups outermost;
            group g moves channels g*C/G to (g+1)*C/G; +x right, +y down.
        mask: (B, G*K*K, H, W), in the same order.
        weight: (D, C, K, K), K odd.
        bias: (D,) or None.

    Returns:
        (B, D, H, W): sum over taps of weight * mask * features[y + ky - K//2 + dy, x + kx - K//2 + dx].

    Raises:
        ShapeError: if the shapes do not fit each other.

    Source:
        DCNv2 (Zhu et al., 2019), eq. 1; DPANet (Li et al., 2025), EAM and DAM.
    """
    batch, channels, height, width = features.shape
    size = weight.shape[-1]
    taps = size * size
    groups = mask.shape[1] // taps
    if (
        weight.shape[1:] != (channels, size, size)
        or size % 2 == 0
        or groups * taps != mask.shape[1]
        or offsets.shape != (batch, 2 * groups * taps, height, width)
        or mask.shape != (batch, groups * taps, height, width)
        or channels % max(groups, 1)
    ):
        raise ShapeError(
            f"deformable convolution was given features {tuple(features.shape)}, offsets {tuple(offsets.shape)}, "
            f"mask {tuple(mask.shape)} and weight {tuple(weight.shape)}; for G groups and K x K taps it needs "
            "offsets of 2*G*K*K and a mask of G*K*K channels at the size of the features, and an odd K"
        )
    if export_form() == "onnx":
        return onnx_deformable_convolution(features, offsets, mask, weight, bias)
    by_taps = taps == 1 and torch.is_grad_enabled()  # one tap has no copies; its gradient is faster this way
    if export_form() is None and features.device.type == "cpu" and not by_taps:
        strips: Tensor = DeformableStrips.apply(  # type: ignore[no-untyped-call]
            features, offsets, mask, weight, bias, _product_type(features)
        )
        return strips
    # Several groups become several pictures: one sampling call moves them all.
    moved = features.reshape(batch * groups, channels // groups, height, width)
    offsets = offsets.reshape(batch * groups, taps, 2, height, width)
    mask = mask.reshape(batch * groups, taps, 1, height, width)
    out: Tensor | None = None
    for tap in range(taps):
        shift = (tap // size - size // 2, tap % size - size // 2)
        arguments = (moved, offsets[:, tap], mask[:, tap], weight[:, :, tap // size, tap % size], shift)
        if torch.is_grad_enabled() and taps > 1:
            term = checkpoint(_tap, *arguments, use_reentrant=False)
        else:
            term = _tap(*arguments)
        out = term if out is None else out + term
    assert out is not None
    return out if bias is None else out + bias.to(out.dtype).reshape(1, -1, 1, 1)


def _product_type(features: Tensor) -> torch.dtype:
    """Return the type that autocast gives matrix products of the features, or theirs."""
    kind = features.device.type
    if torch.is_autocast_enabled(kind) and features.dtype != torch.float64:
        return torch.get_autocast_dtype(kind)
    return features.dtype


def _tap(moved: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, shift: tuple[int, int]) -> Tensor:
    """One tap: read `moved` (B*G, C/G, H, W) at `offset` + `shift`, weigh by `mask`, mix by `weight` (D, C)."""
    sampled = sample(moved, offset, shift) * mask.to(moved.dtype)
    sampled = sampled.reshape(-1, weight.shape[1], *sampled.shape[-2:])
    return F.conv2d(sampled, weight[:, :, None, None].to(sampled.dtype))


def sample(features: Tensor, offset: Tensor, shift: tuple[int, int] = (0, 0)) -> Tensor:
    """Read `features` (B, C, H, W) bilinearly at each pixel's place plus `offset` (B, 2: dy, dx, H, W) px.

    `shift` is a further (dy, dx) common to all pixels. Outside the picture is zero. Coordinates are
    computed in at least float32.
    """
    height, width = features.shape[-2:]
    exact = torch.promote_types(offset.dtype, torch.float32)
    ys = torch.arange(height, device=offset.device, dtype=exact).reshape(1, -1, 1) + shift[0]
    xs = torch.arange(width, device=offset.device, dtype=exact).reshape(1, 1, -1) + shift[1]
    # grid_sample counts from -1 to 1 over the picture; without corners aligned pixel i sits at (2i + 1) / n - 1.
    gy = ((ys + offset[:, 0]) * 2 + 1) / height - 1
    gx = ((xs + offset[:, 1]) * 2 + 1) / width - 1
    grid = torch.stack((gx, gy), dim=-1)
    with torch.autocast(features.device.type, enabled=False):
        sampled = F.grid_sample(
            features.to(exact), grid, mode="bilinear", padding_mode="zeros", align_corners=False
        )
    return sampled.to(features.dtype)
