"""The front of the package: a network applied to a pair of any size."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.calls import Calls
from dpanet.deblurrer.carried_metadata import carry_metadata, keep_pixels, read_keep
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.loop import Progress, deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.options import check_options
from dpanet.deblurrer.pretrained import Pretrained
from dpanet.deblurrer.refined import deblur_and_refine
from dpanet.engines.choose_engine import load_engine
from dpanet.engines.engine import Engine
from dpanet.engines.processor import count_cores
from dpanet.pair import DualPixelPair, Encoding, Picture, check_encoding
from dpanet.tiles.large_blur import Scale

if TYPE_CHECKING:
    from dpanet.engines.torch_engine import Network
    from dpanet.lenses.lens import LensChoice


class Deblurrer(Calls, Pretrained):
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
            The network needs a defocus map, or `lens` is given.
        keep_foreground: likewise in front of it. With the views swapped, background and foreground are swapped too.
        progress: called with (tiles done, all tiles).
        lens: refine pictures by the optics of this lens, whose field the pairs fill (`refinement/`); ``find`` for the
            one that explains each pair best, if it explains enough.
        callers: threads of yours that will call it at the same time. With ONNX Runtime they share `threads`, which
            for several pairs is faster than one call with all of them; the other engines are as they are.
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
        lens: LensChoice | None = None,
        callers: int = 1,
        reuse_memory: bool = False,
    ) -> None:
        check_options(tile, scale, tta, callers, lens)
        self.control = Control(strength, keep_background, keep_foreground)
        self.model = model
        self.engine: Engine = load_engine(
            model,
            engine,
            device=device,
            precision=precision,
            threads=threads,
            reuse_memory=reuse_memory,
            passes=tta,
            callers=callers,
        )
        self.tile, self.scale = tile, scale
        self.mirrors = MIRRORS[: self.engine.description.tta if tta == "auto" else tta]
        self.progress, self.lens, self.threads = progress, lens, threads
        self.callers = callers
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

    @property
    def _refining(self) -> int:
        """Threads that refine one picture."""
        return max(1, (self.threads or count_cores()) // self.callers)

    def __repr__(self) -> str:
        model = str(self.model) if isinstance(self.model, str | Path) else type(self.model).__name__
        engine = self.engine.name
        return f"Deblurrer({model!r}, {engine=}, device={self.device!r}, precision={self.precision!r})"

    def _deblur(
        self,
        pair: DualPixelPair,
        output_encoding: Encoding | None,
        *,
        defocus: bool,
        progress: Progress | None,
    ) -> tuple[Picture, NDArray[np.float32] | None]:
        encoding = output_encoding or pair.encoding
        check_encoding(encoding)
        keep, metadata = read_keep(pair), carry_metadata(pair, encoding)
        deblur = partial(deblur_and_refine, self.lens, threads=self._refining) if self.lens else deblur_pair
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
