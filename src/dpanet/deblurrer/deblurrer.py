"""Picture out: a network, wherever it runs, applied to a pair of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from dpanet.deblurrer.placement import choose_device, choose_precision, keeping_memory
from dpanet.deblurrer.tiling import Progress, deblur_tiles
from dpanet.errors import SettingsError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Encoding, Picture, Pixels, check_encoding

DEFAULT_TILE = 1024
"""Pixels a side; ``auto`` for a network that can be tiled."""

WHOLE_LIMIT = 4_000_000
"""Pixels of the largest picture that ``auto`` gives whole to a network that cannot be tiled."""


MIRRORS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
"""Axes of (B, C, H, W) to mirror; mirrored left-right, the views change places and the pair is valid again."""


class Network(Protocol):
    """What a Deblurrer needs: a torch module over two B x 3 x H x W tensors that describes itself."""

    @property
    def description(self) -> Description: ...

    def __call__(self, left: Tensor, right: Tensor) -> Tensor: ...


class Deblurrer:
    """`Deblurrer(network)(pair)` is the deblurred picture, in the pair's own encoding and scale.

    A linear pair is divided by the larger maximum of its views and encoded for the network, which was
    trained on display-encoded pictures of normal exposure; its answer is decoded and multiplied back.
    Neither the picture nor what lies between is clipped. Each tile is converted on its own, so that no
    full-size copy is made.

    Args:
        network: moved to the device; its training mode is put back after each picture.
        tile: px a side that the network is shown at most; 0 for the whole picture; ``auto`` for
            `DEFAULT_TILE`, or for the whole picture where the network cannot be tiled.
        device: ``auto`` (cuda, mps, cpu in this order), or one of these.
        precision: ``auto`` (bfloat16 where it is fast and the network bears it), ``float32``, ``bfloat16``.
        passes: 1, 2 or 4: mirror images of the pair whose pictures are averaged; better, and as many times slower.
        progress: told (tiles done, tiles in all).

    Raises: SettingsError for an impossible setting.
    """

    def __init__(
        self,
        network: Network,
        *,
        tile: int | Literal["auto"] = "auto",
        device: str = "auto",
        precision: str = "auto",
        passes: int = 1,
        progress: Progress | None = None,
    ) -> None:
        if tile != "auto" and (not isinstance(tile, int) or tile < 0):
            raise SettingsError(f"tile is {tile!r}; it must be auto, 0 (no tiles) or a number of pixels")
        if passes not in (1, 2, 4):
            raise SettingsError(f"passes is {passes!r}; a pair has 1, 2 or 4 mirror images to average")
        self.network = network
        self.mirrors = MIRRORS[:passes]
        self.tile = tile
        self.progress = progress
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device, network.description)
        if isinstance(network, nn.Module):
            network.to(self.device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its stub

    def __call__(self, pair: DualPixelPair, output_encoding: Encoding | None = None) -> Picture:
        """Deblur a pair; the picture carries the pair's metadata.

        Args:   output_encoding: of the picture, if not the pair's own; then the ICC profile is left behind.
        Raises: PairError for an unknown encoding; SettingsError if the tile is too small for the network, or
                the picture too large without.
        """
        description = self.network.description
        wanted = output_encoding or pair.encoding
        check_encoding(wanted)
        scale = max(float(pair.left.max()), float(pair.right.max())) if pair.encoding == "linear" else 1.0
        scale = scale if scale > 0 else 1.0

        def engine(left: Pixels, right: Pixels) -> Pixels:
            if self.device.type != "cpu":
                return translated(left, right)
            with keeping_memory():
                made = translated(left, right)
            return made.copy()  # out of the heap that the next tile is to find empty

        def translated(left: Pixels, right: Pixels) -> Pixels:
            seen = [
                _recode(view / np.float32(scale), pair.encoding, description.encoding)
                for view in (left, right)
            ]
            made = self._run(*seen)
            if scale == 1.0:
                return _recode(made, description.encoding, wanted)
            light = _recode(made, description.encoding, pair.encoding) * np.float32(scale)
            return _recode(light, pair.encoding, wanted)

        with _evaluating(self.network), torch.inference_mode():
            pixels = deblur_tiles(
                pair.left,
                pair.right,
                engine,
                multiple_of=description.multiple_of,
                halo=description.halo,
                tile=self._tile_for(pair),
                progress=self.progress,
            )
        kept = {key: value for key, value in pair.metadata.items() if key != "icc" or wanted == pair.encoding}
        return Picture(pixels, wanted, kept)

    def _tile_for(self, pair: DualPixelPair) -> int:
        if self.tile != "auto":
            return self.tile
        if not self.network.description.whole_image:
            return DEFAULT_TILE
        height, width = pair.left.shape[:2]
        if height * width > WHOLE_LIMIT:
            raise SettingsError(
                f"the picture is {width} x {height} px, and this model has to see it whole, which takes much "
                f"memory above {WHOLE_LIMIT // 10**6} megapixels; take another model, or set the tile to 0 "
                f"(whole all the same) or to {DEFAULT_TILE} (the picture then differs from the whole one's)"
            )
        return 0

    def _run(self, left: Pixels, right: Pixels) -> Pixels:
        """The bare network on one tile; H x W x 3 in its own encoding."""
        views = [torch.from_numpy(np.ascontiguousarray(view)).to(self.device) for view in (left, right)]
        batch = [view.permute(2, 0, 1)[None] for view in views]  # a channels-last tensor without a copy
        mixed = self.precision == torch.bfloat16
        total: Tensor | None = None
        for axes in self.mirrors:
            given = [view.flip(axes) for view in batch] if axes else batch
            with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
                made = self.network(*(reversed(given) if -1 in axes else given)).float()
            made = made.flip(axes) if axes else made
            total = made if total is None else total + made
        assert total is not None
        made = total / len(self.mirrors)
        result: Pixels = made[0].permute(1, 2, 0).float().cpu().numpy()
        return result


def _recode(pixels: Pixels, given: Encoding, wanted: Encoding) -> Pixels:
    if given == wanted:
        return pixels
    return linear_to_srgb(pixels) if wanted == "srgb" else srgb_to_linear(pixels)


@contextmanager
def _evaluating(network: Network) -> Iterator[None]:
    """Evaluation mode, put back afterwards."""
    module = network if isinstance(network, nn.Module) and network.training else None
    if module is not None:
        module.eval()
    try:
        yield
    finally:
        if module is not None:
            module.train()
