"""Picture out: a network, wherever it runs, applied to a pair of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dpanet.deblurrer.placement import choose_device, choose_precision, keeping_memory
from dpanet.deblurrer.tiling import Engine, Progress, deblur_tiles
from dpanet.errors import ConfigError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.network.description import Description
from dpanet.network.dpanet import DPANet
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
        tta: 1, 2 or 4: mirror images of the pair whose pictures are averaged; better, and as many times slower.
            ``auto``: as the network describes itself.
        progress: told (tiles done, tiles in all).

    Raises: ConfigError for an impossible setting.
    """

    def __init__(
        self,
        network: Network,
        *,
        tile: int | Literal["auto"] = "auto",
        device: str = "auto",
        precision: str = "auto",
        tta: int | Literal["auto"] = "auto",
        progress: Progress | None = None,
    ) -> None:
        if tile != "auto" and (not isinstance(tile, int) or tile < 0):
            raise ConfigError(f"tile is {tile!r}; it must be auto, 0 (no tiles) or a number of pixels")
        if tta not in ("auto", 1, 2, 4):
            raise ConfigError(f"tta is {tta!r}; a pair has 1, 2 or 4 mirror images to average (or auto)")
        tta = network.description.tta if tta == "auto" else tta
        self.network = network
        self.mirrors = MIRRORS[:tta]
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
        Raises: PairError for an unknown encoding; ConfigError if the tile is too small for the network, or
                the picture too large without.
        """
        description = self.network.description
        wanted = output_encoding or pair.encoding
        check_encoding(wanted)
        scale = _scale(pair)

        def translated(left: Pixels, right: Pixels) -> Pixels:
            made = self._run(*self._shown(left, right, pair.encoding, scale))
            if scale == 1.0:
                return _recode(made, description.encoding, wanted)
            light = _recode(made, description.encoding, pair.encoding) * np.float32(scale)
            return _recode(light, pair.encoding, wanted)

        pixels = self._over_tiles(pair, translated)
        kept = {key: value for key, value in pair.metadata.items() if key != "icc" or wanted == pair.encoding}
        return Picture(pixels, wanted, kept)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """How far each pixel is out of focus, as the network's alignment sees it.

        Returns: (H, W), signed blur radius in px; positive where the left view's kernel lies on the left side.
        Raises:  ConfigError if the network tells none (`DPANet.with_defocus`), and as for a picture.
        """
        scale = _scale(pair)

        def told(left: Pixels, right: Pixels) -> Pixels:
            return self._run(*self._shown(left, right, pair.encoding, scale), defocus=True)

        return np.ascontiguousarray(self._over_tiles(pair, told)[..., 0])

    def _shown(self, left: Pixels, right: Pixels, encoding: Encoding, scale: float) -> tuple[Pixels, Pixels]:
        """Views as the network was trained to see them."""
        wanted = self.network.description.encoding
        white = np.float32(scale)
        return _recode(left / white, encoding, wanted), _recode(right / white, encoding, wanted)

    def _over_tiles(self, pair: DualPixelPair, engine: Engine) -> Pixels:
        def thrifty(left: Pixels, right: Pixels) -> Pixels:
            if self.device.type != "cpu":
                return engine(left, right)
            with keeping_memory():
                made = engine(left, right)
            return made.copy()  # out of the heap that the next tile is to find empty

        description = self.network.description
        with _evaluating(self.network), torch.inference_mode():
            return deblur_tiles(
                pair.left,
                pair.right,
                thrifty,
                multiple_of=description.multiple_of,
                halo=description.halo,
                tile=self._tile_for(pair),
                progress=self.progress,
            )

    def _tile_for(self, pair: DualPixelPair) -> int:
        if self.tile != "auto":
            return self.tile
        if not self.network.description.whole_image:
            return DEFAULT_TILE
        height, width = pair.left.shape[:2]
        if height * width > WHOLE_LIMIT:
            raise ConfigError(
                f"the picture is {width} x {height} px, and this model has to see it whole, which takes much "
                f"memory above {WHOLE_LIMIT // 10**6} megapixels; take another model, or set the tile to 0 "
                f"(whole all the same) or to {DEFAULT_TILE} (the picture then differs from the whole one's)"
            )
        return 0

    def _run(self, left: Pixels, right: Pixels, defocus: bool = False) -> Pixels:
        """The bare network on one tile; H x W x 3 in its own encoding, or its defocus map thrice."""
        views = [torch.from_numpy(np.ascontiguousarray(view)).to(self.device) for view in (left, right)]
        batch = [view.permute(2, 0, 1)[None] for view in views]  # a channels-last tensor without a copy
        mixed = self.precision == torch.bfloat16
        total: Tensor | None = None
        for axes in self.mirrors:
            given = [view.flip(axes) for view in batch] if axes else batch
            with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
                left_view, right_view = reversed(given) if -1 in axes else given
                made = (
                    _defocus(self.network, left_view, right_view)
                    if defocus
                    else self.network(left_view, right_view)
                ).float()
            made = made.flip(axes) if axes else made
            total = made if total is None else total + made
        assert total is not None
        made = total / len(self.mirrors)
        result: Pixels = made[0].permute(1, 2, 0).float().cpu().numpy()
        return result


def _scale(pair: DualPixelPair) -> float:
    """White of a pair: 1, or the brightest value of linear views."""
    if pair.encoding != "linear":
        return 1.0
    return max(float(pair.left.max()), float(pair.right.max())) or 1.0


def _defocus(network: Network, left: Tensor, right: Tensor) -> Tensor:
    if not isinstance(network, DPANet):
        raise ConfigError("this model tells no defocus map; take compact")
    return network.with_defocus(left, right)[1].expand(-1, 3, -1, -1)


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
