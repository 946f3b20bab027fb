"""The front of the package: a network applied to a pair of any size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.carried_metadata import carry_metadata, keep_pixels, read_keep
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.loop import Progress, deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.options import check_options
from dpanet.deblurrer.pretrained import Pretrained
from dpanet.deblurrer.refined import deblur_and_refine
from dpanet.deblurrer.scales import Scale
from dpanet.engines.choose_engine import load_engine
from dpanet.engines.engine import Engine
from dpanet.errors import ConfigError, PairError
from dpanet.pair import DualPixelPair, Encoding, Picture, check_encoding
from dpanet.views.arrays import from_pictures, to_pairs
from dpanet.views.kinds import View, is_path, to_arrays

if TYPE_CHECKING:
    from dpanet.engines.torch_engine import Network
    from dpanet.images.reading import ImagePath
    from dpanet.lenses.lens import Lens


class Deblurrer(Pretrained):
    """Deblur dual-pixel pairs with a network.

    A linear pair is divided by its white, the largest value that is no outlier, and encoded for the network, which
    was trained on display-encoded pictures of normal exposure; the output is decoded and multiplied back. What lies
    above white, of floats of either encoding, goes around the network and is added to its output, so that the
    picture is not clipped.

    Args:
        model: a name of `SHIPPED`, a file or a folder, which `load_engine` loads; or a torch network, which is moved
            to the device and whose training mode is restored after each run.
        tile: largest side in px that the network gets at once; 0 for the whole picture; ``auto`` for
            what `choose_grid` takes.
        scale: 1, 2, 4 or 8: blur beyond the network's reach is removed at sizes down to 1 / scale; ``auto``: as small
            as the blur requires, or 1 if the network has no defocus map.
        engine: what runs the network: ``auto``, ``onnxruntime``, ``openvino`` or ``torch``, see `load_engine`. A
            torch network is run by torch.
        device: ``auto``, ``cpu``; with torch also ``cuda``, ``cuda:1``, ``mps``, of which ``auto`` is the first that
            there is; with ONNX Runtime ``cuda``, ``coreml``, ``directml``, if its build has them.
        precision: ``auto`` (the fastest that the model allows), ``float32``, ``bfloat16`` (torch, OpenVINO), ``int8``
            (ONNX Runtime).
        tta: test-time augmentation: 1, 2 or 4 mirror images of the pair whose pictures are averaged; better, and
            as many times slower. ``auto``: as the network describes itself.
        threads: that compute on the processor; all its cores by default.
        strength: 0 (the combined view, the mean of the views) to 1 (the output of the network); see `Control`.
        keep_background: blur radius in px up to which is sharpened what lies behind the focal plane; None for all.
            The network needs a defocus map.
        keep_foreground: likewise in front of it. With the views swapped, background and foreground are swapped too.
        progress: called with (tiles done, all tiles).
        lens: refine pictures by the optics of this lens, whose field the pairs fill (`refinement/`).
        reuse_memory: let glibc reuse freed memory: faster, but for the whole process and for good, so for programs.

    Raises:
        ConfigError: for an impossible value.
        WeightsError: if there is no such model.

    >>> import numpy as np
    >>> from dpanet import Deblurrer
    >>> view = np.full((32, 48, 3), 128, np.uint8)
    >>> Deblurrer("compact", device="cpu")(view, view).shape
    (32, 48, 3)
    """

    def __init__(
        self,
        model: Network | str | Path,
        *,
        engine: str = "auto",
        tile: int | Literal["auto"] = "auto",
        scale: Scale = "auto",
        device: str = "auto",
        precision: str = "auto",
        tta: int | Literal["auto"] = "auto",
        threads: int | None = None,
        strength: float = 1.0,
        keep_background: float | None = None,
        keep_foreground: float | None = None,
        progress: Progress | None = None,
        lens: Lens | None = None,
        reuse_memory: bool = False,
    ) -> None:
        check_options(tile, scale, tta)
        self.control = Control(strength, keep_background, keep_foreground)
        self.model = model
        self.engine: Engine = load_engine(
            model, engine, device=device, precision=precision, threads=threads, reuse_memory=reuse_memory
        )
        self.tile, self.scale = tile, scale
        self.mirrors = MIRRORS[: self.engine.description.tta if tta == "auto" else tta]
        self.progress, self.lens, self.threads = progress, lens, threads
        if self.control.needs_defocus_map:
            self.check_defocus_map()

    @property
    def device(self) -> str:
        """Where the network runs, such as ``cpu`` or ``cuda:0``.

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu").device
        'cpu'
        """
        return self.engine.device

    @property
    def precision(self) -> str:
        """What the network computes in: ``float32``, ``bfloat16`` or ``int8``.

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu", precision="float32").precision
        'float32'
        """
        return self.engine.precision

    @overload
    def __call__(
        self,
        pair: DualPixelPair,
        /,
        *,
        output_encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> Picture: ...

    @overload
    def __call__(
        self,
        left: ImagePath,
        right: ImagePath,
        /,
        *,
        encoding: Encoding | None = None,
        output_encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> Picture: ...

    @overload
    def __call__(
        self,
        left: View,
        right: View,
        /,
        *,
        encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> View: ...

    @overload
    def __call__(
        self,
        left: Sequence[View],
        right: Sequence[View],
        /,
        *,
        encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> list[View]: ...

    def __call__(
        self,
        left: Any,
        right: Any = None,
        /,
        *,
        encoding: Encoding | None = None,
        output_encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Deblur a `DualPixelPair`, or the left and the right view as arrays, tensors, Pillow images or files.

        Args:
            left: a pair; or the left view: a NumPy array (H, W), (H, W, 3) or (B, H, W, 3); a tensor (H, W),
                (3, H, W) or (B, 3, H, W) on any device; a Pillow image of mode L, RGB, I;16 or F; the name of a
                file; or a list of these. RGB; uint8, uint16 (white is 255 or 65535) or floats (1.0); 16 px or more.
            right: the right view, of the same kind and shape; nothing beside a pair.
            encoding: of views and picture; by default what files state, else ``srgb``. A pair states its own.
            output_encoding: of the picture of a pair or of files, if not their own; then its ICC profile becomes one
                of the same colors, or is left out with an ImageWarning.
            progress: instead of the Deblurrer's own; of several pictures, it is called for each from the start.

        Returns:
            of a pair or two files a `Picture` with the metadata, and the combined view where these have a mask
            ``keep``; of other views what they are: an array or tensor of the left view's shape, type and device, an
            image of its mode, a list of these, clipped if it is of whole numbers; gray is the mean of the channels.

        Raises:
            PairError: for unusable views.
            UnreadableImageError: for files that are no pictures.
            ConfigError: if the tile is too small for the network, or the picture too large without.

        >>> import numpy as np
        >>> from dpanet import Deblurrer
        >>> Deblurrer("compact", device="cpu")(*np.zeros((2, 32, 48, 3), np.float32)).shape
        (32, 48, 3)
        """
        if is_path(left) and is_path(right):
            from dpanet.images.reading import read_pair

            left, encoding = read_pair(left, right, encoding), None
        if isinstance(left, DualPixelPair):
            if encoding is not None:
                raise ConfigError(f"encoding is {encoding!r}, but a pair states its own; leave it out")
            return self._deblur(left, output_encoding, defocus=False, progress=progress)[0]
        if output_encoding is not None:
            raise ConfigError(f"output_encoding is {output_encoding!r}; leave it out but for pairs and files")
        if isinstance(left, list | tuple) and isinstance(right, list | tuple):
            if len(left) != len(right):
                raise PairError(f"there are {len(left)} left and {len(right)} right views; give one of each")
            each = zip(left, right, strict=True)
            return [self(*pair, encoding=encoding, progress=progress) for pair in each]
        views = to_arrays(left, right)
        pairs = to_pairs(*views[:2], encoding or "srgb")
        pictures = [self._deblur(pair, None, defocus=False, progress=progress)[0].pixels for pair in pairs]
        return views[2](from_pictures(pictures, views[0].shape, views[0].dtype))

    def with_defocus_map(
        self, pair: DualPixelPair, output_encoding: Encoding | None = None
    ) -> tuple[Picture, NDArray[np.float32]]:
        """Return the picture and the defocus map of a pair, from the same run of the network.

        Returns:
            the picture, as of a call; the map (H, W), signed blur radius in px, positive where the left view's
            kernel lies on the left (-x) side.

        Raises:
            ConfigError: if the network has no defocus map (`Description.has_defocus`), and as for a picture.

        >>> import numpy as np
        >>> from dpanet import Deblurrer, DualPixelPair
        >>> view = np.full((32, 48, 3), 0.5, np.float32)
        >>> picture, radius = Deblurrer("compact", device="cpu").with_defocus_map(DualPixelPair(view, view))
        >>> picture.pixels.shape, radius.shape
        ((32, 48, 3), (32, 48))
        """
        picture, radius = self._deblur(pair, output_encoding, defocus=True)
        assert radius is not None
        return picture, radius

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32]:
        """Return the defocus map of a pair alone; see `with_defocus_map`.

        >>> import numpy as np
        >>> from dpanet import Deblurrer, DualPixelPair
        >>> view = np.full((32, 48, 3), 0.5, np.float32)
        >>> Deblurrer("compact", device="cpu").defocus_map(DualPixelPair(view, view)).shape
        (32, 48)
        """
        return self.with_defocus_map(pair)[1]

    def check_defocus_map(self) -> None:
        """Raise ConfigError unless the network has a defocus map.

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu").check_defocus_map()
        Traceback (most recent call last):
        dpanet.errors.ConfigError: this model has no defocus map; choose one that has, such as compact
        """
        if not self.engine.description.has_defocus:
            raise ConfigError("this model has no defocus map; choose one that has, such as compact")

    def _deblur(
        self,
        pair: DualPixelPair,
        output_encoding: Encoding | None,
        *,
        defocus: bool,
        progress: Progress | None = None,
    ) -> tuple[Picture, NDArray[np.float32] | None]:
        if defocus:
            self.check_defocus_map()
        encoding = output_encoding or pair.encoding
        check_encoding(encoding)
        keep, metadata = read_keep(pair), carry_metadata(pair, encoding)
        deblur = partial(deblur_and_refine, self.lens, threads=self.threads) if self.lens else deblur_pair
        pixels, radius = deblur(
            self.engine,
            pair,
            tile=self.tile,
            scale=self.scale,
            mirrors=self.mirrors,
            encoding=encoding,
            control=self.control,
            defocus=defocus,
            progress=progress or self.progress,
        )
        if keep is not None:
            keep_pixels(pixels, pair, keep, encoding)
        return Picture(pixels, encoding, metadata), radius
