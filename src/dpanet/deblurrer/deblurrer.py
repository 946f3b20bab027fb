"""The front of the package: a network applied to a pair of any size."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dpanet.deblurrer.arrays import from_pictures, to_pairs
from dpanet.deblurrer.carried_metadata import carry_metadata, keep_pixels, read_keep
from dpanet.deblurrer.loop import Progress, deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.tensors import from_array, to_array
from dpanet.deblurrer.torch_engine import Network, TorchEngine
from dpanet.errors import ConfigError, PairError
from dpanet.pair import DualPixelPair, Encoding, Picture, check_encoding

DEFAULT_TILE = 1024
"""Pixels a side; ``auto`` for a network that can be tiled."""

WHOLE_LIMIT = 4_000_000
"""Pixels of the largest picture that ``auto`` runs whole through a network that cannot be tiled."""


class Deblurrer:
    """Deblur dual-pixel pairs with a network.

    A linear pair is divided by its white, the largest value that is no outlier, and encoded for the network, which
    was trained on display-encoded pictures of normal exposure; the output is decoded and multiplied back. What lies
    above white, of floats of either encoding, goes around the network and is added to its output, so that the
    picture is not clipped.

    Args:
        network: moved to the device; its training mode is restored after each run.
        tile: largest side in px that the network gets at once; 0 for the whole picture; ``auto`` for
            `DEFAULT_TILE`, or for the whole picture where the network cannot be tiled.
        device: ``auto`` (the first of cuda, mps, cpu that there is), one of these, or a numbered one (``cuda:1``).
        precision: ``auto`` (bfloat16 where it is fast and the network allows it), ``float32``, ``bfloat16``.
        tta: test-time augmentation: 1, 2 or 4 mirror images of the pair whose pictures are averaged; better, and
            as many times slower. ``auto``: as the network describes itself.
        progress: called with (tiles done, all tiles).
        reuse_memory: on the CPU, let glibc reuse freed memory, which is faster. It changes the allocator of the
            whole process for good (`reuse_freed_memory`), so only programs should ask for it.

    Raises:
        ConfigError: for an impossible value.

    >>> import numpy as np
    >>> from dpanet import Deblurrer, load_model
    >>> deblur = Deblurrer(load_model("compact"), device="cpu")
    >>> left = right = np.full((32, 48, 3), 128, np.uint8)
    >>> picture = deblur(left, right)
    >>> picture.shape, picture.dtype
    ((32, 48, 3), dtype('uint8'))
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
        reuse_memory: bool = False,
    ) -> None:
        if tile != "auto" and (not isinstance(tile, int) or tile < 0):
            raise ConfigError(f"tile is {tile!r}; it must be auto, 0 (no tiles) or a number of pixels")
        if tta not in ("auto", 1, 2, 4):
            raise ConfigError(f"tta is {tta!r}; a pair has 1, 2 or 4 mirror images to average (or auto)")
        self.engine = TorchEngine(network, device=device, precision=precision, reuse_memory=reuse_memory)
        self.tile = tile
        self.mirrors = MIRRORS[: network.description.tta if tta == "auto" else tta]
        self.progress = progress

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.engine.device

    @property
    def precision(self) -> torch.dtype:
        """What the network computes in: torch.float32 or torch.bfloat16."""
        return self.engine.precision

    @overload
    def __call__(self, pair: DualPixelPair, /, *, output_encoding: Encoding | None = None) -> Picture: ...

    @overload
    def __call__(
        self, left: NDArray[Any], right: NDArray[Any], /, *, encoding: Encoding = "srgb"
    ) -> NDArray[Any]: ...

    @overload
    def __call__(self, left: Tensor, right: Tensor, /, *, encoding: Encoding = "srgb") -> Tensor: ...

    def __call__(
        self,
        pair: DualPixelPair | NDArray[Any] | Tensor,
        right: NDArray[Any] | Tensor | None = None,
        /,
        *,
        encoding: Encoding = "srgb",
        output_encoding: Encoding | None = None,
    ) -> Picture | NDArray[Any] | Tensor:
        """Deblur a `DualPixelPair`, or the left and the right view as arrays or tensors.

        Args:
            pair: a pair; or the left view, a NumPy array (H, W), (H, W, 3) or (B, H, W, 3), or a tensor (H, W),
                (3, H, W) or (B, 3, H, W) on any device. RGB; uint8, uint16 (white is 255 or 65535) or floats (white
                is 1.0); at least 16 px a side.
            right: the right view, of the same kind and shape; nothing beside a pair.
            encoding: of arrays and tensors, in and out; a pair states its own.
            output_encoding: of the picture of a pair, if not the pair's own; then its ICC profile becomes one of the
                same colors, or is left out with an ImageWarning.

        Returns:
            a `Picture` with the pair's metadata, and its combined view where these have a mask ``keep``; or an array
            or tensor of the shape, type and device of the left view, clipped only if it is of whole numbers. A gray
            picture is the mean of its channels.

        Raises:
            PairError: for unusable views.
            ConfigError: if the tile is too small for the network, or the picture too large without.

        >>> import torch
        >>> from dpanet import Deblurrer, load_model
        >>> views = torch.rand(2, 3, 32, 48)
        >>> Deblurrer(load_model("compact"), device="cpu")(views, views).shape
        torch.Size([2, 3, 32, 48])
        """
        if isinstance(pair, DualPixelPair):
            return self._deblur(pair, output_encoding, defocus=False)[0]
        if isinstance(pair, Tensor) and isinstance(right, Tensor):
            return from_array(self._deblur_arrays(to_array(pair), to_array(right), encoding), pair)
        if isinstance(pair, np.ndarray) and isinstance(right, np.ndarray):
            return self._deblur_arrays(pair, right, encoding)
        raise PairError(
            f"the views are {type(pair).__name__} and {type(right).__name__}; give one DualPixelPair, two NumPy "
            "arrays or two tensors"
        )

    def with_defocus_map(
        self, pair: DualPixelPair, output_encoding: Encoding | None = None
    ) -> tuple[Picture, NDArray[np.float32]]:
        """Return the picture and the defocus map of a pair, from the same run of the network.

        Returns:
            the picture, as of a call; the map (H, W), signed blur radius in px, positive where the left view's
            kernel lies on the left (-x) side.

        Raises:
            ConfigError: if the network has no defocus map (`Description.has_defocus`), and as for a picture.
        """
        picture, radius = self._deblur(pair, output_encoding, defocus=True)
        assert radius is not None
        return picture, radius

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """Return the defocus map of a pair alone; see `with_defocus_map`."""
        return self.with_defocus_map(pair)[1]

    def check_defocus_map(self) -> None:
        """Raise ConfigError unless the network has a defocus map."""
        if not self.engine.description.has_defocus:
            raise ConfigError("this model has no defocus map; choose one that has, such as compact")

    def _deblur(
        self, pair: DualPixelPair, output_encoding: Encoding | None, *, defocus: bool
    ) -> tuple[Picture, NDArray[np.float32] | None]:
        if defocus:
            self.check_defocus_map()
        encoding = output_encoding or pair.encoding
        check_encoding(encoding)
        keep, metadata = read_keep(pair), carry_metadata(pair, encoding)
        pixels, radius = deblur_pair(
            self.engine,
            pair,
            tile=self._choose_tile(*pair.left.shape[:2]),
            mirrors=self.mirrors,
            encoding=encoding,
            defocus=defocus,
            progress=self.progress,
        )
        if keep is not None:
            keep_pixels(pixels, pair, keep, encoding)
        return Picture(pixels, encoding, metadata), radius

    def _deblur_arrays(self, left: NDArray[Any], right: NDArray[Any], encoding: Encoding) -> NDArray[Any]:
        pairs = to_pairs(left, right, encoding)
        pictures = [self._deblur(pair, None, defocus=False)[0].pixels for pair in pairs]
        return from_pictures(pictures, left.shape, left.dtype)

    def _choose_tile(self, height: int, width: int) -> int:
        if self.tile != "auto":
            return self.tile
        if not self.engine.description.whole_image:
            return DEFAULT_TILE
        if height * width > WHOLE_LIMIT:
            raise ConfigError(
                f"the picture is {width} x {height} px, and this model has to see it whole, which takes much "
                f"memory above {WHOLE_LIMIT // 10**6} megapixels; take another model, or set the tile to 0 "
                f"(whole all the same) or to {DEFAULT_TILE} (the picture then differs from the whole one's)"
            )
        return 0
